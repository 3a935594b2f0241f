"""What is kept no longer: bodies, numbers and events of deliveries that ended long ago, down to their tombstones."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.calendar.ahead import AHEAD
from shared.deliveries import keys
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import Changed
from shared.logs import about, traced
from shared.tables import Table

_logger: Final = logging.getLogger(__name__)
_PAGE: Final = 1000
_AT_ONCE: Final = 16
"""a purge is a dozen trips to storage: one after the other they would not keep up with three texts a second"""
_A_DAY: Final = timedelta(days=1)
_REPLIES_KEPT: Final = timedelta(days=1)
"""the cap on replies looks back for an hour, past midnight where it must"""

Place = tuple[str, str]
"""partition and row key of a row in `Lookups`"""
Do = Callable[[str], Awaitable[None]]
"""does something with the delivery that a row key names"""


class Retention:
    """Goes through the days that are past their time, the oldest first, and takes out each row when it is done.

    What it did not come to is where it begins the next time.
    """

    def __init__(self, *, log: DeliveryLog, lookups: Table, keep: timedelta, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._lookups = lookups
        self._keep = keep
        self._clock = clock

    async def purge(self, *, until: datetime) -> int:
        """Purge what is due, up to the moment `until`, and return how many were; what was erased is swept, too.

        The days come last: where they are more than a run can do, nothing else waits for them. What is only taken out
        costs a tenth of a delivery that is purged.
        """
        now = self._clock()
        await self._go_through(keys.ERASED, now + AHEAD, until, self._sweep)
        await self._go_through("reply", now - _REPLIES_KEPT, until)
        for kind in keys.notable_kinds():
            # what finds by their status deliveries that began as long ago as those whose day is purged
            await self._go_through(kind, now - self._keep, until)
        count = 0
        for kind, before in (("late", now), ("day", now - self._keep)):
            count += await self._go_through(kind, before, until, lambda row_key: self._purge(row_key, now))
        return count

    async def _go_through(self, kind: str, before: datetime, until: datetime, do: Do | None = None) -> int:
        """Do something with each row of the days before, some at a time, and take it out; return with how many.

        What can't be done stays, and is passed over: the next page begins after it.
        """
        count = 0
        async with aclosing(self._of_days(kind, before)) as rows:
            while self._clock() < until:
                places = await _page(rows)
                if not places:
                    break
                count += await self._take_out(places, until, do)
        return count

    async def _take_out(self, places: list[Place], until: datetime, do: Do | None) -> int:
        waiting = iter(places)
        count = 0

        async def work() -> None:
            nonlocal count
            for partition, row_key in waiting:
                if self._clock() >= until:
                    return
                try:
                    if do is not None:
                        await do(row_key)
                    await self._lookups.delete(partition, row_key)
                except Exception as exc:  # noqa: BLE001 - one that can't be purged must not keep all others
                    # the text of an SDK's error holds URLs
                    about(_logger, keys.delivery_at(row_key)).error("it could not be purged: %s", traced(exc))
                else:
                    count += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
        return count

    async def _of_days(self, kind: str, before: datetime) -> AsyncGenerator[Place]:
        """Yield partition and row key of the rows of the days before this one, the oldest first."""
        rows = self._lookups.query(
            "PartitionKey ge @first and PartitionKey lt @end",
            first=keys.first_of(kind),
            end=keys.first_of(kind, before),
        )
        async for row in rows:
            yield row["PartitionKey"], row["RowKey"]

    async def _sweep(self, row_key: str) -> None:
        await self._log.sweep(keys.delivery_at(row_key))

    async def _purge(self, row_key: str, now: datetime) -> None:
        delivery_id = keys.delivery_at(row_key)
        delivery = await self._log.get(delivery_id)
        if delivery is None or keys.position(delivery) != row_key:
            await self._clear_away(delivery_id, delivery, keys.moment_of(row_key))
            return
        if not delivery.erased and (delivery.is_ours_to_send or delivery.updated_at > now - self._keep):
            # it is to be sent, or went on after it began: it is looked at again when its own time has come
            again = max(delivery.updated_at + self._keep, now) + _A_DAY
            await self._lookups.put(keys.late_row(delivery, again))
            return
        try:
            await self._log.erase(delivery, now=now)
        except Changed:
            await self._lookups.put(keys.late_row(delivery, now + _A_DAY))

    async def _clear_away(self, delivery_id: str, there: Delivery | None, written_at: datetime) -> None:
        """Remove what a write left that was cut short at that time: its entries by address, and events of no delivery.

        Whose they are is known by the delivery that is there, or by what Twilio told of it (`To`, `From`).
        """
        if there is not None:
            await self._log.unlist(msgspec.structs.replace(there, created_at=written_at))
        for event in await self._log.timeline(delivery_id) if there is None else []:
            to, sender = _text(event.raw.get("To")), _text(event.raw.get("From"))
            stray = Delivery(
                id=delivery_id,
                direction="inbound",
                status="",
                created_at=written_at,
                updated_at=written_at,
                to=to,
                from_=sender,
            )
            await self._log.unlist(stray)
        if there is None or there.erased:
            await self._log.sweep(delivery_id)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


async def _page(rows: AsyncIterator[Place]) -> list[Place]:
    """Return what comes next of them, none at the end."""
    page: list[Place] = []
    while len(page) < _PAGE and (place := await anext(rows, None)) is not None:
        page.append(place)
    return page
