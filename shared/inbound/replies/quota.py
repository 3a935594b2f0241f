"""The cap on automatic texts to one person: two robots must not text each other, and nobody is flooded by a forged id.

Replies to a person's own texts and the texts of call flows to a caller share one window.
"""

from datetime import datetime, timedelta
from typing import Final

from shared.deliveries import keys
from shared.tables import Table

_HOUR: Final = timedelta(hours=1)


class Quota:
    """Counts automatic texts by their recipient. Errors of the storage pass through as azure.core's."""

    def __init__(self, lookups: Table) -> None:
        self._lookups = lookups

    async def take(self, person: str, *, text_id: str, at: datetime, most: int) -> bool:
        """Tell whether a text is one of the `most` that a person may get in an hour.

        A text is counted once, however often it is asked about and whatever its time is then. Of several that come at
        the same moment fewer may be allowed, and never more.

        Args:
            person: the recipient.
            text_id: of the text that is answered, or of the text of a flow.
            at: its time; the hour before it counts, and all that came later.
            most: how many texts are allowed.
        """
        own = keys.reply_row(person, text_id, at)
        await self._lookups.put(own)
        if await self._count(person, at) <= most:
            return True
        await self._lookups.delete(own["PartitionKey"], own["RowKey"])
        return False

    async def _count(self, person: str, at: datetime) -> int:
        # one text may have two rows: its turn came again, at another time
        since = at - _HOUR
        found: set[str] = set()
        for day in {at.date(), since.date()}:
            rows = self._lookups.query(
                "PartitionKey eq @partition and RowKey lt @end",
                select="RowKey",
                partition=keys.reply_partition(person, day),
                end=keys.before(since),
            )
            async for row in rows:
                found.add(keys.delivery_at(row["RowKey"]))
        return len(found)
