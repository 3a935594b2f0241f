"""Owner rows: which delivery a message's or a call's SID belongs to.

An owner row is inserted before the state of its delivery has the SID, and the state decides: a delivery has one SID.
Two writers may own two SIDs for one delivery (a look that adopts one, and the callback of the other), or die before
they write the state. So a row counts for good once the state has its SID, counts for now while the state has none, and
is void once the state has another SID. Whoever needs a void row's SID takes the row over.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from shared.deliveries import keys
from shared.deliveries.record import Delivery
from shared.errors import Changed
from shared.tables import Table


@dataclass(frozen=True, slots=True)
class Ownership:
    """The delivery that a SID belongs to, or None; and whether that can't change any more."""

    owner: str | None = None
    is_settled: bool = False


_NOBODY: Final = Ownership()


class Owners:
    """Reads and writes the owner rows; `read` returns a delivery's present state."""

    def __init__(self, lookups: Table, read: Callable[[str], Awaitable[Delivery | None]]) -> None:
        self._lookups = lookups
        self._read = read

    async def own(self, sid: str, delivery_id: str) -> str:
        """Make `sid` belong to a delivery unless it belongs to one; return the id of the one that it belongs to."""
        wanted = keys.owner_row(sid, delivery_id)
        if await self._lookups.insert(wanted) is not None:
            return delivery_id
        row = await self._lookups.get(wanted["PartitionKey"], keys.OWNER)
        if row is None or row["Delivery"] == delivery_id:
            return delivery_id
        if ownership(sid, row["Delivery"], await self._read(row["Delivery"])).owner is not None:
            return str(row["Delivery"])
        try:
            await self._lookups.replace(wanted, version=row.metadata["etag"])
        except Changed:
            return await self.owner_of(sid) or delivery_id
        return delivery_id

    async def release(self, sid: str, delivery_id: str) -> None:
        """Delete the owner row of a SID where it names this delivery, whose state has another SID."""
        partition = keys.owner_partition(sid)
        row = await self._lookups.get(partition, keys.OWNER)
        if row is not None and row["Delivery"] == delivery_id:
            with contextlib.suppress(Changed):
                await self._lookups.delete(partition, keys.OWNER, version=row.metadata["etag"])

    async def owner_of(self, sid: str) -> str | None:
        """Return the id of the delivery that the owner row of a SID names, whether or not the row is void."""
        row = await self._lookups.get(keys.owner_partition(sid), keys.OWNER)
        return row["Delivery"] if row is not None else None

    async def ownership(self, sid: str) -> Ownership:
        """Return whose a SID is, by its owner row and the state of the delivery that the row names."""
        owner = await self.owner_of(sid)
        return _NOBODY if owner is None else ownership(sid, owner, await self._read(owner))


def ownership(sid: str, owner: str, delivery: Delivery | None) -> Ownership:
    """Return what an owner row is worth that names a delivery in this state. Pure.

    Of an erased delivery no SID is known any more: its rows count.
    """
    if delivery is None or delivery.erased or sid == delivery.sid or sid in delivery.past_sids:
        return Ownership(owner, is_settled=True)
    if delivery.sid is None:
        return Ownership(owner, is_settled=not delivery.is_ours_to_send)
    return _NOBODY
