"""Room for scenes: as many at once as the machine can bear."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LEAST = 3
AT_FIRST = 16
QUICK = 0.8
"""seconds that a host may take to its first call; one that has a core to itself takes a tenth of it"""
MORE, LESS = 0.5, 0.85


class Places:
    """A number of places that follows the machine, as the window of a TCP connection follows the network.

    The app's own times are short here: on a machine that is slow, or busy with others, too many scenes at once would
    find each of them over before anything was done, and do it again and again. Each host that is quick to make its
    first call makes room for more, each that is slow for less.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = float(min(AT_FIRST, most))
        self._taken = 0
        self._change = asyncio.Condition()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have one of them, as soon as there is one."""
        async with self._change:
            await self._change.wait_for(lambda: self._taken < int(self._room))
            self._taken += 1
        try:
            yield
        finally:
            async with self._change:
                self._taken -= 1
                self._change.notify_all()

    async def host_took(self, seconds: float) -> None:
        """Learn how long a host took to its first call."""
        room = self._room + MORE if seconds < QUICK else self._room * LESS
        self._room = min(max(room, min(LEAST, self._most)), self._most)
        async with self._change:
            self._change.notify_all()
