"""What is kept no longer: bodies, numbers and events of deliveries that ended long ago, down to their tombstones."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from shared.deliveries import keys
from shared.deliveries.log import DeliveryLog
from shared.errors import Changed
from shared.logs import about
from shared.tables import Table

_logger: Final = logging.getLogger(__name__)
_PAGE: Final = 1000
_AT_ONCE: Final = 16
"""a purge is a dozen trips to storage: one after the other they would not keep up with three texts a second"""
_A_DAY: Final = timedelta(days=1)
_REPLIES_KEPT: Final = timedelta(days=1)
"""the cap on replies looks back for an hour, past midnight where it must"""

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
        """Purge what is due, up to the moment `until`; return how many were."""
        now = self._clock()
        count = await self._purge_deliveries(now, until)
        await self._forget_statuses(now, until)
        await self._go_through("reply", now - _REPLIES_KEPT, until)
        return count

    async def _purge_deliveries(self, now: datetime, until: datetime) -> int:
        count = 0
        for kind, before in (("day", now - self._keep), ("late", now)):
            count += await self._go_through(kind, before, until, lambda row_key: self._purge(row_key, now))
        return count

    async def _forget_statuses(self, now: datetime, until: datetime) -> None:
        """Take out what finds by their status deliveries that began as long ago as those whose day is purged."""
        for kind in keys.notable_kinds():
            await self._go_through(kind, now - self._keep, until)

    async def _go_through(self, kind: str, before: datetime, until: datetime, do: Do | None = None) -> int:
        """Do something with each row of the days before, some at a time, and take it out; return with how many."""
        count = 0
        while self._clock() < until:
            places = [place async for place in self._of_days(kind, before)]
            done = await self._take_out(places, until, do)
            count += done
            if not done or len(places) < _PAGE:
                break
        return count

    async def _take_out(self, places: list[tuple[str, str]], until: datetime, do: Do | None) -> int:
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
                    about(_logger, keys.delivery_at(row_key)).error("it could not be purged: %s", type(exc).__name__)
                else:
                    count += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
        return count

    async def _of_days(self, kind: str, before: datetime) -> AsyncIterator[tuple[str, str]]:
        """Yield partition and row key of some rows of the days before this one, the oldest first."""
        rows = self._lookups.query(
            "PartitionKey ge @first and PartitionKey lt @end",
            limit=_PAGE,
            first=keys.first_of(kind),
            end=keys.first_of(kind, before),
        )
        async for row in rows:
            yield row["PartitionKey"], row["RowKey"]

    async def _purge(self, row_key: str, now: datetime) -> None:
        delivery = await self._log.get(keys.delivery_at(row_key))
        if delivery is None or keys.position(delivery) != row_key:
            return
        if not delivery.erased and (delivery.is_ours_to_send or delivery.updated_at > now - self._keep):
            # it is to be sent, or went on after it began: it is looked at again when its own time has come
            again = max(delivery.updated_at + self._keep, now) + _A_DAY
            await self._lookups.put(keys.late_row(delivery, again))
            return
        try:
            await self._log.erase(delivery)
        except Changed:
            await self._lookups.put(keys.late_row(delivery, now + _A_DAY))
