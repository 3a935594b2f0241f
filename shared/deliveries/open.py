"""The index of open deliveries: each with the time at which it should be looked at, if nothing ended it before."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.deliveries import keys
from shared.errors import Changed
from shared.tables import Table

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class OpenEntry:
    """One row of the index."""

    partition: str
    row_key: str
    delivery_id: str
    written_at: datetime
    version: str
    """the row's ETag when it was read"""


class OpenDeliveries:
    """Reads the index; `DeliveryLog` writes to it when a delivery begins and when it ends."""

    def __init__(self, lookups: Table) -> None:
        self._lookups = lookups

    async def due(self, now: datetime) -> AsyncIterator[OpenEntry]:
        """Yield some of those whose time has come, no more than a run can do anyway."""
        for partition in keys.open_partitions():
            rows = self._lookups.query(
                "PartitionKey eq @partition and LookAt le @now", limit=_AT_ONCE, partition=partition, now=now
            )
            async for row in rows:
                yield OpenEntry(
                    partition,
                    row["RowKey"],
                    # older rows say it in their key alone
                    row.get("Delivery") or row["RowKey"],
                    written_at=row.metadata["timestamp"] or now,
                    version=str(row.metadata["etag"]),
                )

    async def put_off(self, entry: OpenEntry, *, until: datetime) -> None:
        """Look at it again later, unless it was written again, or taken out, since it was read."""
        place = {"PartitionKey": entry.partition, "RowKey": entry.row_key}
        row = {**place, "Delivery": entry.delivery_id, "LookAt": until}
        with contextlib.suppress(Changed):
            await self._lookups.replace(row, version=entry.version)

    async def close(self, entry: OpenEntry) -> None:
        """Take it out, unless it was written again since it was read: then somebody opened the delivery again."""
        with contextlib.suppress(Changed):
            await self._lookups.delete(entry.partition, entry.row_key, version=entry.version)
