"""The agenda: what is due when, in rows of the `Schedules` table whose partition is the second.

| partition | row key | what it is for |
|---|---|---|
| `due:<second>:<spread>` | `delivery~<id>` | a delivery that waits until then |
| `due:<second>:<spread>` | `schedule~<id>~<revision>` | the next time of a schedule |

Whoever asks for what is due reads the partitions up to this second, however many rows stand behind it.
"""

import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.tables import Table

_SPREAD: Final = 8
"""partitions of one second: each takes 2,000 rows a second, https://learn.microsoft.com/azure/storage/tables/scalability-targets"""
_A_SECOND: Final = timedelta(seconds=1)
_DELIVERY: Final = "delivery"
_SCHEDULE: Final = "schedule"
_ROW_KEY: Final = re.compile(r"delivery~(?P<delivery>.+)|schedule~(?P<schedule>[^~]+)~(?P<revision>[^~]+)")


@dataclass(frozen=True, slots=True)
class DeliveryDue:
    """The time of a delivery."""

    delivery_id: str


@dataclass(frozen=True, slots=True)
class ScheduleDue:
    """The time of a schedule, as of one revision of its definition."""

    schedule_id: str
    revision: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the agenda."""

    what: DeliveryDue | ScheduleDue
    due: datetime
    partition: str
    row_key: str
    written_at: datetime


class Agenda:
    """Written before the state that relies on it; a row that leads nowhere is dropped by whoever meets it."""

    def __init__(self, schedules: Table) -> None:
        self._schedules = schedules

    async def put(self, what: DeliveryDue | ScheduleDue, due: datetime) -> None:
        """Have it come up when it is due; put twice for one second, it stands there once."""
        row_key = _row_key(what)
        await self._schedules.put({"PartitionKey": _partition(due, row_key), "RowKey": row_key, "Due": due})

    async def due(self, until: datetime, *, limit: int) -> AsyncIterator[Entry]:
        """Yield the entries that are due at `until` or before, the oldest first."""
        end = f"due:{_second(until + timedelta(microseconds=1))}"
        rows = self._schedules.query(
            "PartitionKey ge @first and PartitionKey lt @end", limit=limit, first="due:", end=end
        )
        async for row in rows:
            entry = _entry(row, until)
            if entry is not None:
                yield entry

    async def drop(self, entry: Entry) -> None:
        """Take a row out."""
        await self._schedules.delete(entry.partition, entry.row_key)


def _row_key(what: DeliveryDue | ScheduleDue) -> str:
    match what:
        case DeliveryDue(delivery_id):
            return f"{_DELIVERY}~{delivery_id}"
        case ScheduleDue(schedule_id, revision):
            return f"{_SCHEDULE}~{schedule_id}~{revision}"


def _second(moment: datetime) -> str:
    """Return the first whole second that is not before a moment: whoever reads up to it comes too early for none."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return f"{whole if whole == moment else whole + _A_SECOND:%Y%m%d%H%M%S}"


def _partition(due: datetime, row_key: str) -> str:
    return f"due:{_second(due)}:{zlib.crc32(row_key.encode()) % _SPREAD}"


def _entry(row: Any, now: datetime) -> Entry | None:  # noqa: ANN401 - the table's row
    found = _ROW_KEY.fullmatch(row["RowKey"])
    if found is None:
        return None
    what: DeliveryDue | ScheduleDue
    if found["delivery"] is not None:
        what = DeliveryDue(found["delivery"])
    else:
        what = ScheduleDue(found["schedule"], found["revision"])
    return Entry(
        what=what,
        due=row["Due"],
        partition=row["PartitionKey"],
        row_key=row["RowKey"],
        written_at=row.metadata["timestamp"] or now,
    )
