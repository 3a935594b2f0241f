"""What an erasure removes: events, entries by address, and all of a state but its tombstone.

Storage has no lock over the rows of a delivery, so two rules together leave nothing behind:

- An erasure marks the state first and reads the events after that. Whoever writes an event reads the state after
  that, and takes the event back where the state is marked. So one of the two finds the event.
- A writer that dies between its event and its look at the state takes nothing back. The erasure leaves an entry for
  that case, and housekeeping sweeps the delivery `SWEPT_AFTER` later.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import msgspec

from shared.deliveries import keys, rows
from shared.deliveries.record import Delivery, Event, tombstone
from shared.errors import Changed
from shared.tables import Table

SWEPT_AFTER: Final = timedelta(minutes=15)
"""longer than any write takes: a function of this app ends after 5 minutes (`functionTimeout` in host.json)"""


class Remains:
    """Removes them. Every method may be called again with the same arguments; a crash in between is made up for."""

    def __init__(self, deliveries: Table, lookups: Table) -> None:
        self._deliveries = deliveries
        self._lookups = lookups

    async def bury(self, marked: Delivery) -> Delivery:
        """Remove everything of a delivery that is marked as erased, and return its tombstone."""
        await self._remove(marked.id, await self._event_keys(marked.id))
        await self.unlist(marked)
        left = tombstone(marked)
        if marked.version is None or marked == msgspec.structs.replace(left, version=marked.version):
            return marked
        try:
            version = await self._deliveries.replace(rows.delivery_row(left), version=marked.version)
        except Changed:
            # once it is marked, only another erasure changes it
            row = await self._deliveries.get(marked.id, rows.STATE)
            return rows.read_delivery(row) if row is not None else left
        return msgspec.structs.replace(left, version=version)

    async def sweep(self, delivery_id: str) -> None:
        """Remove what is left of a delivery that was erased, and events whose delivery was never written."""
        found = [
            row
            async for row in self._deliveries.query(
                "PartitionKey eq @id", select=f"RowKey,Erased,{','.join(rows.CLEARED)}", id=delivery_id
            )
        ]
        states = [row for row in found if row["RowKey"] == rows.STATE]
        if any(not row.get("Erased") for row in states):
            return
        await self._remove(delivery_id, (row["RowKey"] for row in found if row["RowKey"].startswith(rows.EVENTS)))
        if any(row.get(name) for row in states for name in rows.CLEARED):
            row = await self._deliveries.get(delivery_id, rows.STATE)
            if row is not None:
                await self.bury(rows.read_delivery(row))

    async def take_back(self, delivery_id: str, events: Iterable[Event]) -> None:
        """Remove events that were written to a delivery after its erasure began."""
        await self._remove(delivery_id, (rows.event_key(event) for event in events))

    async def unlist(self, delivery: Delivery) -> None:
        """Take out the entries that find a delivery by an address, or by the id that it named."""
        for partition, row_key in keys.address_places(delivery):
            await self._lookups.delete(partition, row_key)

    async def _event_keys(self, delivery_id: str) -> list[str]:
        found = self._deliveries.query(
            "PartitionKey eq @id and RowKey ge @first and RowKey lt @end",
            select="RowKey",
            id=delivery_id,
            first=rows.EVENTS,
            end=rows.EVENTS_END,
        )
        return [row["RowKey"] async for row in found]

    async def _remove(self, delivery_id: str, row_keys: Iterable[str]) -> None:
        for row_key in row_keys:
            await self._deliveries.delete(delivery_id, row_key)
