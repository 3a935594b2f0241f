"""Schedules on record: rows of the `Schedules` table, each with the next of its times in the agenda.

| partition | row key | what it is |
|---|---|---|
| `schedule:<spread>` | the schedule's id | its definition, its revision, whether it is paused, who changed that |
| `canceled:<spread>` | the schedule's id | when somebody last canceled a schedule of this id, and who |
"""

import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.agenda import Agenda, ScheduleDue
from shared.errors import SwitchboardError
from shared.scheduling.schedule import Schedule, content_hash, first_due
from shared.tables import Table

_SPREAD: Final = 8
_DEFINED: Final = "schedule"
_CANCELED: Final = "canceled"


class ScheduleConflict(SwitchboardError):
    """Another schedule has this id, or it is over."""


@dataclass(frozen=True, slots=True)
class Told:
    """When somebody changed a schedule, and who it was, where they named themselves."""

    at: datetime
    by: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A schedule as it is on record. Another revision is another life: what was due by the one before is not."""

    schedule: Schedule
    revision: str
    paused: bool
    created_at: datetime
    version: str
    changed: Told | None = None
    """when it was paused or resumed last"""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the schedules, and where the list goes on."""

    schedules: tuple[Stored, ...]
    cursor: str | None


class Schedules:
    """Keeps them. What is due is written into the agenda before the definition that it relies on."""

    def __init__(self, *, schedules: Table, agenda: Agenda, clock: Callable[[], datetime]) -> None:
        self._schedules = schedules
        self._agenda = agenda
        self._clock = clock

    async def create(self, schedule: Schedule, *, now: datetime) -> tuple[Stored, bool]:
        """Put a schedule on record; return it, and whether it is new. Created twice, it is there once.

        Its first time is the first that had not gone by at `now`, when it was read: it comes even if it is past by now.

        Raises:
            ScheduleConflict: its id is another one's.
        """
        existing = await self.get(schedule.id)
        if existing is None:
            revision = uuid.uuid4().hex
            await self._enter(schedule, revision, now)
            version = await self._schedules.insert(_row(schedule, revision, self._clock()))
            existing = await self.get(schedule.id)
            if version is not None and existing is not None:
                return existing, True
        if existing is None or content_hash(existing.schedule) != content_hash(schedule):
            raise ScheduleConflict("expected the content that this id was first used with, other content came")
        if not existing.paused:
            await self._enter(existing.schedule, existing.revision, now)
        return existing, False

    async def get(self, schedule_id: str) -> Stored | None:
        """Return a schedule, or None where there is none."""
        row = await self._schedules.get(_partition(schedule_id), schedule_id)
        return None if row is None else _stored(row)

    async def page(self, *, limit: int, cursor: str | None) -> Page:
        """Return some of them, from where the page before ended."""
        partition, _, row_key = (cursor or "schedule:").partition("~")
        rows = self._schedules.query(
            # the SDK sets its parameters where words stand alone
            "( PartitionKey eq @here and RowKey gt @row ) or ( PartitionKey gt @here and PartitionKey lt @end )",
            limit=limit + 1,
            here=partition,
            row=row_key,
            end="schedule;",
        )
        found = [_stored(row) async for row in rows]
        more = len(found) > limit
        last = found[limit - 1].schedule.id if more else None
        return Page(tuple(found[:limit]), f"{_partition(last)}~{last}" if last is not None else None)

    async def pause(self, stored: Stored, *, by: str | None = None) -> Stored:
        """Let it rest: nothing of it is due until it is resumed.

        Raises:
            Changed: somebody else changed it since it was read.
        """
        return stored if stored.paused else await self._change(stored, uuid.uuid4().hex, paused=True, by=by)

    async def resume(self, stored: Stored, *, by: str | None = None) -> Stored:
        """Let it go on, with the first of its times from now on; those of its rest are not made up for.

        Raises:
            ScheduleConflict: there is none any more; it is forgotten then.
            Changed: somebody else changed it since it was read.
        """
        revision = uuid.uuid4().hex if stored.paused else stored.revision
        if not await self._enter(stored.schedule, revision, self._clock()):
            await self.delete(stored)
            raise ScheduleConflict("expected one that goes on, it is over")
        return await self._change(stored, revision, paused=False, by=by) if stored.paused else stored

    async def cancel(self, stored: Stored, *, by: str | None = None) -> None:
        """Forget a schedule because somebody asks for it; when and who stays on record.

        Raises:
            Changed: it is another one by now.
        """
        schedule_id = stored.schedule.id
        place = {"PartitionKey": _partition(schedule_id, kind=_CANCELED), "RowKey": schedule_id}
        await self._schedules.put({**place, "At": self._clock(), "By": by})
        await self.delete(stored)

    async def canceled(self, schedule_id: str) -> Told | None:
        """Return when somebody last canceled a schedule of this id; None where nobody did."""
        row = await self._schedules.get(_partition(schedule_id, kind=_CANCELED), schedule_id)
        return None if row is None else Told(row["At"], row.get("By"))

    async def delete(self, stored: Stored) -> None:
        """Forget a schedule; what of it is due leads nowhere.

        Raises:
            Changed: it is another one by now.
        """
        schedule_id = stored.schedule.id
        await self._schedules.delete(_partition(schedule_id), schedule_id, version=stored.version)

    async def _enter(self, schedule: Schedule, revision: str, now: datetime) -> bool:
        due = first_due(schedule, now=now)
        if due is not None:
            await self._agenda.put(ScheduleDue(schedule.id, revision), due)
        return due is not None

    async def _change(self, stored: Stored, revision: str, *, paused: bool, by: str | None) -> Stored:
        key = {"PartitionKey": _partition(stored.schedule.id), "RowKey": stored.schedule.id}
        told = Told(self._clock(), by)
        # a merge can't remove a property; an empty string is read back as none
        change = {"Revision": revision, "Paused": paused, "ChangedAt": told.at, "ChangedBy": by or ""}
        version = await self._schedules.merge({**key, **change}, version=stored.version)
        return Stored(stored.schedule, revision, paused, stored.created_at, version, told)


def _partition(schedule_id: str, *, kind: str = _DEFINED) -> str:
    return f"{kind}:{zlib.crc32(schedule_id.encode()) % _SPREAD}"


def _row(schedule: Schedule, revision: str, now: datetime) -> dict[str, Any]:
    return {
        "PartitionKey": _partition(schedule.id),
        "RowKey": schedule.id,
        "Definition": msgspec.json.encode(schedule).decode(),
        "Revision": revision,
        "Paused": False,
        "CreatedAt": now,
    }


def _stored(row: Any) -> Stored:  # noqa: ANN401 - the table's row
    return Stored(
        schedule=msgspec.json.decode(row["Definition"], type=Schedule),
        revision=row["Revision"],
        paused=row["Paused"],
        created_at=row["CreatedAt"],
        version=row.metadata["etag"],
        changed=Told(row["ChangedAt"], row["ChangedBy"] or None) if "ChangedAt" in row else None,
    )
