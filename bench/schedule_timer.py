"""What a run of the schedule timer costs with few and with many schedules, of which as few are due.

`python -m bench.schedule_timer` prints a table: seconds of CPU and of waiting, and the storage's transactions, of one
run with 10 schedules on record and of one with 10,000; and the second as a multiple of the first, with its spread.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from azure.storage.queue.aio import QueueClient

from bench.report import Report, Row, text
from bench.stored import azurite_running
from shared.agenda import Agenda
from shared.queues import Queue
from shared.scheduling.due import Due
from shared.scheduling.schedule import Schedule
from shared.scheduling.schedules import Schedules
from shared.table_service.service import TableService
from shared.tables import Table

NOW: Final = datetime(2030, 1, 1, 9, 0, tzinfo=UTC)
DUE: Final = 10
MANY: Final = 10_000
ROUNDS: Final = 7
REQUEST: Final = {"channel": "sms", "to": "+14155550100", "body": "Good morning."}


@dataclass
class Cost:
    """Of one run of the timer."""

    seconds: float
    cpu: float
    transactions: int


class Counter(Table):
    """A table that counts its calls: each is one transaction, but for long lists."""

    count = 0

    async def get(self, partition: str, row: str) -> Any:  # noqa: ANN401 - as it is there
        """Count and get."""
        self.count += 1
        return await super().get(partition, row)

    async def put(self, entity: Any) -> None:  # noqa: ANN401 - as it is there
        """Count and put."""
        self.count += 1
        await super().put(entity)

    async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
        """Count and delete."""
        self.count += 1
        await super().delete(partition, row, version=version)

    def query(self, text: str, **parameters: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - as it is there
        """Count and query."""
        self.count += 1
        return super().query(text, **parameters)


@dataclass
class Place:
    """A storage with so many schedules."""

    table: Counter
    queue: Queue

    async def fill(self, count: int) -> None:
        """Put schedules on record that are not due for long."""
        places = asyncio.Semaphore(64)

        async def one(number: int) -> None:
            async with places:
                await self._create(f"later-{number}", NOW + timedelta(days=1, minutes=number))

        await asyncio.gather(*(one(number) for number in range(count)))

    async def run(self) -> Cost:
        """Make some due, and run the timer once."""
        for number in range(DUE):
            await self._create(f"due-{number}-{uuid.uuid4().hex}", NOW - timedelta(seconds=number))
        self.table.count = 0
        begun, worked = time.perf_counter(), time.process_time()
        done = await self._due(clock=lambda: NOW).run(until=NOW + timedelta(minutes=4))
        cost = Cost(time.perf_counter() - begun, time.process_time() - worked, self.table.count)
        if done != DUE:
            raise SystemExit(f"expected {DUE} to be done, {done} were")
        return cost

    async def _create(self, name: str, due: datetime) -> None:
        schedule = Schedule(id=name, at=due, request=REQUEST)
        await Schedules(
            schedules=self.table, agenda=Agenda(self.table), clock=lambda: due - timedelta(seconds=1)
        ).create(schedule, now=due - timedelta(seconds=1))

    def _due(self, *, clock: Callable[[], datetime]) -> Due:
        agenda = Agenda(self.table)
        schedules = Schedules(schedules=self.table, agenda=agenda, clock=clock)
        return Due(agenda=agenda, schedules=schedules, queue=self.queue, clock=clock)


@asynccontextmanager
async def place(storage: str) -> AsyncIterator[Place]:
    """Open one."""
    name = "t" + uuid.uuid4().hex
    async with (
        TableService.open(storage) as tables,
        QueueClient.from_connection_string(storage, name) as queue,
    ):
        yield Place(Counter(tables.table(name)), Queue(lambda: queue))


async def _costs(storage: str, *, rounds: int, schedules: int) -> tuple[list[Cost], list[Cost]]:
    """Measure both, by turns, so that whatever else the machine does meets both."""
    async with place(storage) as few, place(storage) as many:
        await few.fill(10)
        await many.fill(schedules)
        costs: tuple[list[Cost], list[Cost]] = ([], [])
        for _ in range(rounds):
            for where, costs_there in zip((few, many), costs, strict=True):
                costs_there.append(await where.run())
        return costs


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure a run with few schedules on record, and one with many."""
    schedules = 100 if quick else MANY
    with azurite_running() as storage:
        few, many = asyncio.run(_costs(storage, rounds=1 if quick else ROUNDS, schedules=schedules))
    rows = [
        Row.of(name, [getattr(cost, of) for cost in many], unit, base=[getattr(cost, of) for cost in few])
        for name, unit, of in (("waiting", "s", "seconds"), ("CPU", "s", "cpu"), ("transactions", "", "transactions"))
    ]
    return (Report(title=f"The timer with {DUE} due of {schedules:,} schedules, beside {DUE} of 10", rows=tuple(rows)),)


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report))


if __name__ == "__main__":
    main()
