"""Going through what is due: in order, so many at a time, no longer than there is time, and what is left is counted."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from shared.housekeeping import rounds
from shared.housekeeping.rounds import Done, go_through
from tests.fakes import Clock

MINUTE = timedelta(minutes=1)


class Items:
    """Numbers from 0 up, and how many were read."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.read = 0

    async def each(self) -> AsyncGenerator[int]:
        for number in range(self.count):
            self.read += 1
            yield number


async def through(items: Items, clock: Clock, *, at_once: int = 4, costs: timedelta = MINUTE) -> Done[int]:
    """Go through them for ten minutes, where each takes so long."""

    async def do(_: int) -> bool:
        await asyncio.sleep(0)
        clock.advance(costs)
        return True

    return await go_through(items.each(), do, at_once=at_once, until=clock.now + 10 * MINUTE, clock=clock)


async def test_all_are_done_where_there_is_time() -> None:
    assert await through(Items(9), Clock()) == Done(9)


async def test_what_is_left_is_counted_and_the_first_of_it_is_named() -> None:
    assert await through(Items(25), Clock(), at_once=1) == Done(10, left=15, next=10)


async def test_what_is_left_is_counted_up_to_a_bound_and_no_more_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_COUNTED", 1000)
    items = Items(100_000)
    done = await through(items, Clock(), at_once=1)
    assert (done.left, done.left_in_words) == (1001, "more than 1,000")
    assert items.read == 10 + 1001


async def test_each_is_done_once_and_counted_where_it_was_done_however_many_are_done_at_once() -> None:
    done: list[int] = []
    clock = Clock()

    async def do(number: int) -> bool:
        await asyncio.sleep(0)
        done.append(number)
        return number % 2 == 0

    found = await go_through(Items(100).each(), do, at_once=7, until=clock.now + MINUTE, clock=clock)
    assert (sorted(done), found.count) == (list(range(100)), 50)


async def test_no_more_are_done_at_once_than_is_said() -> None:
    under_way, most, clock = 0, 0, Clock()

    async def do(_: int) -> bool:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        return True

    await go_through(Items(50).each(), do, at_once=6, until=clock.now + MINUTE, clock=clock)
    assert most == 6
