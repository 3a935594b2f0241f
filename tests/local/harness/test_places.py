import asyncio
from contextlib import AsyncExitStack

import pytest

from local.harness.places import LEAST, QUICK, Places

MOST = 12
SLOW = QUICK * 2


async def taken_by(stack: AsyncExitStack, places: Places) -> int:
    """Take places until there is none; return how many there were."""
    for count in range(MOST + 1):
        entering = asyncio.ensure_future(stack.enter_async_context(places.one()))
        await asyncio.wait({entering}, timeout=0.02)
        if not entering.done():
            entering.cancel()
            await asyncio.gather(entering, return_exceptions=True)
            return count
    return MOST + 1


@pytest.mark.parametrize(("seconds", "room"), [(0.1, MOST), (SLOW, LEAST)])
async def test_quick_hosts_make_room_for_more_and_slow_ones_for_less_within_bounds(seconds: float, room: int) -> None:
    places = Places(MOST)
    for _ in range(100):
        await places.host_took(seconds)
    async with AsyncExitStack() as stack:
        assert await taken_by(stack, places) == room


@pytest.mark.parametrize("seconds", [0.1, SLOW])
async def test_who_asked_for_one_place_has_one(seconds: float) -> None:
    places = Places(1)
    for _ in range(3):
        await places.host_took(seconds)
        async with AsyncExitStack() as stack:
            assert await taken_by(stack, places) == 1


async def test_a_place_that_is_given_back_is_the_next_ones() -> None:
    places, entered = Places(1), asyncio.Event()

    async def come() -> None:
        async with places.one():
            entered.set()

    async with places.one():
        waiting = asyncio.ensure_future(come())
        await asyncio.sleep(0)
        assert not entered.is_set()
    await waiting
    assert entered.is_set()
