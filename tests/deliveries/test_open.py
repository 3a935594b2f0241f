"""The index of open deliveries: only what is due is read, the oldest first, over all of its partitions."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries import keys
from shared.deliveries.open import OpenDeliveries
from tests.deliveries.samples import a_delivery
from tests.deliveries.test_keys import ids, moments
from tests.storage import Storage

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""a whole second, as the index has them"""
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
around_now = st.timedeltas(-3 * HOUR, 3 * HOUR)


async def list_at(storage: Storage, delivery_id: str, look_at: datetime, action: keys.Action = "wake") -> None:
    row = keys.entry_row(action, keys.opening(a_delivery(id=delivery_id)), look_at)
    await storage.lookups.put(row)


async def due(storage: Storage, action: keys.Action = "wake", now: datetime = NOW) -> list[tuple[str, datetime]]:
    return [(entry.delivery_id, entry.look_at) async for entry in OpenDeliveries(storage.lookups).due(action, now)]


@given(moments, around_now, st.sampled_from(("wake", "ask")), ids)
def test_an_entry_is_in_the_range_that_is_read_from_its_time_on_or_less_than_a_second_later(
    now: datetime, offset: timedelta, action: keys.Action, delivery_id: str
) -> None:
    row_key = keys.opening(a_delivery(id=delivery_id))
    partition = keys.entry_row(action, row_key, now + offset)["PartitionKey"]
    first, end = keys.due_range(action, now)
    if first <= partition < end:
        assert offset <= timedelta(0)
    else:
        assert offset > -SECOND


@given(moments, ids)
def test_the_first_entry_follows_from_the_delivery_whatever_happened_to_it_since(opened: datetime, name: str) -> None:
    new = a_delivery(id=name, created_at=opened, updated_at=opened)
    later = a_delivery(id=name, created_at=opened, updated_at=opened + 9 * HOUR, status="sent", attempts=3)
    assert keys.open_row(new) == keys.open_row(later)
    assert keys.open_row(new)["LookAt"] == opened + keys.LOOKED_AT_AFTER


async def test_what_is_due_comes_in_the_order_of_its_time_whatever_its_partition(storage: Storage) -> None:
    places = random.Random(13)  # noqa: S311 - the same places each time
    wanted = {f"order-{n}": NOW - SECOND * places.randrange(1, 90_000) for n in range(60)}
    for name, look_at in wanted.items():
        await list_at(storage, name, look_at)
    found = await due(storage)
    assert dict(found) == wanted
    assert [look_at for _, look_at in found] == sorted(wanted.values())
    assert len({keys.entry_row("wake", f"~{name}", NOW)["PartitionKey"] for name in wanted}) == keys.SPREAD


async def test_what_is_due_later_or_for_something_else_is_not_read(storage: Storage) -> None:
    await list_at(storage, "due", NOW)
    await list_at(storage, "soon", NOW + SECOND)
    await list_at(storage, "asked", NOW - HOUR, "ask")
    assert await due(storage) == [("due", NOW)]
    assert await due(storage, "ask") == [("asked", NOW - HOUR)]


async def test_an_entry_that_is_moved_stands_at_its_new_time_alone(storage: Storage) -> None:
    entries, delivery = OpenDeliveries(storage.lookups), a_delivery(created_at=NOW)
    await storage.lookups.put(keys.open_row(delivery))
    [entry] = [found async for found in entries.due("wake", NOW + HOUR)]
    await entries.move(entry, "ask", delivery, until=NOW + 2 * HOUR)
    assert await due(storage, "wake", NOW + 9 * HOUR) == []
    assert await due(storage, "ask", NOW + 9 * HOUR) == [("order-1", NOW + 2 * HOUR)]


async def test_an_entry_that_is_moved_to_where_it_stands_stays(storage: Storage) -> None:
    entries, delivery = OpenDeliveries(storage.lookups), a_delivery(created_at=NOW)
    await storage.lookups.put(keys.open_row(delivery))
    [entry] = [found async for found in entries.due("wake", NOW + HOUR)]
    await entries.move(entry, "wake", delivery, until=entry.look_at)
    assert len(await due(storage, "wake", NOW + HOUR)) == 1
