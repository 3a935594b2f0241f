"""Deliveries without a final status: brought up to date, asked about at Twilio, or given their message back.

Nothing is sent here: a delivery whose message is gone gets the request that it holds enqueued again, and the sender
decides as ever.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.deliveries.log import DeliveryLog
from shared.deliveries.open import OpenDeliveries, OpenEntry
from shared.deliveries.record import Delivery
from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.logs import about, traced
from shared.outbound.claim import due_at
from shared.outbound.outcomes import seen
from shared.outbound.provider import Provider
from shared.queues import Queue

_logger: Final = logging.getLogger(__name__)
_LOST_AFTER: Final = timedelta(minutes=12)
"""longer than the host holds a message: a request that is overdue by this has none, or has it in vain"""
_ASK_AFTER: Final = timedelta(minutes=30)
_ASK_AT_MOST: Final = timedelta(hours=24)
_GIVEN_UP_AFTER: Final = timedelta(days=4)
"""Twilio keeps a text for 10 hours at most, a carrier tries for three days, and a call lasts a day: then nothing more
comes, though many carriers send no receipt and `sent` stays the last word. Twilio advises to ask after 12 hours
(https://www.twilio.com/docs/messaging/guides/outbound-message-logging); it is asked once a day until then"""
_BAD_ONE_AGAIN: Final = timedelta(minutes=15)
_UNCLAIMED_FOR: Final = timedelta(hours=1)


class Stuck:
    """Goes through the open deliveries whose time to be looked at has come."""

    def __init__(
        self,
        *,
        log: DeliveryLog,
        entries: OpenDeliveries,
        queue: Queue,
        provider: Callable[[], Provider],
        settle: timedelta,
        account: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._entries = entries
        self._queue = queue
        self._provider = provider
        self._settle = settle
        self._account = account
        self._clock = clock

    async def look_after(self, *, until: datetime) -> int:
        """Look after what is due, up to the moment `until`; return how many were. The rest is due the next time."""
        count = 0
        async for entry in self._entries.due(self._clock()):
            if self._clock() >= until:
                break
            try:
                await self._look_at(entry)
            except Exception as exc:  # noqa: BLE001 - one that can't be looked after must not keep all others waiting
                # the text of an SDK's error holds URLs
                about(_logger, entry.delivery_id).error("it could not be looked after: %s", traced(exc))
                await self._entries.put_off(entry, until=self._clock() + _BAD_ONE_AGAIN)
            else:
                count += 1
        return count

    async def _look_at(self, entry: OpenEntry) -> None:
        now = self._clock()
        delivery = await self._log.get(entry.delivery_id)
        if delivery is None:
            # written before the claim: the claim may be about to come
            if now - entry.written_at > _UNCLAIMED_FOR:
                await self._entries.close(entry)
            return
        delivery = await self._log.fold_again(delivery)
        if delivery.is_final or delivery.erased:
            await self._entries.close(entry)
            return
        again = await self._next_time(delivery, now)
        if again is None:
            await self._entries.close(entry)
        else:
            await self._entries.put_off(entry, until=again)

    async def _next_time(self, delivery: Delivery, now: datetime) -> datetime | None:
        if delivery.is_ours_to_send:
            return await self._wake(delivery, now)
        if delivery.account in {None, self._account}:
            return await self._ask(delivery, now)
        # the other account does not have it, which says nothing; the setting may be changed back
        return _ask_later(delivery, now)

    async def _wake(self, delivery: Delivery, now: datetime) -> datetime:
        overdue = due_at(delivery, settle=self._settle) + _LOST_AFTER
        if now < overdue:
            return overdue
        about(_logger, delivery.id).warning("%s: its message is overdue and enqueued again", delivery.status)
        await self._queue.put(delivery.request or b"")
        return now + max(_LOST_AFTER, min(now - delivery.updated_at, _ASK_AT_MOST))

    async def _ask(self, delivery: Delivery, now: datetime) -> datetime | None:
        """Ask Twilio what became of it, and return when to ask again; None where nothing more will be known."""
        quiet = now - delivery.updated_at
        if quiet < _ASK_AFTER:
            return delivery.updated_at + _ASK_AFTER
        if delivery.sid is None:
            return None
        ask = self._provider().message if delivery.channel == "sms" else self._provider().call
        try:
            resource = await ask(delivery.sid)
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            about(_logger, delivery.id).warning("Twilio could not be asked about it: %s", exc)
            return now + _ASK_AFTER
        if resource is None:
            about(_logger, delivery.id).error("Twilio has it no more")
            return None
        after = await self._log.record(delivery, seen(resource, source="asked", at=now))
        if after == delivery and quiet >= _GIVEN_UP_AFTER:
            about(_logger, delivery.id).warning("%s: no news for days, and none expected", after.status)
            return None
        return None if after.is_final else now + min(max(quiet, _ASK_AFTER), _ASK_AT_MOST)


def _ask_later(delivery: Delivery, now: datetime) -> datetime | None:
    quiet = now - delivery.updated_at
    return None if quiet >= _GIVEN_UP_AFTER else now + min(max(quiet, _ASK_AFTER), _ASK_AT_MOST)
