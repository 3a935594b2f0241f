"""What is due leaves once: deliveries woken, schedules fired, whatever dies on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.agenda import Agenda, DeliveryDue, ScheduleDue
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.scheduling.due import Due
from shared.scheduling.schedule import Schedule, read_schedule
from shared.scheduling.schedules import Schedules
from shared.tables import Table
from tests.fakes import Clock, make_settings
from tests.outbound.bench import RememberingQueue
from tests.outbound.samples import a_message
from tests.storage import open_queue, open_table

NINE = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
REQUEST = {"channel": "sms", "to": "+14155550100", "body": "Good morning."}
AN_HOUR = timedelta(hours=1)
EARLY = [timedelta(microseconds=1), timedelta(milliseconds=5), timedelta(microseconds=999_999)]


@dataclass
class Timer:
    """A schedule timer with real storage, and a clock in hand."""

    table: Table
    agenda: Agenda
    queue: RememberingQueue
    schedules: Schedules
    clock: Clock = field(default_factory=Clock)

    async def run(self) -> int:
        due = Due(agenda=self.agenda, schedules=self.schedules, queue=self.queue, clock=self.clock)
        return await due.run(until=self.clock.now + timedelta(minutes=4))

    async def run_at(self, moment: datetime) -> list[str]:
        """Run it at a time, and return the ids that it enqueued."""
        self.clock.now = moment
        self.queue.puts.clear()
        await self.run()
        return self.enqueued()

    def enqueued(self) -> list[str]:
        read = [internal.read(message) for message, _ in self.queue.puts]
        return [message.id for message in read if message is not None]

    def delays(self) -> list[timedelta]:
        return [delay for _, delay in self.queue.puts]

    async def create(self, **fields: Any) -> Schedule:  # noqa: ANN401 - any field of a schedule
        schedule = a_schedule(self.clock.now, **fields)
        await self.schedules.create(schedule, now=self.clock.now)
        return schedule

    async def delete(self) -> None:
        stored = await self.schedules.get("news")
        assert stored is not None
        await self.schedules.delete(stored)

    async def rows(self) -> list[str]:
        return [row["RowKey"] async for row in self.table.query("PartitionKey ge @first", first="")]


def a_schedule(now: datetime, **fields: Any) -> Schedule:  # noqa: ANN401 - any field of a schedule
    content = a_message({"id": "news", "request": REQUEST}, **fields)
    return read_schedule(content, rules=Rules(make_settings()), now=now, minted="minted")


@asynccontextmanager
async def open_timer(azurite: str) -> AsyncIterator[Timer]:
    async with open_table(azurite) as table, open_queue(azurite) as (_, client):
        clock = Clock()
        agenda = Agenda(table)
        schedules = Schedules(schedules=table, agenda=agenda, clock=clock)
        yield Timer(table, agenda, RememberingQueue(client), schedules, clock)


@pytest.fixture
async def timer(azurite: str) -> AsyncIterator[Timer]:
    async with open_timer(azurite) as made:
        yield made


async def test_a_delivery_is_woken_when_it_is_due_and_not_before(timer: Timer) -> None:
    await timer.agenda.put(DeliveryDue("order-1"), NINE)
    assert await timer.run_at(NINE - timedelta(seconds=1)) == []
    assert await timer.run_at(NINE) == ["order-1"]
    assert await timer.run_at(NINE + AN_HOUR) == []
    assert await timer.rows() == []


async def test_a_part_of_a_second_is_never_too_early(timer: Timer) -> None:
    await timer.agenda.put(DeliveryDue("order-1"), NINE + timedelta(microseconds=1))
    assert await timer.run_at(NINE) == []
    assert await timer.run_at(NINE + timedelta(microseconds=1)) == ["order-1"]
    assert timer.delays() == [timedelta(0)]


@pytest.mark.parametrize("early", EARLY)
async def test_a_timer_that_fires_early_enqueues_a_delivery_that_is_hidden_until_it_is_due(
    timer: Timer, early: timedelta
) -> None:
    await timer.agenda.put(DeliveryDue("order-1"), NINE)
    assert await timer.run_at(NINE - early) == ["order-1"]
    assert timer.delays() == [early]
    assert await timer.rows() == []


@pytest.mark.parametrize("early", EARLY)
async def test_a_timer_that_fires_early_each_day_misses_none_of_a_schedules_times(
    timer: Timer, early: timedelta
) -> None:
    await timer.create(cron="0 9 * * *", missed="skip")
    for day in range(3):
        due = NINE + timedelta(days=day)
        assert await timer.run_at(due - early) == [f"news~{due:%Y%m%dT%H%MZ}"]
        assert timer.delays() == [early]
        assert await timer.run_at(due + timedelta(seconds=30)) == []


async def test_a_timer_looks_ahead_for_less_than_a_second(timer: Timer) -> None:
    await timer.agenda.put(DeliveryDue("order-1"), NINE)
    await timer.create(at=NINE.isoformat())
    assert await timer.run_at(NINE - timedelta(seconds=1)) == []
    assert len(await timer.run_at(NINE - timedelta(microseconds=999_999))) == 2


async def test_a_schedule_of_one_time_fires_once_and_is_gone(timer: Timer) -> None:
    await timer.create(at=NINE.isoformat())
    assert await timer.run_at(NINE) == ["news~20260303T0900Z"]
    assert await timer.run_at(NINE + AN_HOUR) == []
    assert await timer.rows() == []


async def test_a_recurring_schedule_fires_at_each_of_its_times(timer: Timer) -> None:
    await timer.create(cron="0 9 * * *")
    assert await timer.run_at(NINE) == ["news~20260303T0900Z"]
    assert await timer.run_at(NINE + timedelta(hours=23)) == []
    assert await timer.run_at(NINE + timedelta(hours=24)) == ["news~20260304T0900Z"]


async def test_what_is_enqueued_is_the_request_of_the_schedule(timer: Timer) -> None:
    await timer.create(at=NINE.isoformat())
    await timer.run_at(NINE)
    [(message, _)] = timer.queue.puts
    expected = internal.Derived(id="news~20260303T0900Z", origin="news", request=REQUEST, due=NINE, valid_seconds=3600)
    assert internal.read(message) == expected


async def test_after_an_outage_each_schedules_own_rule_holds(timer: Timer) -> None:
    await timer.create(id="late", at=NINE.isoformat(), missed={"send_within_seconds": 7200})
    await timer.create(id="skip", at=NINE.isoformat(), missed="skip")
    await timer.create(id="often", cron="*/10 * * * *", missed={"send_within_seconds": 1800})
    fired = await timer.run_at(NINE + AN_HOUR)
    assert sorted(fired) == [
        "late~20260303T0900Z",
        *(f"often~20260303T{at}Z" for at in ("0930", "0940", "0950", "1000")),
    ]
    assert [stored.schedule.id for stored in (await timer.schedules.page(limit=10, cursor=None)).schedules] == ["often"]


async def test_paused_it_rests_and_resumed_it_does_not_make_up_for_that(timer: Timer) -> None:
    await timer.create(cron="0 9 * * *", missed={"send_within_seconds": 86_400})
    stored = await timer.schedules.get("news")
    assert stored is not None
    paused = await timer.schedules.pause(stored)
    assert await timer.run_at(NINE + AN_HOUR) == []
    await timer.schedules.resume(paused)
    assert await timer.run_at(NINE + 2 * AN_HOUR) == []
    assert await timer.run_at(NINE + timedelta(days=1)) == ["news~20260304T0900Z"]


async def test_canceled_it_leaves_no_ghost(timer: Timer) -> None:
    await timer.create(cron="0 9 * * *")
    await timer.delete()
    assert await timer.run_at(NINE) == []
    assert await timer.run_at(datetime.now(UTC) + AN_HOUR) == []
    assert await timer.rows() == []


async def test_another_one_under_the_same_id_does_not_inherit_the_times_of_the_first(timer: Timer) -> None:
    await timer.create(cron="0 9 * * *")
    await timer.delete()
    await timer.create(cron="30 9 * * *")
    assert await timer.run_at(NINE) == []
    assert await timer.run_at(NINE + timedelta(minutes=30)) == ["news~20260303T0930Z"]


async def test_a_time_that_is_ahead_of_its_definition_waits_for_it(timer: Timer) -> None:
    await timer.agenda.put(ScheduleDue("news", "a revision"), NINE)
    timer.clock.now = datetime.now(UTC)
    assert await timer.run() == 0
    assert await timer.rows() == ["schedule~news~a revision"]


async def test_what_fails_is_done_the_next_time_and_is_in_nobodys_way(timer: Timer) -> None:
    for name in ("one", "two", "three"):
        await timer.agenda.put(DeliveryDue(name), NINE)
    real = timer.queue.put
    failed: list[bytes] = []

    async def put(message: bytes, *, delay: timedelta = timedelta(0)) -> str:
        if b"two" in message and not failed:
            failed.append(message)
            raise ServiceRequestError("away")
        return await real(message, delay=delay)

    timer.queue.put = put  # type: ignore[method-assign]
    assert sorted(await timer.run_at(NINE)) == ["one", "three", "two"]
    assert failed


async def test_two_runs_at_once_wake_everybody(timer: Timer) -> None:
    names = {f"order-{number}" for number in range(100)}
    await asyncio.gather(*(timer.agenda.put(DeliveryDue(name), NINE) for name in names))
    timer.clock.now = NINE
    await asyncio.gather(timer.run(), timer.run())
    assert set(timer.enqueued()) == names
    assert await timer.rows() == []


async def test_a_run_that_has_no_time_left_leaves_the_rest_to_the_next(timer: Timer) -> None:
    for number in range(3):
        await timer.agenda.put(DeliveryDue(f"order-{number}"), NINE)
    timer.clock.now = NINE
    due = Due(agenda=timer.agenda, schedules=timer.schedules, queue=timer.queue, clock=timer.clock)
    assert await due.run(until=NINE) == 0
    assert await timer.run() == 3
