"""A stub in a process of its own, and what whoever measures asks of it."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.stub.server import HOST
from bench.talking import talking


@dataclass(frozen=True, slots=True)
class Stubbed:
    """Where it is."""

    ports: dict[str, int]

    @property
    def argument(self) -> str:
        """Its ports, as the ways take them."""
        return json.dumps(self.ports)

    def counts(self) -> dict[str, int]:
        """Return how often each operation was asked for so far."""
        return self._post("counts")["counts"]  # type: ignore[no-any-return]

    def rows_read(self) -> int:
        """Return how many rows queries have looked at so far."""
        return self._post("counts")["rows_read"]  # type: ignore[no-any-return]

    def set_latency(self, seconds: float) -> None:
        """Have Twilio take so long on average, each time another time: half as long to half as long again."""
        self._post("latency", seconds)

    def multiply(self, *names: str, count: int) -> None:
        """Copy every row that holds one of these names."""
        self._post("multiply", {"names": names, "count": count})

    def _post(self, what: str, content: Any = None) -> Any:  # noqa: ANN401 - JSON
        url = f"http://{HOST}:{self.ports['table']}/stub/{what}"
        with urllib.request.urlopen(url, data=json.dumps(content).encode(), timeout=120) as answer:
            return json.load(answer)


@contextmanager
def stubbed() -> Iterator[Stubbed]:
    """Run one until the block is left."""
    with talking("bench.stub") as child:
        yield Stubbed(child.hear())
