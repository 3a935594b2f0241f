"""The index of open deliveries: each with an action, and the time at which it is due if nothing ended it before."""

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from shared.deliveries import keys
from shared.deliveries.record import Delivery
from shared.errors import Changed
from shared.tables import Row, Table

_FORMER: Final = "open:"
_FORMER_AT_ONCE: Final = 10_000
"""entries of earlier versions that one run moves at most"""


@dataclass(frozen=True, slots=True)
class OpenEntry:
    """One row of the index."""

    partition: str
    row_key: str
    delivery_id: str
    look_at: datetime
    written_at: datetime
    version: str
    """the row's ETag when it was read"""

    @property
    def is_former(self) -> bool:
        """An earlier version of this app wrote it."""
        return self.partition.startswith(_FORMER)

    @property
    def action(self) -> keys.Action:
        """What the delivery is listed for."""
        return cast("keys.Action", self.partition.partition(":")[0])

    def is_of(self, delivery: Delivery) -> bool:
        """Tell whether it belongs to the delivery as it was opened last."""
        return self.row_key == keys.opening(delivery)


class OpenDeliveries:
    """Reads the index, and moves its entries; `DeliveryLog` lists a delivery that begins, and delists it at its end.

    An entry's time is in its partition. So a reader gets only what is due, the oldest first, however many entries
    there are (https://learn.microsoft.com/azure/storage/tables/table-storage-design-for-query).
    """

    def __init__(self, lookups: Table) -> None:
        self._lookups = lookups

    async def due(self, action: keys.Action, now: datetime) -> AsyncGenerator[OpenEntry]:
        """Yield the entries whose time has come, the oldest first."""
        first, end = keys.due_range(action, now)
        rows = self._lookups.query("PartitionKey ge @first and PartitionKey lt @end", first=first, end=end)
        async for row in rows:
            yield _entry(row, keys.delivery_at(row["RowKey"]), now)

    async def former(self, now: datetime) -> AsyncGenerator[OpenEntry]:
        """Yield entries that an earlier version of this app wrote, whenever they are due."""
        rows = self._lookups.query(
            "PartitionKey ge @first and PartitionKey lt @end", limit=_FORMER_AT_ONCE, first=_FORMER, end="open;"
        )
        async for row in rows:
            # older rows say it in their key alone
            yield _entry(row, row.get("Delivery") or row["RowKey"], now)

    async def move(self, entry: OpenEntry, action: keys.Action, delivery: Delivery, *, until: datetime) -> None:
        """List a delivery for an action at a later time, then delete its present entry.

        A crash in between leaves both entries, and never none.
        """
        row = keys.entry_row(action, keys.opening(delivery), until)
        await self._lookups.put(row)
        if (row["PartitionKey"], row["RowKey"]) != (entry.partition, entry.row_key):
            await self.close(entry)

    async def put_off(self, entry: OpenEntry, *, until: datetime) -> None:
        """Look at an entry again later, whatever it leads to."""
        await self._lookups.put(keys.entry_row(entry.action, entry.row_key, until))
        await self.close(entry)

    async def close(self, entry: OpenEntry) -> None:
        """Delete an entry, unless it was written again since it was read."""
        with contextlib.suppress(Changed):
            await self._lookups.delete(entry.partition, entry.row_key, version=entry.version)


def _entry(row: Row, delivery_id: str, now: datetime) -> OpenEntry:
    return OpenEntry(
        row["PartitionKey"],
        row["RowKey"],
        delivery_id,
        look_at=row["LookAt"],
        written_at=row.metadata["timestamp"] or now,
        version=str(row.metadata["etag"]),
    )
