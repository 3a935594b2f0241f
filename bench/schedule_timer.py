"""What a run of the schedule timer costs with few and with many schedules, of which as few are due.

`python -m bench.schedule_timer` prints a table: seconds of CPU and of waiting, and the storage's transactions, of one
run with 10 schedules on record and of one with 10,000; and the second as a multiple of the first, with its spread.
"""

import asyncio
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from local import azurite
from shared.agenda import Agenda
from shared.queues import Queue
from shared.scheduling.due import Due
from shared.scheduling.schedule import Schedule
from shared.scheduling.schedules import Schedules
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
        TableClient.from_connection_string(storage, name) as table,
        QueueClient.from_connection_string(storage, name) as queue,
    ):
        yield Place(Counter(table), Queue(lambda: queue))


async def measure(storage: str) -> tuple[list[Cost], list[Cost]]:
    """Measure both, by turns, so that whatever else the machine does meets both."""
    async with place(storage) as few, place(storage) as many:
        await few.fill(10)
        await many.fill(MANY)
        costs: tuple[list[Cost], list[Cost]] = ([], [])
        for _ in range(ROUNDS):
            for where, costs_there in zip((few, many), costs, strict=True):
                costs_there.append(await where.run())
        return costs


def main() -> None:
    """Measure, and print."""
    child = azurite.start()
    try:
        blob, queue, table = child.wait_ready()
        few, many = asyncio.run(measure(azurite.connection_string(blob=blob, queue=queue, table=table)))
    finally:
        child.stop()
    print(f"{DUE} due of         10     {MANY:,}   ratio (its spread)")
    for name in ("seconds", "cpu", "transactions"):
        values = [[getattr(cost, name) for cost in costs] for costs in (few, many)]
        ratios = sorted(b / a for a, b in zip(*values, strict=True))
        middle = [statistics.median(costs) for costs in values]
        print(
            f"{name:12} {middle[0]:8.3f} {middle[1]:10.3f}   {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
