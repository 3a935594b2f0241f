"""One writes and one erases, in every order of their storage calls: nothing is left of it, or all is kept."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Final

import msgspec
import pytest

from shared.deliveries import keys
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.deliveries.remains import SWEPT_AFTER
from shared.errors import Changed
from shared.housekeeping.retention import Retention
from tests.deliveries.samples import NOW, OTHER_SID, SID, a_delivery, an_event
from tests.deliveries.stepping import Steps, World, every_order

DAY: Final = timedelta(days=1)
LATER: Final = NOW + SWEPT_AFTER + timedelta(minutes=1)
Write = Callable[[DeliveryLog, Delivery], Coroutine[Any, Any, Any]]


def told(word: str, **more: Any) -> Event:  # noqa: ANN401 - as of an event
    return msgspec.structs.replace(an_event(word, **more), raw={"To": "+14155550100"})


LATE = told("sent", seconds=9)
NOTED = msgspec.structs.replace(told("delivered"), key=f"{SID}:answer", kind="answer")


def _again(delivery: Delivery) -> Delivery:
    """It comes once more: the same, at another time."""
    return msgspec.structs.replace(delivery, version=None, created_at=NOW + timedelta(seconds=3), attempt="token-2")


WRITERS: Final[dict[str, Write]] = {
    "an event that changes the state": lambda log, read: log.record(read, told("read", seconds=2)),
    "an event that changes nothing": lambda log, read: log.record(read, LATE),
    "an event of another kind": lambda log, read: log.note(read, NOTED),
    "what comes in, once more": lambda log, read: log.file(_again(read), told("delivered", seconds=3, sid=OTHER_SID)),
    "a change of this app's own": lambda log, read: log.change(
        read, msgspec.structs.replace(read, error_message="gone"), LATE
    ),
    "events of this app's own that change nothing": lambda log, read: log.change(read, read, LATE),
    "a SID": lambda log, read: log.own_sid(OTHER_SID, read.id),
    "a claim, once more": lambda log, read: log.claim(_again(read)),
}


async def a_world() -> tuple[World, Delivery]:
    """A text that was delivered, with an event or two."""
    world = World()
    claimed = await world.log().claim(a_delivery())
    assert claimed is not None
    return world, await world.log().record(claimed, told("delivered"))


def left(world: World) -> list[str]:
    """What is left of it that should not be."""
    rows = [*world.deliveries.values(), *world.lookups.values()]
    events = [row["RowKey"] for row in world.deliveries.values() if row["RowKey"] != "delivery"]
    entries = [row["PartitionKey"] for row in world.lookups.values() if row["PartitionKey"].startswith("to:")]
    return [*events, *entries, *(["a number"] if "5550100" in repr([dict(row) for row in rows]) else [])]


async def sweep(world: World) -> None:
    retention = Retention(log=world.log(), lookups=world.table, keep=90 * DAY, clock=lambda: LATER)
    await retention.purge(until=LATER + timedelta(minutes=1))


async def is_erased(world: World) -> bool:
    found = await world.log().get("order-1")
    assert found is not None
    return found.erased


async def play(world: World, delivery: Delivery, write: Write, steps: Steps) -> dict[str, Any]:
    return await steps.run(
        eraser=world.log("eraser", steps).erase(delivery, now=NOW), writer=write(world.log("writer", steps), delivery)
    )


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
async def test_whoever_writes_while_it_is_erased_leaves_nothing_behind(write: Write) -> None:
    async def scene(steps: Steps) -> None:
        world, delivery = await a_world()
        ends = await play(world, delivery, write, steps)
        if isinstance(ends["eraser"], Changed):
            assert not await is_erased(world)
            assert "delivered" in {event.status for event in await world.log().timeline("order-1")}
            return
        assert ends["eraser"].erased
        assert not isinstance(ends["writer"], BaseException) or isinstance(ends["writer"], Changed)
        assert left(world) == [], steps.taken

    orders = await every_order(scene)
    # whose a SID is has nothing to do with the rest: all orders are alike
    assert orders > (0 if write is WRITERS["a SID"] else 5)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("who", ["writer", "eraser"])
async def test_what_a_crash_leaves_of_it_is_swept_minutes_later(write: Write, who: str) -> None:
    async def scene(steps: Steps) -> None:
        world, delivery = await a_world()
        await play(world, delivery, write, steps)
        await sweep(world)
        if await is_erased(world):
            found = left(world)
            # an entry holds a hash of the number: the one of a claim that died goes with the day
            assert [one for one in found if who == "eraser" or not one.startswith("to:")] == [], steps.taken
        else:
            assert len(await world.log().timeline("order-1")) >= 1

    for calls in range(1, 8):
        await every_order(scene, dies=(who, calls))


@pytest.mark.parametrize("name", ["an event that changes the state", "an event that changes nothing"])
async def test_without_the_look_at_the_state_something_is_left(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is what keeps the promise, and the orders are those that would break it."""

    async def nothing(*_: object) -> bool:
        return False

    monkeypatch.setattr("shared.deliveries.remains.Remains.take_back", nothing)
    found: list[str] = []

    async def scene(steps: Steps) -> None:
        world, delivery = await a_world()
        ends = await play(world, delivery, WRITERS[name], steps)
        if not isinstance(ends["eraser"], Changed):
            found.extend(left(world))
            await sweep(world)
            assert left(world) == [], "and that the sweep makes up for"

    await every_order(scene)
    assert found != []


async def test_the_sweep_leaves_alone_what_was_not_erased_after_all() -> None:
    world, delivery = await a_world()
    await world.table.put(keys.erased_row(delivery, NOW))
    await sweep(world)
    assert await world.log().get("order-1") == delivery
    assert len(await world.log().timeline("order-1")) == 1
    assert not [key for key in world.lookups if key[0].startswith("erased:")]
