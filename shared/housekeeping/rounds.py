"""Going through what is due, some at a time, and telling what is left when the time of a run is up."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

_COUNTED: Final = 1000
"""what is left is counted up to here: one more page of a list at most"""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Done(Generic[Item]):
    """What a run came to."""

    count: int
    """how many were taken care of"""
    left: int = 0
    """how many were not begun, counted up to a bound"""
    next: Item | None = None
    """the first of these"""

    @property
    def left_in_words(self) -> str:
        """Return how many are left, as far as they were counted."""
        return f"more than {_COUNTED:,}" if self.left > _COUNTED else f"{self.left:,}"


async def go_through(
    items: AsyncGenerator[Item],
    do: Callable[[Item], Awaitable[bool]],
    *,
    at_once: int,
    until: datetime,
    clock: Callable[[], datetime],
) -> Done[Item]:
    """Do something with each item, in their order, up to the moment `until`; `do` tells whether it was done.

    No more items are read than are begun, but for the page that the last one is on, and one more to count the rest.
    """
    count = 0
    turn = asyncio.Lock()

    async def work() -> None:
        nonlocal count
        while clock() < until:
            async with turn:
                item = await anext(items, None)
            if item is None:
                return
            done = await do(item)
            count += done

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    following = await anext(items, None)
    if following is None:
        return Done(count)
    left = 1
    while left <= _COUNTED and await anext(items, None) is not None:
        left += 1
    return Done(count, left, following)
