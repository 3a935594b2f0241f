"""What scenarios of schedules share: a scene whose agenda is its own, and what must be sent and left in the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables.aio import TableClient

from local.harness.backdrop import Backdrop
from local.harness.requests import a_number
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from shared.agenda import Agenda
from shared.outbound import internal
from shared.scheduling.schedule import Schedule
from shared.scheduling.schedules import Schedules
from shared.table_service.service import TableService
from shared.tables import Table
from tests.faults.aimed import Aimed, all_quiet

EVERY_SECOND = {"SCHEDULE_CRON": "* * * * * *"}
AN_HOUR = timedelta(hours=1)
JUST_AFTER = round(timedelta(minutes=80).total_seconds())
"""seconds: what is due in an hour is late then, and not too late"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A scene in a storage of its own, whose agenda can be seen."""

    scene: Scene
    aimed: Aimed
    table: TableClient
    schedules: Table

    async def start_timer(self, *, ahead_seconds: int = 0) -> None:
        """Start a host whose timer runs, with its clock so much ahead, in the place of the one that runs."""
        await self.scene.stop()
        await self.scene.start(ahead_seconds=ahead_seconds, settings=EVERY_SECOND)

    async def put(self, schedule: Schedule, *, at: datetime) -> None:
        """Put a schedule on record, as it would have been at a time that has gone by."""
        schedules = Schedules(schedules=self.schedules, agenda=Agenda(self.schedules), clock=lambda: at)
        await schedules.create(schedule, now=at)

    async def rows(self, name: str) -> list[str]:
        """What there is of a schedule or a delivery: `schedule`, `canceled`, or of the agenda `due` or `next`."""
        found = self.table.query_entities("PartitionKey ge ''")
        now = datetime.now(UTC)
        rows = [row async for row in found if name in row["RowKey"].split("~")]
        kinds = [row["PartitionKey"].partition(":")[0] for row in rows]
        return sorted(
            kind if kind != "due" or row["Due"] <= now else "next" for kind, row in zip(kinds, rows, strict=True)
        )

    def sent(self, name: str) -> dict[str, int]:
        """How often each request of a schedule, or of this id, was accepted."""
        return {one: count for one, count in self.scene.twilio.accepted().items() if one.partition("~")[0] == name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Something that comes when it is due: the ids that are sent, and what is left in the end."""

    name: str
    ids: tuple[str, ...]
    left: tuple[str, ...] = ()

    async def complaints(self, stage: Stage) -> list[str]:
        """Return what is wrong in the end."""
        sent, rows = stage.sent(self.name), await stage.rows(self.name)
        statuses = {await stage.scene.records.status(one) for one in self.ids}
        wrong = [] if sent == dict.fromkeys(self.ids, 1) else [f"sent {sent}, expected once: {self.ids}"]
        wrong += [f"it is {status}" for status in statuses - {"delivered"}]
        return wrong if tuple(rows) == self.left else [*wrong, f"there is {rows}, expected {self.left}"]


@asynccontextmanager
async def open_stage(backdrop: Backdrop) -> AsyncIterator[Stage]:
    """Set one up, without a host yet."""
    aimed = Aimed()
    async with (
        backdrop.with_other_storage() as own,
        scene(own, hook=aimed) as made,
        TableClient.from_connection_string(own.storage, "Schedules") as table,
        TableService.open(own.storage) as service,
    ):
        await table.create_table()
        yield Stage(scene=made, aimed=aimed, table=table, schedules=Table(service.table("Schedules")))


async def in_the_end(stage: Stage, kept: Sequence[Kept], killed: Sequence[str]) -> list[str]:
    """Wait until all of it is sent and what leads nowhere is gone, and return what is wrong."""
    with suppress(TimeoutError):  # what is not as it must be then is told
        await all_quiet(stage.scene, [one for each in kept for one in each.ids], sent=1)
        for each in kept:
            await until(lambda this=each: is_left(stage, this))  # type: ignore[misc]  # it does return that
            for one in each.ids:
                await until(lambda this=one: stage.scene.is_final(this))  # type: ignore[misc]  # likewise
    wrong = [
        f"{what}: {text}" for each, what in zip(kept, killed, strict=True) for text in await each.complaints(stage)
    ]
    given_up = await stage.scene.records.waiting(f"{stage.scene.queue}-poison")
    return [*wrong, "the host gave a message up"] if given_up else wrong


async def is_left(stage: Stage, kept: Kept) -> bool:
    """Whether nothing is left but what must be."""
    return tuple(await stage.rows(kept.name)) == kept.left


def a_schedule(name: str, **timing: Any) -> Schedule:  # noqa: ANN401 - any of a timing's fields
    """A schedule of a text to a number that nobody else is sent to."""
    request = {"channel": "sms", "to": a_number(), "body": "Only once"}
    return Schedule(id=name, request=request, time_zone="UTC", **timing)


def kept_of(name: str, *due: datetime, left: tuple[str, ...] = ()) -> Kept:
    """What must come of a schedule at these times."""
    return Kept(name=name, ids=tuple(internal.occurrence_id(name, one) for one in due), left=left)
