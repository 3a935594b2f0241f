"""Looking up deliveries by recipient, status and time, a page at a time, each a bounded read of sorted partitions."""

import asyncio
import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.deliveries import keys, status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import Fault, RequestInvalid
from shared.tables import Table
from shared.text.spellings import person

_DAYS: Final = 31
"""a page looks at no more days than this"""
_EXAMINED: Final = 500
"""nor at many more deliveries: with few that match, a page is short and its cursor goes on"""
_BATCH: Final = 50
_CURSOR: Final = re.compile(r"\d{18}(~.{1,200})?")

Moment = Annotated[datetime, Meta(tz=True)]


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for; all of it must be true of a delivery. `to` may be any spelling of a phone.

    Times are those of its creation, both ends included.
    """

    to: str | None = None
    status: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Deliveries, the newest first. A page may be short, or empty, and still have a cursor to go on from."""

    deliveries: tuple[Delivery, ...]
    cursor: str | None


async def search(wanted: Search, *, lookups: Table, log: DeliveryLog, now: datetime, oldest: datetime) -> Page:
    """Return one page of the deliveries that match, from `until` (or now) back to `since` (or `oldest`).

    Raises:
        RequestInvalid: the cursor is none of ours, or the status is no status word.
    """
    _check(wanted)
    # nothing is older than the epoch, and no date is so strange that it could not be reckoned with
    end = keys.after(min(max(wanted.since or oldest, keys.EPOCH), keys.HORIZON))
    newest = keys.before(max(min(wanted.until or now, now), keys.EPOCH))
    position = min(max(newest, _read_cursor(wanted.cursor)) if wanted.cursor else newest, end)
    found: list[Delivery] = []
    examined = 0
    for partitions, stop in _stretches(wanted, position, end):
        while len(found) < wanted.limit and examined < _EXAMINED:
            batch = await _next(lookups, partitions, position, stop)
            if not batch:
                position = stop
                break
            examined += len(batch)
            deliveries = await asyncio.gather(*(log.get(keys.delivery_at(row_key)) for row_key in batch))
            for position, delivery in zip(batch, deliveries, strict=True):
                if delivery is not None and _matches(delivery, wanted, position):
                    found.append(delivery)
                if len(found) == wanted.limit:
                    break
    return Page(deliveries=tuple(found), cursor=_write_cursor(position) if position < end else None)


def _check(wanted: Search) -> None:
    if wanted.status is not None and not status.is_known(wanted.status):
        known = ", ".join(sorted(status.ALL))
        raise RequestInvalid("it can't be searched", [Fault("status", f"expected one of {known}")])


def _matches(delivery: Delivery, wanted: Search, row_key: str) -> bool:
    is_its_own = keys.position(delivery) == row_key
    is_theirs = wanted.to is None or person(wanted.to) == person(delivery.to or "")
    return is_its_own and wanted.status in {None, delivery.status} and is_theirs


def _stretches(wanted: Search, position: str, end: str) -> Iterator[tuple[list[str], str]]:
    """Yield what to read, one after the other: partitions that are in order together, and the row key to stop at."""
    if wanted.to is not None:
        yield keys.recipient_partitions(wanted.to), end
        return
    day = keys.day_of(position)
    for _ in range(_DAYS):
        stop = min(keys.after(keys.midnight(day)), end)
        if wanted.status in status.NOTABLE:
            yield keys.status_partitions(wanted.status, day), stop
        else:
            yield keys.day_partitions(day), stop
        if stop == end:
            return
        day -= timedelta(days=1)


async def _next(lookups: Table, partitions: list[str], position: str, stop: str) -> list[str]:
    async def read(partition: str) -> list[str]:
        rows = lookups.query(
            "PartitionKey eq @partition and RowKey gt @position and RowKey lt @stop",
            limit=_BATCH,
            partition=partition,
            position=position,
            stop=stop,
        )
        return [row["RowKey"] async for row in rows]

    found = await asyncio.gather(*map(read, partitions))
    # a claim that an earlier version began and this one went on with may be listed under two spellings
    return sorted({row_key for row_keys in found for row_key in row_keys})[:_BATCH]


def _write_cursor(row_key: str) -> str:
    return base64.urlsafe_b64encode(row_key.encode()).decode()


def _read_cursor(cursor: str) -> str:
    try:
        row_key = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, ValueError):
        row_key = ""
    if not _CURSOR.fullmatch(row_key):
        raise RequestInvalid("it can't be searched", [Fault("cursor", "expected one that a search returned")])
    return row_key
