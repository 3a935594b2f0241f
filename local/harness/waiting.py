"""Waiting for what can only be asked for."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 180.0
"""seconds: so long only that nobody waits for ever, as how fast a machine is says nothing"""
LONGEST = 1.0


async def until(look: Callable[[], Awaitable[bool]], *, patience: float = PATIENCE, every: float = 0.2) -> None:
    """Look until it is so, less and less often; raises TimeoutError where it is not after `patience` seconds."""
    async with asyncio.timeout(patience):
        while not await look():
            await asyncio.sleep(every)
            every = min(every * 1.5, LONGEST)
