"""What every way is: it prepares its work, does it, and ends."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bench.ways.sample import Sample

Job = Callable[[], Awaitable[None]]


class Way(Protocol):
    """A way to send messages; whatever is made beforehand is not measured."""

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Return the work for each message; a job raises where it did not do what it is measured for."""

    async def close(self) -> None:
        """Close what is open."""
