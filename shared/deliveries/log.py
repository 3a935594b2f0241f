"""The log of deliveries in Table Storage: one row of state and one row per event, in the partition of the delivery."""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from shared.deliveries import keys, rows, status
from shared.deliveries.address_index import AddressIndex
from shared.deliveries.feed import Feed
from shared.deliveries.owners import Owners, Ownership
from shared.deliveries.record import Delivery, Event, fold, tombstone
from shared.deliveries.remains import SWEPT_AFTER, Remains
from shared.errors import Changed
from shared.logs import about
from shared.tables import Table

_logger: Final = logging.getLogger(__name__)
_MERGES: Final = 20
"""how often a state is read and merged again while others change it; each round, one of them gets through"""
_REJECTIONS: Final = 20

OnEnd = Callable[[Delivery], Awaitable[None]]
Heed = Callable[[Delivery, Event], Awaitable[None]]
"""does what follows from an event; it must not mind being called again with the same one"""


class DeliveryLog:
    """What became of each delivery.

    Each event on record is heeded and told to the feed before the state follows from it; a crash repeats that.
    Errors of the storage itself pass through as azure.core's: nothing was acknowledged then, and every method may be
    called again with the same arguments.
    """

    def __init__(
        self,
        deliveries: Table,
        lookups: Table,
        *,
        feed: Feed | None = None,
        heed: Heed | None = None,
        on_end: OnEnd | None = None,
        index: AddressIndex | None = None,
    ) -> None:
        """`on_end` is told of a delivery before its state becomes a final one; it may be told more than once.

        It is told again where the error of a failure comes later than the failure. `index` remembers the senders of
        requests.
        """
        self._deliveries = deliveries
        self._lookups = lookups
        self._feed = feed
        self._heed = heed
        self._on_end = on_end
        self._index = index
        self._remains = Remains(deliveries, lookups)
        self._owners = Owners(lookups, self.get)

    async def get(self, delivery_id: str) -> Delivery | None:
        """Return the present state, with the version that a change must name; None where there is no such delivery."""
        delivery = await self._whole(delivery_id)
        if delivery is None or not delivery.erased:
            return delivery
        # its erasure may not have come to its end
        return msgspec.structs.replace(tombstone(delivery), version=delivery.version)

    async def latest_to(self, address: str, *, until: datetime, limit: int) -> list[Delivery]:
        """Return the deliveries to a recipient that began at `until` or earlier: the newest first, `limit` at most.

        A recipient is a person: deliveries to other spellings of the address are among them.
        """
        row_keys: set[str] = set()
        for partition in keys.recipient_partitions(address):
            found = self._lookups.query(
                "PartitionKey eq @partition and RowKey gt @position",
                limit=limit,
                partition=partition,
                position=keys.before(until),
            )
            row_keys |= {row["RowKey"] async for row in found}
        newest = sorted(row_keys)[:limit]
        deliveries = await asyncio.gather(*(self.get(keys.delivery_at(row_key)) for row_key in newest))
        return [delivery for delivery in deliveries if delivery is not None]

    async def rejections_of(self, delivery_id: str) -> list[str]:
        """Return the ids of rejected messages that named an id: the newest first, and not more than twenty."""
        found = self._lookups.query(
            "PartitionKey eq @partition",
            limit=_REJECTIONS,
            select="RowKey",
            partition=keys.named_partition(delivery_id),
        )
        row_keys = [row["RowKey"] async for row in found]
        rejected = await asyncio.gather(*(self.get(keys.delivery_at(row_key)) for row_key in row_keys))
        # an entry may lead nowhere, and a message that is rejected again keeps its first entry
        return [one.id for one in rejected if one is not None and one.named == delivery_id]

    async def timeline(self, delivery_id: str) -> list[Event]:
        """Return the events of a delivery in the order in which they happened."""
        found = self._deliveries.query(
            "PartitionKey eq @id and RowKey ge @first and RowKey lt @end",
            id=delivery_id,
            first=rows.EVENTS,
            end=rows.EVENTS_END,
        )
        events = [rows.read_event(row) async for row in found]
        return sorted(events, key=_place)

    async def claim(self, delivery: Delivery) -> Delivery | None:
        """Begin a delivery for the attempt that it names, and return it with its version.

        Return None where there is a delivery with its id: at most one claim of an id succeeds, ever, on any number of
        machines.
        """
        if self._index is not None and delivery.from_:
            await self._index.remember(delivery.from_)
        await self._make_findable(delivery)
        version = await self._deliveries.insert(rows.delivery_row(delivery))
        if version is not None:
            return msgspec.structs.replace(delivery, version=version)
        # the SDK repeats an insert whose answer was lost, and then meets this very claim
        existing = await self.get(delivery.id)
        if existing is not None and existing.attempt == delivery.attempt:
            return existing
        await self._forget_entries(delivery, but_of=existing)
        return None

    async def file(self, delivery: Delivery, event: Event) -> Delivery:
        """Put on record what came into being elsewhere, with its first event; filed twice, it is there once.

        Where the delivery exists already, the event is recorded as one more of it, unless it was erased. The entries
        come before the event: where a crash leaves an event without a delivery, the purge finds it by its day.
        """
        await self._make_findable(delivery)
        await self._keep(delivery, event)
        version = await self._deliveries.insert(rows.delivery_row(delivery))
        if version is not None:
            return msgspec.structs.replace(delivery, version=version)
        existing = await self.get(delivery.id)
        await self._forget_entries(delivery, but_of=existing)
        if existing is not None and existing.erased:
            # it came again after it was erased: so does its erasure
            await self._remains.unlist(delivery)
            return await self.bury(existing)
        return await self.record(existing or delivery, event)

    async def change(self, before: Delivery, after: Delivery, *events: Event) -> Delivery:
        """Record events that this app itself brought about, then the state that follows from them.

        Raises:
            Changed: somebody else changed the state since `before` was read; the events stay recorded, unless it was
                erased.
        """
        await asyncio.gather(*(self._keep(after, event) for event in events))
        try:
            changed = await self._merge(before, after)
        except Changed:
            await self._leaves_none(before.id, *events)
            raise
        if changed == before:
            await self._leaves_none(before.id, *events)
        return changed

    async def record(self, delivery: Delivery, event: Event) -> Delivery:
        """Record what Twilio said of a delivery, and bring its state up to date; told twice, it changes nothing.

        `delivery` may be stale: the state is read again where it changed meanwhile. Of one that was erased, no event
        stays.
        """
        await self._keep(delivery, event)
        after = await self._merge_until_it_holds(delivery, lambda current: fold(current, event))
        if event.sid is not None and delivery.sid is None and _has_another(after, event.sid):
            # another writer was quicker: it owned another SID, and the state has that one
            await self._owners.release(event.sid, delivery.id)
        if after.erased:
            await self._remains.take_back(delivery.id, [event])
        elif after == delivery:
            # no write of the state told whether it was erased meanwhile
            await self._leaves_none(delivery.id, event)
        return after

    async def note(self, delivery: Delivery, event: Event) -> bool:
        """Record an event that changes nothing; recorded twice, it is there once.

        Return False where the delivery was erased: the event doesn't stay then.
        """
        await self._keep(delivery, event)
        return not await self._leaves_none(delivery.id, event)

    async def reopen(self, before: Delivery, after: Delivery, event: Event) -> Delivery:
        """Change a delivery that was over to one that is not; as `change`.

        No SID that it was told of before, its own or another, can become its own from then on.
        """
        after = msgspec.structs.replace(after, reopened_at=after.updated_at)
        await self._lookups.put(keys.open_row(after))
        told = [past.sid for past in await self.timeline(before.id) if past.sid]
        past_sids = tuple(dict.fromkeys((*after.past_sids, *told)))
        return await self.change(before, msgspec.structs.replace(after, past_sids=past_sids), event)

    async def fold_again(self, delivery: Delivery) -> Delivery:
        """Bring a state up to date with the events on record, where a crash came between them.

        The crash may also have kept them from being told: those that change the state are told, again or at last.
        """
        folded = delivery
        events = await self.timeline(delivery.id)
        for event in events:
            before, folded = folded, fold(folded, event)
            if folded != before:
                await self._tell(delivery, event)
        return await self._merge_until_it_holds(delivery, lambda current: functools.reduce(fold, events, current))

    async def erase(self, delivery: Delivery, *, now: datetime, by: str | None = None) -> Delivery:
        """Remove everything of a delivery but its tombstone: id, status, hash, and when and for whom it was erased.

        It is a tombstone to everybody from the first write of its state on. What a crash leaves is removed by erasing
        it again, and by housekeeping soon after `now`.

        Raises:
            Changed: somebody else changed the state since it was read; nothing is removed then.
        """
        if delivery.erased:
            return await self.bury(delivery)
        await self._lookups.put(keys.erased_row(delivery, now + SWEPT_AFTER))
        marked = msgspec.structs.replace(
            delivery, status=tombstone(delivery).status, erased=True, erased_at=now, erased_by=by
        )
        return await self._remains.bury(await self._merge(delivery, marked))

    async def bury(self, delivery: Delivery) -> Delivery:
        """Remove what is left of a delivery that was erased, and return its tombstone."""
        await self._remains.sweep(delivery.id)
        return await self.get(delivery.id) or delivery

    async def sweep(self, delivery_id: str) -> None:
        """Remove what is left where a delivery was erased, or where its events were written and it never was."""
        await self._remains.sweep(delivery_id)

    async def list_by_address(self, delivery: Delivery) -> None:
        """Write the entries that find a delivery by an address: an earlier version did not write all of them.

        Of one that was erased meanwhile, no entry stays.
        """
        await asyncio.gather(*(self._lookups.put(row) for row in keys.address_rows(delivery)))
        whole = await self._whole(delivery.id)
        if whole is None or whole.erased:
            await self._remains.unlist(delivery)

    async def unlist(self, delivery: Delivery) -> None:
        """Take out the entries by address that stand at the time of this delivery."""
        await self._remains.unlist(delivery)

    async def own_sid(self, sid: str, delivery_id: str) -> str:
        """Make `sid` belong to a delivery unless it belongs to one; return the id of the one that it belongs to.

        Record an event of the SID next: a delivery keeps one SID, and gives back what it owns beside that one.
        """
        return await self._owners.own(sid, delivery_id)

    async def owner_of(self, sid: str) -> str | None:
        """Return the id of the delivery that the owner row of a SID names."""
        return await self._owners.owner_of(sid)

    async def ownership(self, sid: str) -> Ownership:
        """Return the delivery that a SID belongs to, and whether that can't change any more: its state decides."""
        return await self._owners.ownership(sid)

    async def _leaves_none(self, delivery_id: str, *events: Event) -> bool:
        """Take events back where their delivery is erased, or is being erased; return whether it is."""
        whole = await self._whole(delivery_id)
        if whole is None or not whole.erased:
            return False
        await self._remains.take_back(delivery_id, events)
        return True

    async def _merge_until_it_holds(self, delivery: Delivery, change: Callable[[Delivery], Delivery]) -> Delivery:
        current = delivery
        for _ in range(_MERGES):
            try:
                return await self._merge(current, change(current))
            except Changed:
                current = await self.get(delivery.id) or delivery
        raise Changed(f"the state of a delivery changed {_MERGES} times while an event was being recorded")

    async def _merge(self, before: Delivery, after: Delivery) -> Delivery:
        if after == before:
            return before
        if after.status != before.status and after.status in status.NOTABLE:
            await self._lookups.put(keys.status_row(after))
        if before.version is None:
            raise Changed("a state can only be changed after it was read")
        ends = after.is_final and not before.is_final
        is_explained = after.is_final and after.error_code != before.error_code
        if (ends or is_explained) and self._on_end is not None:
            await self._on_end(after)
        version = await self._deliveries.merge(rows.changed_row(before, after), version=before.version)
        if before.status == status.SCHEDULED != after.status:
            # nothing waits for long without a row there, and everything that waited would leave one
            row = keys.status_row(before)
            await self._lookups.delete(row["PartitionKey"], row["RowKey"])
        if ends:
            # housekeeping may have moved the entry to a later second: it deletes that one when it comes to it
            row = keys.open_row(after)
            await self._lookups.delete(row["PartitionKey"], row["RowKey"])
        return msgspec.structs.replace(after, version=version)

    async def _keep(self, delivery: Delivery, event: Event) -> None:
        if not status.is_known(event.status):
            about(_logger, delivery.id).error("a status that this app does not know: %.40r", event.status)
        await self._deliveries.insert(rows.event_row(delivery.id, event))
        # told again where it was on record before: a crash may have come in between
        await self._tell(delivery, event)

    async def _tell(self, delivery: Delivery, event: Event) -> None:
        if self._heed is not None:
            await self._heed(delivery, event)
        if self._feed is not None:
            await self._feed.tell(delivery, event)

    async def _whole(self, delivery_id: str) -> Delivery | None:
        row = await self._deliveries.get(delivery_id, rows.STATE)
        return rows.read_delivery(row) if row is not None else None

    async def _make_findable(self, delivery: Delivery) -> None:
        found: list[Mapping[str, Any]] = [keys.day_row(delivery), *keys.address_rows(delivery)]
        if delivery.status in status.NOTABLE:
            found.append(keys.status_row(delivery))
        if not delivery.is_final:
            found.append(keys.open_row(delivery))
        await asyncio.gather(*(self._lookups.put(row) for row in found))

    async def _forget_entries(self, delivery: Delivery, *, but_of: Delivery | None) -> None:
        """Delete the entries of a claim that failed: the existing delivery has its own, under its own time."""
        if but_of is not None and keys.position(but_of) == keys.position(delivery):
            return
        found = [keys.day_row(delivery), *keys.address_rows(delivery)]
        if not delivery.is_final:
            found.append(keys.open_row(delivery))
        await asyncio.gather(*(self._lookups.delete(row["PartitionKey"], row["RowKey"]) for row in found))


def _has_another(delivery: Delivery, sid: str) -> bool:
    return delivery.sid not in {None, sid} and sid not in delivery.past_sids


def _place(event: Event) -> tuple[datetime, int, datetime]:
    # Twilio tells the times of calls in whole seconds: within one, its SequenceNumber knows the order
    return event.at.replace(microsecond=0), -1 if event.sequence is None else event.sequence, event.at
