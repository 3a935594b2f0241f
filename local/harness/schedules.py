"""Thousands of schedules due in the same minute, and the host killed half way: `python3 dev.py soak --schedules N`.

Every second one of them goes on, the others are over with this time. They are put on record before a host starts. When
half of what they ask for is in the queue, the host is killed with -9 and started again; Twilio's count of each schedule
is compared with one in the end. Nothing is called back, as only what is sent is counted.
"""

import asyncio
import re
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from azure.data.tables import TransactionOperation
from azure.data.tables.aio import TableClient

from local.faults import PASS, Action, Do, Seen, endpoint, through
from local.harness.backdrop import Backdrop, backdrop
from local.harness.points import Act
from local.harness.scene import Scene, scene
from local.harness.soak import LEASE_SECONDS, Outcome, Say
from shared.agenda import Agenda, Entry
from shared.scheduling.schedule import Schedule
from shared.scheduling.schedules import Schedules
from shared.table_service.service import TableService
from shared.tables import Entity, Row, Table

SETTINGS = {"SCHEDULE_CRON": "* * * * * *", "TWILIO_TIMEOUT_SECONDS": "10"}
A_MINUTE = timedelta(minutes=1)
A_GROUP = 100
"""rows of one transaction at most: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions"""
AT_ONCE = 8
NOW = re.compile(r"[?&]visibilitytimeout=0(?:&|$)")
BETWEEN_SIGNS = 5.0
"""seconds between two signs of life"""
STANDSTILL = 60.0
"""seconds without any progress, after which it gives up: with so many rows, the storage pauses for a while at times"""
PAST_GHOSTS = round(timedelta(minutes=11).total_seconds())
"""a row of the agenda that leads nowhere is dropped so much later"""


@dataclass(slots=True)
class HalfWay:
    """A hook that does something when so many messages are in the queue, and keeps when each of them came there."""

    messages: int
    act: Act | None = None
    enqueued: list[float] = field(default_factory=list)
    """when, by `time.monotonic`"""
    kills: int = 0

    async def before(self, request: Seen) -> Action:  # noqa: ARG002 - the proxy's interface
        """Pass it on."""
        return PASS

    async def after(self, request: Seen, status: int) -> Action:  # noqa: ARG002 - the proxy's interface
        """Count, and act half way: the message is in the queue then, and its row in the agenda."""
        # the sender's own messages, to come back to something, show themselves later
        if not (request.operation.startswith("queue put ") and NOW.search(request.target)):
            return PASS
        self.enqueued.append(time.monotonic())
        if self.kills or self.act is None or len(self.enqueued) < self.messages:
            return PASS
        self.kills += 1
        return Do(self.act)


class Paper(Table):
    """A table that keeps its rows to itself, to be written all at once."""

    def __init__(self) -> None:
        """Begin with none."""
        self.rows: dict[tuple[str, str], Row] = {}

    async def get(self, partition: str, row: str) -> Row | None:
        """Return a row."""
        return self.rows.get((partition, row))

    async def insert(self, entity: Entity) -> str | None:
        """Keep a row."""
        await self.put(entity)
        return ""

    async def put(self, entity: Entity) -> None:
        """Keep a row."""
        self.rows[entity["PartitionKey"], entity["RowKey"]] = Row(entity, etag="")

    async def write(self, table: TableClient) -> None:
        """Write them, in groups of a partition."""
        partitions: defaultdict[str, list[Row]] = defaultdict(list)
        for (partition, _), row in self.rows.items():
            partitions[partition].append(row)
        places = asyncio.Semaphore(AT_ONCE)

        async def write(group: list[Row]) -> None:
            async with places:
                await table.submit_transaction([(TransactionOperation.UPSERT, row) for row in group])

        groups = [rows[at : at + A_GROUP] for rows in partitions.values() for at in range(0, len(rows), A_GROUP)]
        await asyncio.gather(*map(write, groups))


@dataclass(slots=True, kw_only=True)
class Minute:
    """One of them."""

    scene: Scene
    half_way: HalfWay
    schedules: list[Schedule]
    due: datetime
    table: TableClient
    agenda: Agenda
    say: Say

    async def run(self) -> Outcome:
        """Do it all."""
        await self._put_on_record()
        self.half_way.act = self._kill
        await self.scene.start()
        await self._watch(self._is_all_sent)
        times = self.half_way.enqueued or [0.0]
        self.say(
            f"the timer took {times[-1] - times[0]:.1f} s to enqueue {len(self.half_way.enqueued)} messages, "
            f"the new start among them; kills: {self.half_way.kills}"
        )
        # what it left behind where it was killed it drops later
        await self.scene.stop()
        await self.scene.start(ahead_seconds=PAST_GHOSTS)
        await self._watch(self._is_nothing_due)
        return await self._outcome()

    async def _put_on_record(self) -> None:
        paper = Paper()
        before = self.due - timedelta(seconds=1)
        keeper = Schedules(schedules=paper, agenda=Agenda(paper), clock=lambda: before)
        for schedule in self.schedules:
            await keeper.create(schedule, now=before)
        await self.table.create_table()
        await paper.write(self.table)
        self.say(f"{len(self.schedules)} schedules on record, all due at {self.due:%H:%M}")

    async def _kill(self) -> None:
        await self.scene.stop()
        self.say(f"killed: {len(self.half_way.enqueued)} messages enqueued, {len(await self._due_rows())} rows left")
        await self.scene.start()

    async def _watch(self, is_over: Callable[[int], Awaitable[bool]]) -> None:
        """Tell how far it is until it is over, or nothing happens any more."""
        seen, changed, told = (-1, -1), time.monotonic(), 0.0
        while time.monotonic() - changed < STANDSTILL:
            sent, waiting = self.scene.twilio.accepted().total(), await self.scene.records.waiting(self.scene.queue)
            if await is_over(waiting):
                return
            if (sent, waiting) != seen:
                seen, changed = (sent, waiting), time.monotonic()
            if time.monotonic() - told > BETWEEN_SIGNS:
                told = time.monotonic()
                self.say(f"{sent} of {len(self.schedules)} sent, {waiting} messages in the queue")
            await asyncio.sleep(0.5)

    async def _is_all_sent(self, waiting: int) -> bool:
        return not waiting and self.scene.twilio.accepted().total() >= len(self.schedules)

    async def _is_nothing_due(self, waiting: int) -> bool:
        return not waiting and not await self._due_rows()

    async def _due_rows(self) -> list[Entry]:
        return [entry async for entry in self.agenda.due(self.due, limit=len(self.schedules))]

    async def _outcome(self) -> Outcome:
        sent: Counter[str] = Counter()
        for delivery_id, count in self.scene.twilio.accepted().items():
            sent[delivery_id.partition("~")[0]] += count
        counts = Counter(min(sent[schedule.id], 2) for schedule in self.schedules)
        notes = [f"{one}: sent {count} times" for one, count in sent.items() if count > 1]
        going_on = sum(1 for schedule in self.schedules if schedule.cron is not None)
        rows = [row["PartitionKey"] async for row in self.table.query_entities("PartitionKey ge ''")]
        found = len(await self._due_rows()), *Counter(row.partition(":")[0] for row in rows).values()
        if found != (0, going_on, going_on):
            notes.append(f"expected nothing due, {going_on} next times and {going_on} definitions, got {found}")
        return Outcome(once=counts[1], twice=counts[2], lost=counts[0], notes=tuple(notes))


async def minute(behind: Backdrop, *, schedules: int, say: Say) -> Outcome:
    """Run one, and return what came of it; the storage must be its own, as its agenda is watched."""
    half_way = HalfWay(messages=(schedules + 1) // 2)
    due = datetime.now(UTC).replace(second=0, microsecond=0) - A_MINUTE
    async with (
        scene(behind, hook=half_way, pace=0.0, lease=LEASE_SECONDS, settings=SETTINGS) as stage,
        TableClient.from_connection_string(behind.storage, "Schedules") as table,
        TableService.open(behind.storage) as service,
    ):
        # thousands of texts are many calls: only those to the queue are looked at
        queue = urlsplit(endpoint(stage.settings["AzureWebJobsStorage"], "queue")).port or 0
        stage.settings |= {
            "AzureWebJobsStorage": through(behind.storage, queue=queue),
            "TWILIO_API_BASE_URL": stage.twilio.url,
        }
        stage.twilio.faults.callbacks(lose=1.0)
        wanted = [_schedule(number, due) for number in range(schedules)]
        agenda = Agenda(Table(service.table("Schedules")))
        return await Minute(
            scene=stage, half_way=half_way, schedules=wanted, due=due, table=table, agenda=agenda, say=say
        ).run()


def _schedule(number: int, due: datetime) -> Schedule:
    request = {"channel": "sms", "to": f"+1212{2_000_000 + number}", "body": "Good morning."}
    if number % 2:
        return Schedule(id=f"daily-{number}", cron=f"{due.minute} {due.hour} * * *", time_zone="UTC", request=request)
    return Schedule(id=f"once-{number}", at=due, request=request)


def main(*, schedules: int) -> int:
    """Run one with storage of its own, tell how it goes, and return 0 only if each schedule was sent once."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)

    async def run(folder: Path) -> Outcome:
        async with backdrop(folder) as own:
            return await minute(own, schedules=schedules, say=say)

    folder = Path(tempfile.mkdtemp(prefix="switchboard-schedules-"))
    outcome = asyncio.run(run(folder))
    for note in outcome.notes:
        say(note)
    is_good = outcome.is_good and not outcome.notes
    if not is_good:
        say(f"the logs of the hosts are in {folder}")
    print(outcome)
    return 0 if is_good else 1
