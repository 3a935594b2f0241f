"""What every way is: it prepares its work, does it, and ends."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from bench.ways.sample import Sample
from local import azurite

Job = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a way finds storage and Twilio, and what else it was told."""

    storage: str
    """a connection string"""
    twilio: str
    """a URL"""
    told: str

    @classmethod
    def of(cls, ports: str, told: str = "") -> Self:
        """Read it from the ports of a stub, as JSON."""
        url = {service: f"http://127.0.0.1:{port}" for service, port in json.loads(ports).items()}
        storage = azurite.connection_string(blob=url["queue"], queue=url["queue"], table=url["table"])
        return cls(storage, url["twilio"], told)


class Way(Protocol):
    """A way to send messages; whatever is made beforehand is not measured."""

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Return the work for each message; a job raises where it did not do what it is measured for."""

    async def close(self) -> None:
        """Close what is open."""
