"""Wherever a process dies, an open delivery has an entry; and entries of earlier versions are looked after."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.deliveries import keys
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.housekeeping.stuck import Stuck
from shared.outbound.outcomes import own_event
from shared.tables import Entity, Table
from tests.deliveries.samples import a_delivery
from tests.fakes import Clock, DiedError, a_sid, an_answer
from tests.housekeeping.chores import stuck
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message
from tests.storage import Storage

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Mortal(Table):
    """A table whose process dies right before the write of this number; the two tables count together."""

    def __init__(self, table: Table, life: list[int]) -> None:
        super().__init__(table._client)
        self._life = life

    async def _write(self, operation: Callable[[Entity], Awaitable[str]], entity: Entity) -> str:
        self._live()
        return await super()._write(operation, entity)

    async def _update(self, operation: Callable[..., Awaitable[str]], entity: Entity, version: str) -> str:
        self._live()
        return await super()._update(operation, entity, version)

    async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
        self._live()
        await super().delete(partition, row, version=version)

    def _live(self) -> None:
        self._life[0] -= 1
        if self._life[0] < 0:
            raise DiedError


def mortal(bench: Bench, writes: int) -> tuple[DeliveryLog, Table]:
    """A log and an index of a process that lives for so many writes."""
    life = [writes]
    deliveries, lookups = (Mortal(table, life) for table in (bench.storage.deliveries, bench.storage.lookups))
    return DeliveryLog(deliveries, lookups), lookups


async def run(chore: Stuck, clock: Clock) -> None:
    await chore.wake(until=clock.now + MINUTE)
    await chore.ask(until=clock.now + MINUTE)


async def dies(doing: Awaitable[object]) -> bool:
    """Whether the process died on the way; any other error goes on."""
    died = False
    try:
        await doing
    except* DiedError:
        died = True
    return died


async def entries_of(storage: Storage, delivery: Delivery) -> list[dict[str, Any]]:
    """The entries of a delivery's present opening."""
    found: list[dict[str, Any]] = []
    for kind in ("ask", "open", "wake"):
        found += await storage.rows(storage.lookups, since=f"{kind}:", before=f"{kind};")
    row_keys = {keys.opening(delivery), keys.former_open_key(delivery)}
    return [row for row in found if row["RowKey"] in row_keys]


async def lost(bench: Bench) -> None:
    """Leave a delivery whose message is gone, to be looked at now."""
    await bench.die_sending(a_message())
    bench.clock.advance(16 * MINUTE)


async def silent(bench: Bench) -> None:
    """Leave one that Twilio has, to be listed for a question."""
    bench.provider.has = [an_answer(a_sid(), "sent")]
    bench.provider.outcomes = [an_answer(bench.provider.has[0].sid)]
    await bench.take(a_message())
    bench.clock.advance(16 * MINUTE)


async def asked(bench: Bench) -> None:
    """Leave one to be asked about now."""
    await silent(bench)
    await run(stuck(bench), bench.clock)
    bench.clock.advance(15 * MINUTE)


async def former(bench: Bench) -> None:
    """Leave one that an earlier version listed."""
    await lost(bench)
    delivery = await bench.delivery()
    [row] = await entries_of(bench.storage, delivery)
    await bench.storage.lookups.put(former_row(delivery, look_at=bench.clock.now))
    await bench.storage.lookups.delete(row["PartitionKey"], row["RowKey"])


def former_row(delivery: Delivery, *, look_at: datetime) -> dict[str, Any]:
    place = {"PartitionKey": "open:3", "RowKey": keys.former_open_key(delivery)}
    return {**place, "Delivery": delivery.id, "LookAt": look_at}


@pytest.mark.parametrize("leave", [lost, silent, asked, former], ids=lambda leave: leave.__name__)
async def test_wherever_a_run_dies_the_delivery_has_an_entry_and_the_next_runs_leave_one(
    bench: Bench, leave: Callable[[Bench], Awaitable[None]]
) -> None:
    await leave(bench)
    writes = 0
    while await dies(run(stuck(bench, *mortal(bench, writes)), bench.clock)):
        assert await entries_of(bench.storage, await bench.delivery())
        writes += 1
        assert writes < 20
    assert writes >= 2, "an entry is put, and one is deleted"
    for _ in range(12):
        bench.clock.advance(HOUR)
        await run(stuck(bench), bench.clock)
    assert len(await entries_of(bench.storage, await bench.delivery())) == 1


async def test_wherever_a_claim_dies_an_open_delivery_has_an_entry(bench: Bench) -> None:
    writes, there = 0, None
    while await dies(mortal(bench, writes)[0].claim(a_delivery(id=f"order-{writes}"))):
        there = await bench.storage.log.get(f"order-{writes}")
        assert there is None or await entries_of(bench.storage, there)
        writes += 1
    assert writes == 4


async def test_wherever_a_replay_dies_an_open_delivery_has_an_entry(bench: Bench) -> None:
    writes, died = 0, True
    while died:
        name = f"order-{writes}"
        failed = await bench.storage.log.claim(a_delivery(id=name, status="failed"))
        assert failed is not None
        later = failed.updated_at + DAY
        waiting = msgspec.structs.replace(failed, status="retrying", updated_at=later)
        log, _ = mortal(bench, writes)
        died = await dies(log.reopen(failed, waiting, own_event(waiting, {}, key="replayed")))
        there = await bench.delivery(name)
        assert there.is_final or await entries_of(bench.storage, there)
        writes += 1
    assert writes > 3, "the entry, the event and the state"


async def test_an_entry_of_a_claim_that_failed_and_died_goes_and_that_of_the_delivery_stays(bench: Bench) -> None:
    bench.clock.now = datetime.now(UTC)
    await lost(bench)
    delivery = await bench.delivery()
    duplicate = a_delivery(created_at=bench.clock.now - 15 * MINUTE, attempt="token-2")
    log, _ = mortal(bench, 4)
    assert await dies(log.claim(duplicate))
    await run(stuck(bench), bench.clock)
    assert len(await entries_of(bench.storage, duplicate)) == 1, "its claim may be about to come"
    bench.clock.advance(HOUR)
    await run(stuck(bench), bench.clock)
    assert await entries_of(bench.storage, duplicate) == []
    assert len(await entries_of(bench.storage, delivery)) == 1


async def test_what_an_earlier_version_listed_is_looked_at_when_that_version_said(bench: Bench) -> None:
    await lost(bench)
    delivery = await bench.delivery()
    [row] = await entries_of(bench.storage, delivery)
    await bench.storage.lookups.delete(row["PartitionKey"], row["RowKey"])
    await bench.storage.lookups.put(former_row(delivery, look_at=bench.clock.now + HOUR))
    bench.queue.puts.clear()
    await run(stuck(bench), bench.clock)
    assert bench.queue.puts == []
    [moved] = await entries_of(bench.storage, delivery)
    assert (moved["PartitionKey"][:5], moved["LookAt"]) == ("wake:", bench.clock.now + HOUR)
    bench.clock.advance(HOUR + timedelta(seconds=1))
    await run(stuck(bench), bench.clock)
    assert bench.queue.puts == [(a_message(), timedelta(0))]


async def test_an_entry_of_an_earlier_version_is_closed_where_its_delivery_ended_or_was_opened_again_since(
    bench: Bench,
) -> None:
    ended, again = a_delivery(id="ended", status="delivered"), a_delivery(id="again", status="sent", sid=a_sid())
    bench.clock.now = datetime.now(UTC) + 2 * HOUR
    for delivery in (ended, again):
        await bench.storage.log.claim(delivery)
        await bench.storage.lookups.put(former_row(delivery, look_at=bench.clock.now))
    reopened = msgspec.structs.replace(await bench.delivery("again"), reopened_at=bench.clock.now)
    await bench.storage.log.change(await bench.delivery("again"), reopened)
    await run(stuck(bench), bench.clock)
    assert await bench.storage.rows(bench.storage.lookups, since="open:", before="open;") == []


async def test_one_of_an_earlier_version_that_can_not_be_moved_is_told_of_and_stays(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await former(bench)
    await bench.storage.lookups.put({"PartitionKey": "open:0", "RowKey": "a bad one", "LookAt": bench.clock.now})

    class Bad(DeliveryLog):
        async def get(self, delivery_id: str) -> Delivery | None:
            if delivery_id == "a bad one":
                raise ValueError(delivery_id)
            return await super().get(delivery_id)

    with caplog.at_level(logging.ERROR, "shared"):
        await run(stuck(bench, Bad(bench.storage.deliveries, bench.storage.lookups)), bench.clock)
    [told] = caplog.records
    assert (told.levelno, told.__dict__["delivery"]) == (logging.ERROR, "a bad one")
    [left] = await bench.storage.rows(bench.storage.lookups, since="open:", before="open;")
    assert left["RowKey"] == "a bad one"
