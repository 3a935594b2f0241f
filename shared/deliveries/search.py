"""Looking up deliveries by address, status and time, a page at a time, each a bounded read of sorted partitions."""

import asyncio
import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from shared.deliveries import addresses, keys, status
from shared.deliveries.address_index import AddressIndex
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Direction
from shared.deliveries.status import Channel
from shared.errors import Fault, RequestInvalid
from shared.tables import Table
from shared.text.spellings import person

_DAYS: Final = 31
"""a page looks at no more days than this"""
_EXAMINED: Final = 500
"""nor at many more deliveries: with few that match, a page is short and its cursor goes on"""
_BATCH: Final = 50
_CURSOR: Final = re.compile(r"\d{18}(~.{1,200})?")
_NEWEST: Final = "0"
"""before every row key"""

Moment = Annotated[datetime, Meta(tz=True)]


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look for; all of it must be true of a delivery. `to` may be any spelling of a phone.

    Times are those of its creation, both ends included.
    """

    to: str | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    address: str | None = None
    """at either end"""
    status: str | None = None
    direction: Direction | None = None
    channel: Channel | None = None
    error_code: int | None = None
    origin: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: str | None = None


class Page(msgspec.Struct, frozen=True):
    """Deliveries, the newest first. A page may be short, or empty, and still have a cursor to go on from."""

    deliveries: tuple[Delivery, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where to read, from the newest to `end`.

    Down to `complete`, the partitions `listed` have all that can match. From there on to `oldest`, each day is read,
    too; and behind that, only they are.
    """

    listed: list[str]
    complete: str
    oldest: str
    end: str
    status: str | None = None


Matches = Callable[[Delivery], bool]


async def search(
    wanted: Search,
    *,
    lookups: Table,
    log: DeliveryLog,
    now: datetime,
    oldest: datetime,
    index: AddressIndex | None = None,
    region: str | None = None,
) -> Page:
    """Return one page of the deliveries that match, from `until` (or now) back to `since` (or `oldest`).

    `region` is the country of national numbers in rejected messages.

    Raises:
        RequestInvalid: the cursor is none of ours, or the status is no status word.
    """
    _check(wanted)
    # nothing is older than the epoch, and no date is so strange that it could not be reckoned with
    end = keys.after(min(max(wanted.since or oldest, keys.EPOCH), keys.HORIZON))
    newest = keys.before(max(min(wanted.until or now, now), keys.EPOCH))
    plan = await _plan(wanted, index or AddressIndex(lookups), end)

    def matches(delivery: Delivery) -> bool:
        return _matches(delivery, wanted, region)

    return await _page(plan, matches, lookups=lookups, log=log, newest=newest, cursor=wanted.cursor, limit=wanted.limit)


async def held_by(
    digests: tuple[str, ...],
    *,
    lookups: Table,
    log: DeliveryLog,
    index: AddressIndex,
    region: str | None,
    until: datetime,
    oldest: datetime,
    cursor: str | None,
    limit: int,
    lists_only: bool = False,
) -> Page:
    """Return one page of the deliveries that have an address with one of these hashes at either end.

    Args:
        digests: see `keys.digests`.
        lookups: where the lists are.
        log: where the deliveries are.
        index: since when the lists are complete. The days before that are read whole, back to `oldest`.
        region: the country of national numbers in rejected messages.
        until: the newest delivery was created then.
        oldest: what is older is found by its recipient alone.
        cursor: of the page before.
        limit: how many.
        lists_only: no day is read.

    Raises:
        RequestInvalid: the cursor is none of ours.
    """
    wanted = frozenset(digests)

    def matches(delivery: Delivery) -> bool:
        return any(keys.digest(address) in wanted for address in addresses.of_delivery(delivery, region=region).all)

    listed = _listed(digests, "to", "from", "about")
    end = keys.after(keys.EPOCH)
    complete = end if lists_only else await _complete(index)
    plan = _Plan(listed, complete=complete, oldest=max(complete, keys.after(oldest)), end=end)
    return await _page(plan, matches, lookups=lookups, log=log, newest=keys.before(until), cursor=cursor, limit=limit)


async def _page(
    plan: _Plan,
    matches: Matches,
    *,
    lookups: Table,
    log: DeliveryLog,
    newest: str,
    cursor: str | None,
    limit: int,
) -> Page:
    position = min(max(newest, _read_cursor(cursor)) if cursor else newest, plan.end)
    found: list[Delivery] = []
    examined = 0
    for partitions, stop in _stretches(plan, position):
        while len(found) < limit and examined < _EXAMINED:
            batch = await _next(lookups, partitions, position, stop)
            if not batch:
                position = stop
                break
            examined += len(batch)
            deliveries = await asyncio.gather(*(log.get(keys.delivery_at(row_key)) for row_key in batch))
            for position, delivery in zip(batch, deliveries, strict=True):
                if delivery is not None and keys.position(delivery) == position and matches(delivery):
                    found.append(delivery)
                if len(found) == limit:
                    break
    return Page(deliveries=tuple(found), cursor=_write_cursor(position) if position < plan.end else None)


def _check(wanted: Search) -> None:
    if wanted.status is not None and not status.is_known(wanted.status):
        known = ", ".join(sorted(status.ALL))
        raise RequestInvalid("it can't be searched", [Fault("status", f"expected one of {known}")])


def _matches(delivery: Delivery, wanted: Search, region: str | None) -> bool:
    asked = (
        (wanted.status, delivery.status),
        (wanted.direction, delivery.direction),
        (wanted.channel, delivery.channel),
        (wanted.error_code, delivery.error_code),
        (wanted.origin, delivery.origin),
    )
    if any(expected not in {None, found} for expected, found in asked):
        return False
    if wanted.to is wanted.from_ is wanted.address is None:
        return True
    known = addresses.of_delivery(delivery, region=region)
    by_end = ((wanted.to, known.recipients), (wanted.from_, known.senders), (wanted.address, known.all))
    return all(address is None or person(address) in map(person, addresses_) for address, addresses_ in by_end)


async def _plan(wanted: Search, index: AddressIndex, end: str) -> _Plan:
    """Return where to read: in the lists of an address where there is one, else day by day."""
    if wanted.to is not None:
        return _Plan(_listed(keys.digests(wanted.to), "to", "about"), complete=end, oldest=end, end=end)
    address = wanted.address or wanted.from_
    if address is None or await index.is_ours(address):
        return _Plan([], complete=_NEWEST, oldest=end, end=end, status=wanted.status)
    lists = ("to", "from", "about") if wanted.address is not None else ("from", "about")
    listed = _listed(keys.digests(address), *lists)
    return _Plan(listed, complete=await _complete(index), oldest=end, end=end, status=wanted.status)


def _listed(digests: tuple[str, ...], *kinds: keys.Family) -> list[str]:
    return [partition for kind in kinds for partition in keys.partitions_of(kind, digests)]


async def _complete(index: AddressIndex) -> str:
    since = await index.complete_since()
    return _NEWEST if since is None else keys.before(since)


def _stretches(plan: _Plan, position: str) -> Iterator[tuple[list[str], str]]:
    """Yield what to read, one after the other: partitions that are in order together, and the row key to stop at."""
    complete = min(plan.complete, plan.end)
    if position < complete:
        yield plan.listed, complete
        position = complete
    oldest = min(plan.oldest, plan.end)
    if position < oldest:
        day = keys.day_of(position)
        for _ in range(_DAYS):
            stop = min(keys.after(keys.midnight(day)), oldest)
            if plan.status in status.NOTABLE:
                yield [*keys.status_partitions(plan.status, day), *plan.listed], stop
            else:
                yield [*keys.day_partitions(day), *plan.listed], stop
            if stop == oldest:
                break
            day -= timedelta(days=1)
        else:
            return
    if oldest < plan.end:
        yield plan.listed, plan.end


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
    # one delivery may be listed in several of them
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
