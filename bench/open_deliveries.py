"""How housekeeping gets through open deliveries without receipts: `python -m bench.open_deliveries`.

The storage holds as many open deliveries as ten texts a second without receipts leave in a few hours, all to be asked
about, and 3,000 new ones, as such a rate leaves in five minutes. Behind these is one whose message is lost.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from bench import forms
from bench.report import Report, Row, text
from bench.stubbed import Stubbed, stubbed
from bench.transactions import is_storage
from bench.ways.way import Place
from shared.deliveries.log import DeliveryLog
from shared.deliveries.open import OpenDeliveries
from shared.deliveries.record import Delivery, Event
from shared.housekeeping.stuck import Stuck
from shared.queues import Queue
from shared.settings import Settings
from shared.table_service.service import TableService
from shared.tables import Table
from shared.twilio_api import TwilioApi

SIZES: Final = (1_000, 100_000)
RATE: Final = 10
"""texts a second without receipts"""
QUESTIONS: Final = 6
"""about each of them: after 30 minutes, 4 hours, then daily for four days"""
BETWEEN_RUNS: Final = 300
NEW: Final = RATE * BETWEEN_RUNS
RUN: Final = 270
"""seconds of a run, of which the purge may take a minute"""
PURGE: Final = 60
LATENCY: Final = 0.1
AT_TWILIO: Final = 16
FLAT: Final = 1.1
AGE: Final = timedelta(hours=2)


class KeptQueue(Queue):
    """A queue that keeps what is put, and when."""

    def __init__(self) -> None:
        self.puts: list[float] = []

    async def put(self, message: bytes, *, delay: timedelta = timedelta(0)) -> str:  # noqa: ARG002 - as the real one
        """Keep it."""
        self.puts.append(time.perf_counter())
        return "message"


@dataclass
class Cost:
    """Of one half of a run."""

    seconds: float
    done: int
    transactions: int
    rows: int


@dataclass
class Scene:
    """A storage with open deliveries, and the chores that go through them."""

    stub: Stubbed
    log: DeliveryLog
    entries: OpenDeliveries
    provider: TwilioApi
    queue: KeptQueue = field(default_factory=KeptQueue)
    behind: timedelta = timedelta(0)
    """how far the chores' clock is behind"""

    async def fill(self, name: str, count: int, *, asked: bool) -> None:
        """Put so many texts on record that were sent two hours ago."""
        now = datetime.now(UTC) - AGE
        delivery = Delivery(
            id=name,
            channel="sms",
            direction="outbound",
            status="sent",
            created_at=now,
            updated_at=now,
            to="+14155550100",
            sid=f"SM{name[2:]}",
            request=b'{"id":"a text"}',
        )
        await self.log.file(delivery, Event(key="sent", status="sent", at=now, sid=delivery.sid))
        if asked:
            async for entry in self.entries.due("wake", now + AGE):
                if entry.delivery_id == name:
                    await self.entries.move(entry, "ask", delivery, until=now + timedelta(minutes=30))
        self.stub.multiply(name, f"SM{name[2:]}", count=count)

    async def lose(self, name: str) -> None:
        """Put one on record whose process died, after all others."""
        now = datetime.now(UTC) - AGE + timedelta(minutes=30)
        lost = Delivery(
            id=name,
            channel="sms",
            direction="outbound",
            status="submitting",
            created_at=now,
            updated_at=now,
            deadline=now + timedelta(seconds=20),
            to="+14155550100",
            request=b'{"id":"a lost one"}',
        )
        await self.log.claim(lost)

    async def wake(self, seconds: float) -> Cost:
        """Look at what is new or still to be sent, for so long at most."""
        stuck = self._stuck()
        return await self._cost(stuck.wake(until=self._clock() + timedelta(seconds=seconds)))

    async def ask(self, seconds: float) -> Cost:
        """Ask about what Twilio has, for so long at most."""
        stuck = self._stuck()
        return await self._cost(stuck.ask(until=self._clock() + timedelta(seconds=seconds)))

    def _stuck(self) -> Stuck:
        return Stuck(
            log=self.log,
            entries=self.entries,
            queue=self.queue,
            provider=lambda: self.provider,
            settle=timedelta(minutes=1),
            account="",
            clock=self._clock,
        )

    def _clock(self) -> datetime:
        return datetime.now(UTC) - self.behind

    async def _cost(self, work: Awaitable[int]) -> Cost:
        transactions, rows = self._asked()
        begun = time.perf_counter()
        done = await work
        seconds = time.perf_counter() - begun
        after, rows_after = self._asked()
        return Cost(seconds, done, after - transactions, rows_after - rows)

    def _asked(self) -> tuple[int, int]:
        counts = self.stub.counts()
        return sum(count for name, count in counts.items() if is_storage(name)), self.stub.rows_read()


@asynccontextmanager
async def scene(size: int, new: int) -> AsyncIterator[Scene]:
    """Fill a storage until the block is left."""
    with stubbed() as stub:
        place = Place.of(stub.argument)
        settings = Settings.from_env({**forms.settings(place.storage), "TWILIO_API_BASE_URL": place.twilio})
        provider = TwilioApi(settings)
        async with TableService.open(place.storage) as service:
            deliveries, lookups = (Table(service.table(name)) for name in ("Deliveries", "Lookups"))
            made = Scene(stub, DeliveryLog(deliveries, lookups), OpenDeliveries(lookups), provider)
            await made.fill("n0" + "e" * 32, new, asked=False)
            await made.fill("a0" + "f" * 32, size, asked=True)
            await made.lose("lost")
            try:
                yield made
            finally:
                await provider.close()


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure with few open deliveries, and with many."""
    return asyncio.run(_measure(quick=quick))


async def _measure(*, quick: bool) -> tuple[Report, ...]:
    sizes, new, seconds = ((100, 1_000), 100, 2.0) if quick else (SIZES, NEW, 60.0)
    idle: list[int] = []
    rows: list[Row] = []
    for size in sizes:
        async with scene(size, new) as made:
            made.behind = AGE * 2
            nothing = await made.wake(seconds), await made.ask(seconds)
            idle.append(sum(cost.transactions + cost.rows for cost in nothing))
            made.behind = timedelta(0)
            begun = time.perf_counter()
            woken = await made.wake(seconds)
            rows += _woken(size, woken, [put - begun for put in made.queue.puts])
            made.stub.set_latency(LATENCY)
            rows += _asked(size, await made.ask(seconds), woken)
    ratio = idle[-1] / idle[0]
    name = f"{sizes[-1]:,} open, none due: transactions and rows"
    flat = Row(name=name, value=idle[-1], unit="", ratio=ratio, goal=f"≤ {FLAT:g}", met=ratio <= FLAT)
    title = (
        f"Housekeeping with open deliveries to ask about, {new:,} new ones and a lost one; Twilio takes {LATENCY:g} s"
    )
    return (Report(title=title, rows=(flat, *rows)),)


def _woken(size: int, cost: Cost, found: list[float]) -> list[Row]:
    found_after = Row(name=f"{size:,} open: the lost message is found after", value=max(found, default=1e9), unit="s")
    return [
        found_after.at_most(60),
        Row(name=f"{size:,} open: new ones listed", value=cost.done / cost.seconds, unit="a second"),
        Row(name=f"{size:,} open: transactions for a new one", value=cost.transactions / cost.done, unit=""),
        Row(name=f"{size:,} open: rows read by queries for a new one", value=cost.rows / cost.done, unit=""),
    ]


def _asked(size: int, cost: Cost, woken: Cost) -> list[Row]:
    needed = RATE * QUESTIONS * BETWEEN_RUNS / (RUN - PURGE - woken.seconds)
    rate = Row(name=f"{size:,} open: questions, {needed:.0f} needed", value=cost.done / cost.seconds, unit="a second")
    return [
        rate.at_least(needed),
        Row(
            name=f"{size:,} open: of {AT_TWILIO} at once ÷ {LATENCY:g} s",
            value=cost.done / cost.seconds / (AT_TWILIO / LATENCY),
            unit="",
        ),
        Row(name=f"{size:,} open: transactions for a question", value=cost.transactions / cost.done, unit=""),
        Row(name=f"{size:,} open: rows read by queries for a question", value=cost.rows / cost.done, unit=""),
    ]


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
