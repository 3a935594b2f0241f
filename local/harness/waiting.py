"""Waiting for what can only be asked for."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(look: Callable[[], Awaitable[bool]], *, patience: float = 45, every: float = 0.3) -> None:
    """Look until it is so; raises TimeoutError where it is not after `patience` seconds."""
    async with asyncio.timeout(patience):
        while True:
            if await look():
                return
            await asyncio.sleep(every)
