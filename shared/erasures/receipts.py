"""Receipts of erasures in the `Lookups` table.

| partition | row key | meaning |
|---|---|---|
| `erasure:<id>` | `receipt` | the receipt, as JSON |
| `erasures` | the id | an erasure that is not finished; written before the receipt |
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.erasures.receipt import Receipt
from shared.tables import Entity, Table

_ROW: Final = "receipt"
_OPEN: Final = "erasures"
_UNWRITTEN_FOR: Final = timedelta(hours=1)


class Receipts:
    """Keeps them. Errors of the storage pass through as azure.core's."""

    def __init__(self, lookups: Table) -> None:
        self._lookups = lookups

    async def add(self, receipt: Receipt) -> None:
        """Put a new receipt on record; from then on the erasure goes on whatever crashes."""
        await self._lookups.put({"PartitionKey": _OPEN, "RowKey": receipt.id})
        await self._lookups.insert(_row(receipt))

    async def get(self, erasure_id: str) -> Receipt | None:
        """Return a receipt, or None where there is none."""
        row = await self._lookups.get(f"erasure:{erasure_id}", _ROW)
        if row is None:
            return None
        receipt = msgspec.json.decode(row["Content"], type=Receipt)
        return msgspec.structs.replace(receipt, version=row.metadata["etag"])

    async def save(self, receipt: Receipt) -> Receipt:
        """Put a receipt in the place of the one that its version names, and return it with its new version.

        Raises:
            Changed: somebody else goes on with this erasure.
        """
        version = await self._lookups.replace(_row(receipt), version=receipt.version or "")
        if receipt.status != "running":
            await self._lookups.delete(_OPEN, receipt.id)
        return msgspec.structs.replace(receipt, version=version)

    async def due(self, now: datetime) -> list[Receipt]:
        """Return the receipts of erasures that go on now, those that waited longest first."""
        listed = [row async for row in self._lookups.query("PartitionKey eq @open", open=_OPEN)]
        found: list[Receipt] = []
        for row in listed:
            receipt = await self.get(row["RowKey"])
            if receipt is not None and receipt.status == "running":
                found.append(receipt)
            elif receipt is not None or now - (row.metadata["timestamp"] or now) > _UNWRITTEN_FOR:
                await self._lookups.delete(_OPEN, row["RowKey"])
        return sorted((one for one in found if one.next_at <= now), key=lambda one: one.next_at)


def _row(receipt: Receipt) -> Entity:
    content = msgspec.json.encode(msgspec.structs.replace(receipt, version=None)).decode()
    return {"PartitionKey": f"erasure:{receipt.id}", "RowKey": _ROW, "Content": content}
