"""How often one sender is answered by itself: two robots must not text each other for ever."""

from datetime import timedelta
from typing import Final

from shared.deliveries import keys
from shared.deliveries.record import Delivery
from shared.tables import Table

_HOUR: Final = timedelta(hours=1)


class Quota:
    """Counts answered texts by their sender. Errors of the storage pass through as azure.core's."""

    def __init__(self, lookups: Table) -> None:
        self._lookups = lookups

    async def take(self, text: Delivery, *, most: int) -> bool:
        """Tell whether a text is one of the `most` of its sender that are answered in an hour.

        Asked twice about one text, it is counted once. Where several come at the same moment it may be fewer, and
        never more.
        """
        own = keys.reply_row(text)
        await self._lookups.put(own)
        if await self._count(text, limit=most + 1) <= most:
            return True
        await self._lookups.delete(own["PartitionKey"], own["RowKey"])
        return False

    async def _count(self, text: Delivery, *, limit: int) -> int:
        since = text.created_at - _HOUR
        count = 0
        for day in {text.created_at.date(), since.date()}:
            rows = self._lookups.query(
                "PartitionKey eq @partition and RowKey lt @end",
                limit=limit,
                select="RowKey",
                partition=keys.reply_partition(text, day),
                end=keys.before(since),
            )
            async for _ in rows:
                count += 1
        return count
