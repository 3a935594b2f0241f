"""The index of deliveries by address: since when it is complete, and which addresses this app sends from.

| partition of `Lookups` | row key | meaning |
|---|---|---|
| `index` | `addresses` | `Since`: from then on, every delivery has its rows in `from:` and `about:` |
| `sender` | hash of the address | requests were sent from this address |

A search by an address of ours can't use the index: the deliveries that were sent from it have no row there.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from shared.deliveries import keys
from shared.tables import Table

_INDEX, _ADDRESSES, _SENDER = "index", "addresses", "sender"
_UPDATED_BY: Final = timedelta(hours=1)
"""when an app is updated, instances of the earlier version go on for some minutes"""


class AddressIndex:
    """Errors of the storage pass through as azure.core's."""

    def __init__(self, lookups: Table, *, own: Iterable[str] = ()) -> None:
        """`own` are addresses of this app that are known without asking storage."""
        self._lookups = lookups
        self._own = {keys.digest(_bare(address)) for address in own}
        self._since: datetime | None = None

    async def begin(self, now: datetime) -> None:
        """Note that this version keeps the index, unless that is noted already."""
        if await self.complete_since() is None:
            row = {"PartitionKey": _INDEX, "RowKey": _ADDRESSES, "Since": now + _UPDATED_BY}
            await self._lookups.insert(row)

    async def complete_since(self) -> datetime | None:
        """Return the moment from which on every delivery is in the index; None where that is not known yet."""
        if self._since is None:
            row = await self._lookups.get(_INDEX, _ADDRESSES)
            self._since = None if row is None else row["Since"]
        return self._since

    async def remember(self, sender: str) -> None:
        """Note that a request is sent from an address: one transaction for each address and process."""
        digest = keys.digest(_bare(sender))
        if digest not in self._own:
            await self._lookups.put({"PartitionKey": _SENDER, "RowKey": digest})
            self._own.add(digest)

    async def is_ours(self, address: str) -> bool:
        """Tell whether this app sends from an address, with or without `whatsapp:` before it."""
        digest = keys.digest(_bare(address))
        return digest in self._own or await self._lookups.get(_SENDER, digest) is not None


def _bare(address: str) -> str:
    return address.rpartition(":")[2]
