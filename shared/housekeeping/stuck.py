"""Deliveries without a final status: brought up to date, asked about at Twilio, or given their message back.

Nothing is sent here: a delivery whose message is gone gets the request that it holds enqueued again, and the sender
decides as ever.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

from shared.calendar.ahead import AHEAD
from shared.deliveries import keys
from shared.deliveries.keys import Action
from shared.deliveries.log import DeliveryLog
from shared.deliveries.open import OpenDeliveries, OpenEntry
from shared.deliveries.record import Delivery
from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.housekeeping.pauses import Pauses
from shared.housekeeping.rounds import go_through
from shared.logs import about, traced
from shared.outbound.claim import due_at
from shared.outbound.internal import to_take_again
from shared.outbound.outcomes import seen
from shared.outbound.provider import Provider
from shared.queues import Queue

_logger: Final = logging.getLogger(__name__)
_A_MINUTE: Final = timedelta(minutes=1)
_LOST_AFTER: Final = timedelta(minutes=12)
"""longer than the host holds a message: a request that is overdue by this has none, or has it in vain"""
_ASK_AFTER: Final = timedelta(minutes=30)
_AT_MOST: Final = timedelta(hours=24)
_WAKE_PAUSES: Final = Pauses(first=_LOST_AFTER, factor=2, most=_AT_MOST)
ASK_PAUSES: Final = Pauses(first=_ASK_AFTER, factor=8, most=_AT_MOST)
"""after 30 minutes, 4 hours, then once a day: six questions about a text without receipts. The arithmetic stands in
docs/explanation/performance.md"""
GIVEN_UP_AFTER: Final = timedelta(days=4)
"""Twilio keeps a text for 10 hours at most, a carrier tries for three days, and a call lasts a day: then nothing more
comes, though many carriers send no receipt and `sent` stays the last word. Twilio advises to ask after 12 hours
(https://www.twilio.com/docs/messaging/guides/outbound-message-logging)"""
_BAD_ONE_AGAIN: Final = timedelta(minutes=15)
_UNCLAIMED_FOR: Final = timedelta(hours=1)
_AT_ONCE: Final = 32
AT_TWILIO: Final = 16
"""requests to Twilio at once; its limit for an account is not documented, and texts need room below it"""


class Stuck:
    """Goes through the open deliveries whose time has come: first those still to be sent, then those Twilio has."""

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
        self._at_twilio = asyncio.Semaphore(AT_TWILIO)

    async def wake(self, *, until: datetime) -> int:
        """Enqueue the requests whose message is gone, up to the moment `until`; return how many entries were done.

        New deliveries that Twilio has are only listed to be asked about: nothing here waits for Twilio.
        """
        now = self._clock()
        moved = await self._go_through(self._entries.former(now), self._move, now + (until - now) / 2)
        return moved + await self._go_through(self._entries.due("wake", now + AHEAD), self._look_at, until)

    async def ask(self, *, until: datetime) -> int:
        """Ask Twilio about the deliveries that it has, up to the moment `until`; return how many entries were done."""
        return await self._go_through(self._entries.due("ask", self._clock() + AHEAD), self._look_at, until)

    async def _go_through(
        self, found: AsyncGenerator[OpenEntry], do: Callable[[OpenEntry], Awaitable[None]], until: datetime
    ) -> int:
        async with aclosing(found) as entries:
            done = await go_through(
                entries, lambda entry: self._try(do, entry), at_once=_AT_ONCE, until=until, clock=self._clock
            )
        if done.next is not None:
            overdue = max(self._clock() - done.next.look_at, timedelta(0)) // _A_MINUTE
            _logger.warning(
                "%s open deliveries are left for the next run, to %s: the first has been due for %d minutes",
                done.left_in_words,
                "move" if done.next.is_former else done.next.action,
                overdue,
            )
        return done.count

    async def _try(self, do: Callable[[OpenEntry], Awaitable[None]], entry: OpenEntry) -> bool:
        """Look after one; one that can't be looked after must not keep all others waiting."""
        try:
            await do(entry)
        except Exception as exc:  # noqa: BLE001 - whatever is wrong with it
            # the text of an SDK's error holds URLs
            about(_logger, entry.delivery_id).error("it could not be looked after: %s", traced(exc))
            # where storage fails here, too, the entry stays, and the next run begins with it
            with contextlib.suppress(Exception):
                if not entry.is_former:
                    await self._entries.put_off(entry, until=self._clock() + _BAD_ONE_AGAIN)
            return False
        return True

    async def _look_at(self, entry: OpenEntry) -> None:
        # an entry that is read early is looked at as if its time had come
        now = max(self._clock(), entry.look_at)
        delivery = await self._log.get(entry.delivery_id)
        if delivery is None or not (delivery.erased or entry.is_of(delivery)):
            await self._close_if_unclaimed(entry, now)
            return
        if not delivery.is_final:
            delivery = await self._log.fold_again(delivery)
        if delivery.is_final or delivery.erased:
            await self._entries.close(entry)
            return
        action: Action = "wake" if delivery.is_ours_to_send else "ask"
        if action == "wake":
            again: datetime | None = await self._wake(delivery, now)
        elif entry.action != "ask":
            again = delivery.updated_at + _ASK_AFTER
        elif delivery.account in {None, self._account}:
            again = await self._ask(delivery, now)
        else:
            again = _ask_later(delivery, now)
        if again is None:
            await self._entries.close(entry)
        else:
            await self._entries.move(entry, action, delivery, until=again)

    async def _close_if_unclaimed(self, entry: OpenEntry, now: datetime) -> None:
        """Close an entry that is not the delivery's own, unless it is so new that its claim may be about to come."""
        if now - entry.written_at > _UNCLAIMED_FOR:
            await self._entries.close(entry)

    async def _move(self, entry: OpenEntry) -> None:
        """List a delivery as this version does, at the time that an earlier version chose."""
        delivery = await self._log.get(entry.delivery_id)
        is_own = delivery is not None and entry.row_key == keys.former_open_key(delivery)
        if delivery is None or not (delivery.erased or is_own):
            await self._close_if_unclaimed(entry, self._clock())
        elif delivery.is_final or delivery.erased:
            await self._entries.close(entry)
        else:
            action: Action = "wake" if delivery.is_ours_to_send else "ask"
            await self._entries.move(entry, action, delivery, until=entry.look_at)

    async def _wake(self, delivery: Delivery, now: datetime) -> datetime:
        due = due_at(delivery, settle=self._settle)
        if now < due + _LOST_AFTER:
            return due + _LOST_AFTER
        about(_logger, delivery.id).warning("%s: its message is overdue and enqueued again", delivery.status)
        await self._queue.put(to_take_again(delivery.id, delivery.request))
        return _WAKE_PAUSES.next_step(due, now)

    async def _ask(self, delivery: Delivery, now: datetime) -> datetime | None:
        """Ask Twilio what became of it, and return when to ask again; None where nothing more will be known."""
        quiet = now - delivery.updated_at
        if quiet < _ASK_AFTER:
            return delivery.updated_at + _ASK_AFTER
        if delivery.sid is None:
            return None
        ask = self._provider().message if delivery.channel == "sms" else self._provider().call
        try:
            async with self._at_twilio:
                resource = await ask(delivery.sid)
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            about(_logger, delivery.id).warning("Twilio could not be asked about it: %s", exc)
            return now + _ASK_AFTER
        if resource is None:
            about(_logger, delivery.id).error("Twilio has it no more")
            return None
        after = await self._log.record(delivery, seen(resource, source="asked", at=now))
        if after == delivery and quiet >= GIVEN_UP_AFTER:
            about(_logger, delivery.id).warning("%s: no news for days, and none expected", after.status)
            return None
        return None if after.is_final else ASK_PAUSES.next_step(after.updated_at, now)


def _ask_later(delivery: Delivery, now: datetime) -> datetime | None:
    """Return when to ask about a delivery of another Twilio account: TWILIO_ACCOUNT_SID may be set back."""
    # that the present account does not have it says nothing
    is_given_up = now - delivery.updated_at >= GIVEN_UP_AFTER
    return None if is_given_up else ASK_PAUSES.next_step(delivery.updated_at, now)
