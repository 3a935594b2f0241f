"""What holds a person's address at either end: deliveries, rejected messages, and schedules."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.deliveries import addresses, keys, search
from shared.deliveries.address_index import AddressIndex
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.scheduling.schedules import Schedules, Stored
from shared.tables import Table

_SCHEDULES: Final = 100
PAGE: Final = 50
SCHEDULE: Final = "schedules"
DERIVED: Final = "derived"


class Holdings:
    """Finds it by what stands for the addresses in keys. Errors of the storage pass through as azure.core's."""

    def __init__(
        self,
        *,
        lookups: Table,
        log: DeliveryLog,
        index: AddressIndex,
        schedules: Schedules,
        region: str | None,
        keep: timedelta,
    ) -> None:
        """`region` is the country of national numbers; `keep` is how long deliveries are kept."""
        self._lookups = lookups
        self._log = log
        self._index = index
        self._schedules = schedules
        self._region = region
        self._keep = keep

    async def begin(self, now: datetime) -> None:
        """Note since when the index by address is complete, so that older days are read whole."""
        await self._index.begin(now)

    async def is_ours(self, address: str) -> bool:
        """Tell whether it is an address that this app sends from."""
        return await self._index.is_ours(address)

    async def keeps_lists(self, now: datetime) -> bool:
        """Tell whether everything that begins from now on is listed by address."""
        since = await self._index.complete_since()
        return since is not None and since <= now

    async def deliveries(
        self, digests: tuple[str, ...], *, until: datetime, cursor: str | None, lists_only: bool = False
    ) -> search.Page:
        """Return a page of the deliveries that were created up to a moment; see `search.held_by`.

        Raises:
            RequestInvalid: the cursor is none of ours.
        """
        # a delivery may end long after it began: its day is purged late
        oldest = until - self._keep - timedelta(days=2)
        return await search.held_by(
            digests,
            lookups=self._lookups,
            log=self._log,
            index=self._index,
            region=self._region,
            until=until,
            oldest=oldest,
            cursor=cursor,
            limit=PAGE,
            lists_only=lists_only,
        )

    async def list_by_address(self, delivery: Delivery) -> None:
        """Have a delivery found without reading its day."""
        known = addresses.of_delivery(delivery, region=self._region)
        await self._log.list_by_address(msgspec.structs.replace(delivery, mentions=known.all))

    async def schedules(self, digests: tuple[str, ...]) -> AsyncIterator[Stored]:
        """Yield the schedules whose request is for the person; all schedules are read, a page at a time."""
        cursor: str | None = None
        while True:
            page = await self._schedules.page(limit=_SCHEDULES, cursor=cursor)
            for stored in page.schedules:
                request = msgspec.json.encode(stored.schedule.request)
                if self._are_theirs(addresses.read(request, region=self._region).all, digests):
                    yield stored
            cursor = page.cursor
            if cursor is None:
                return

    async def forget(self, stored: Stored) -> None:
        """Delete a schedule.

        Raises:
            Changed: it is another one by now.
        """
        await self._schedules.delete(stored)

    def holds(self, delivery: Delivery, digests: tuple[str, ...]) -> bool:
        """Tell whether a delivery has an address of the person."""
        return self._are_theirs(addresses.of_delivery(delivery, region=self._region).all, digests)

    def kind_of(self, delivery: Delivery, digests: tuple[str, ...]) -> str:
        """Return under which name a delivery is counted."""
        if not self.holds(delivery, digests):
            return DERIVED
        if delivery.is_refused:
            return "rejected"
        if delivery.answers is not None and delivery.direction == "outbound":
            return "replies"
        texts_or_calls = "calls" if delivery.channel == "call" else "texts"
        return f"{delivery.direction}_{texts_or_calls}"

    @staticmethod
    def _are_theirs(found: tuple[str, ...], digests: tuple[str, ...]) -> bool:
        return any(keys.digest(address) in digests for address in found)
