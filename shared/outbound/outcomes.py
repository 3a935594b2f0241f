"""What an attempt's outcome does to its delivery: events, state, and the wake-up of whatever goes on later."""

import logging
import random
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from azure.core.exceptions import AzureError

from shared.consents import Consents
from shared.consents.consent import refused
from shared.deliveries import addresses, status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import (
    Changed,
    Fault,
    SwitchboardError,
    TooLate,
    TwilioRefused,
    TwilioUnavailable,
    TwilioUnclear,
)
from shared.logs import about
from shared.outbound.claim import settled_at
from shared.outbound.gate import Gate
from shared.outbound.internal import to_take_again
from shared.outbound.message import channel_of, id_of, metadata_of, origin_of
from shared.outbound.outcome import Decision, decide, is_unknown, wait_for
from shared.outbound.provider import Resource
from shared.queues import Queue
from shared.table_service.limits import cut
from shared.text.numbers import mask

_logger: Final = logging.getLogger(__name__)
_REASONS: Final = 100
"""so many faults of a message are told; the message itself is kept whole"""
_LONGEST_NAMED: Final = 200
_LONGEST_FAULT: Final = 500
"""UTF-16 units of each"""
_LONGEST_REASON: Final = 1000
"""UTF-16 units of `error_message`, where it tells faults of a message"""
_FIRST_DELAY: Final = timedelta(seconds=5)
_LONGEST_DELAY: Final = timedelta(minutes=15)
_LONGEST_ASKED: Final = timedelta(days=7)
"""longer than any request of ours waits in a queue, whatever Twilio asks for"""

SendError = TwilioRefused | TwilioUnavailable | TwilioUnclear | TooLate


class Outcomes:
    """Puts on record how attempts ended. Wake-ups are written before the state that relies on them.

    Its methods raise Changed where somebody else changed the delivery meanwhile, and azure.core's errors: the message
    must be taken again then, and nothing is lost. Once a wake-up is written they raise nothing more, see `_follow_up`.
    """

    def __init__(
        self,
        *,
        log: DeliveryLog,
        queue: Queue,
        consents: Consents,
        gate: Gate,
        settle: timedelta,
        clock: Callable[[], datetime],
        region: str | None = None,
        own: AbstractSet[str] = frozenset(),
    ) -> None:
        """`region` and `own` are the country of national numbers and the app's own ones, in messages to be rejected."""
        self._log = log
        self._queue = queue
        self._consents = consents
        self._gate = gate
        self._settle = settle
        self._clock = clock
        self._region = region
        self._own = own

    async def accepted(self, delivery: Delivery, resource: Resource, *, at: datetime, source: str = "answer") -> bool:
        """Put on record that Twilio has it since `at`, to our knowledge; `source` says how that is known.

        Return False where the SID belongs to another delivery, which looked for its own and found this one: then the
        other's own may be there as well, without an owner, and is looked for before this request is sent again.
        """
        if source == "answer":
            await self._gate.open()
        if await self._log.own_sid(resource.sid, delivery.id) != delivery.id:
            await self.doubt(delivery, reason="its SID belongs to another delivery that is like it")
            return False
        about(_logger, delivery.id).info("at Twilio: %s %s, to %s", resource.sid, resource.status, mask(delivery.to))
        await self._log.record(delivery, seen(resource, source=source, at=at))
        return True

    async def failed(self, delivery: Delivery, error: SendError) -> None:
        """Put on record what an attempt met with, and what follows from it."""
        reason = {"reason": str(error)}
        code = _code(error)
        await self._gate.heed(error, self._clock())
        if is_unknown(error):
            about(_logger, delivery.id).error("a code that this app does not know, %s: permanent", code)
        match decide(error, before=delivery.error_code):
            case Decision.RETRY | Decision.HOLD:
                await self._retry(delivery, error)
            case Decision.ONCE_MORE if self._is_valid_in(delivery, wait_for(error)):
                await self._retry(delivery, error, at_least=wait_for(error))
            case Decision.FIND_OUT:
                await self.doubt(delivery, reason=str(error), code=code, at_least=asked_for(error))
            case Decision.SUPPRESS if delivery.channel == "sms":
                about(_logger, delivery.id).warning("suppressed: %s", error)
                said = refused(delivery, code, sender=delivery.from_ or "", at=self._clock())
                await self._consents.record(said)
                await self.end(delivery, status.SUPPRESSED, reason, code=code, text=_explanation(error))
            case Decision.SUPPRESS | Decision.FAIL | Decision.ONCE_MORE:
                about(_logger, delivery.id).error("failed, refused for good: %s", error)
                await self.end(delivery, status.FAILED, reason, code=code, text=_explanation(error))

    async def doubt(
        self, delivery: Delivery, *, reason: str, code: int | None = None, at_least: timedelta = timedelta(0)
    ) -> None:
        """Say that the outcome of the last attempt is not known, and come back when it can be found out.

        `at_least` is the pause that the answer asked for; the look comes no later than the request expires.
        """
        now = self._clock()
        asked = min(now + at_least, delivery.expires_at or now + at_least)
        due = max(settled_at(delivery, settle=self._settle), asked, now)
        about(_logger, delivery.id).warning(
            "uncertain, not known whether it was sent: %s, looked for at %s", reason, shown(due)
        )
        await self._queue.put(to_take_again(delivery.id, delivery.request), delay=due - now)
        after = msgspec.structs.replace(
            delivery,
            status=status.UNCERTAIN,
            next_attempt_at=due,
            error_code=code,
            error_message=reason,
            updated_at=now,
        )
        await self._follow_up(delivery, self._log.change(delivery, after, own_event(after, {"reason": reason})))

    async def look_again(self, before: Delivery, after: Delivery, *events: Event, delay: timedelta) -> None:
        """Look for it again after `delay`; until then the delivery is as in `after`.

        The delay is on record: a message that comes earlier, such as a duplicate, is put back.
        """
        now = self._clock()
        await self._queue.put(to_take_again(before.id, before.request), delay=delay)
        waiting = msgspec.structs.replace(after, next_attempt_at=now + delay, left_at=None, updated_at=now)
        await self._follow_up(before, self._log.change(before, waiting, *events))

    async def end(
        self, delivery: Delivery, word: str, raw: dict[str, Any], *, code: int | None = None, text: str | None = None
    ) -> None:
        """End a delivery that Twilio doesn't have."""
        after = msgspec.structs.replace(
            delivery,
            status=word,
            error_code=code,
            error_message=text,
            next_attempt_at=None,
            waits_for=None,
            updated_at=self._clock(),
        )
        await self._change(delivery, after, own_event(after, raw))

    async def expire(self, delivery: Delivery) -> None:
        """End a delivery whose time is over; what held it up stays on record."""
        held_up = f"; before that: {delivery.error_message}" if delivery.error_message else ""
        text = f"expired{held_up}"
        about(_logger, delivery.id).info("not sent: %s", text)
        await self.end(
            delivery, status.EXPIRED, {"expires_at": delivery.expires_at}, code=delivery.error_code, text=text
        )

    async def suppress(self, delivery: Delivery) -> None:
        """End a text whose recipient is on record as one who wants none from its sender."""
        reason = "the recipient opted out of this sender"
        about(_logger, delivery.id).info("suppressed, not sent: %s, to %s", reason, mask(delivery.to))
        await self.end(delivery, status.SUPPRESSED, {"reason": reason}, text=reason)

    async def withdraw(self, delivery: Delivery, faults: tuple[Fault, ...]) -> None:
        """End a delivery that Twilio doesn't have and whose request is not allowed any more."""
        reasons = _told(faults)
        text = cut("; ".join(reasons), _LONGEST_REASON)
        about(_logger, delivery.id).error("it can't be sent any more: %s", text)
        after = msgspec.structs.replace(
            delivery,
            status=status.REJECTED,
            error_code=None,
            error_message=text,
            reasons=reasons,
            next_attempt_at=None,
            waits_for=None,
            updated_at=self._clock(),
        )
        # whatever happened since it was looked for makes this fail, as it does a claim
        await self._log.change(delivery, after, own_event(after, {"reasons": reasons}))

    async def hold(self, delivery: Delivery, wait: timedelta) -> None:
        """Put off a delivery while Twilio turns the whole account away."""
        error = TwilioUnavailable("Twilio turns this account away", code=self._gate.code)
        await self._retry(delivery, error, at_least=wait, level=logging.INFO)

    async def reject(self, message_id: str, message: bytes, faults: tuple[Fault, ...]) -> None:
        """Put a message that can't be sent on record, whole, with every reason, under its own id."""
        now = self._clock()
        reasons = _told(faults)
        text = cut("; ".join(reasons), _LONGEST_REASON)
        ends = addresses.read(message, region=self._region)
        rejected = Delivery(
            id=message_id,
            channel=channel_of(message),
            direction="outbound",
            status=status.REJECTED,
            created_at=now,
            updated_at=now,
            to=ends.to,
            from_=ends.from_,
            mentions=tuple(address for address in ends.all if address != ends.to and address not in self._own),
            reasons=reasons,
            named=cut(id_of(message) or "", _LONGEST_NAMED) or None,
            origin=origin_of(message),
            error_message=text,
            metadata=metadata_of(message),
            request=message,
        )
        about(_logger, message_id).error("rejected, a message that can't be sent: %s", text)
        await self._log.file(rejected, own_event(rejected, {"reasons": rejected.reasons}))

    async def _retry(
        self, delivery: Delivery, error: SendError, *, at_least: timedelta = timedelta(0), level: int = logging.WARNING
    ) -> None:
        now = self._clock()
        at_least = max(asked_for(error), at_least)
        delay = back_off(delivery.attempts, at_least=at_least, jitter=random.random())  # noqa: S311 - no secret
        due = now + delay
        if delivery.expires_at is not None and due >= delivery.expires_at:
            due = delivery.expires_at
        about(_logger, delivery.id).log(level, "retrying, not processed: %s, again at %s", error, shown(due))
        await self._queue.put(to_take_again(delivery.id, delivery.request), delay=due - now)
        after = msgspec.structs.replace(
            delivery,
            status=status.RETRYING,
            next_attempt_at=due,
            error_code=_code(error),
            error_message=str(error),
            updated_at=now,
        )
        event = own_event(after, {"reason": str(error), "next_attempt_at": due})
        await self._follow_up(delivery, self._change(delivery, after, event))

    def _is_valid_in(self, delivery: Delivery, wait: timedelta) -> bool:
        return delivery.expires_at is None or self._clock() + wait < delivery.expires_at

    async def _follow_up(self, delivery: Delivery, change: Awaitable[object]) -> None:
        """Write the state that a wake-up stands for; where that fails, it is left to the wake-up.

        To raise would bring the message that was taken back beside its wake-up, and both would do the same again: one
        becomes two, four, eight. And nothing is lost. The wake-up holds the whole request, and it is the row that
        decides what becomes of it: either somebody else changed it, and that holds; or it still says `submitting`, and
        is doubted again once the attempt's time is over, looked for, and sent where the look finds nothing.
        """
        try:
            await change
        except (Changed, AzureError) as exc:
            about(_logger, delivery.id).warning("its state is left to its message, which comes: %s", type(exc).__name__)

    async def _change(self, before: Delivery, after: Delivery, event: Event) -> None:
        """Change a delivery as the outcome of its attempt wants it, also where somebody came to doubt that attempt."""
        try:
            await self._log.change(before, after, event)
        except Changed:
            now = await self._log.get(before.id)
            if now is None or now.status != status.UNCERTAIN or (now.attempt, now.sid) != (before.attempt, before.sid):
                raise
            await self._log.change(now, msgspec.structs.replace(after, version=now.version), event)


def back_off(attempts: int, *, at_least: timedelta, jitter: float) -> timedelta:
    """Return how long to wait after so many attempts: doubling, up to a bound, never less than was asked for.

    `jitter` is a random number from 0 to 1: it takes up to half away, so that many do not come back at once.
    """
    doubled: timedelta = min(_FIRST_DELAY * 2 ** min(attempts - 1, 20), _LONGEST_DELAY)
    return max(doubled * (1 - jitter / 2), at_least * (1 + jitter / 4))


def asked_for(error: SwitchboardError) -> timedelta:
    """Return the pause that an answer asked for (Retry-After), in reason."""
    return timedelta(seconds=min(getattr(error, "retry_after", None) or 0, _LONGEST_ASKED.total_seconds()))


def shown(moment: datetime) -> str:
    """Return a moment (UTC) as log lines tell it, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def seen(resource: Resource, *, source: str, at: datetime) -> Event:
    """Return the event of having seen a message or a call at Twilio."""
    return Event(
        key=f"{resource.sid}:{source}" if source == "answer" else f"{resource.sid}:{source}:{resource.status}",
        status=resource.status,
        at=at,
        sid=resource.sid,
        error_code=resource.error_code,
        error_message=resource.error_message,
        raw=resource.answer,
    )


def since_replay(delivery: Delivery) -> str:
    """Return what tells the events after a delivery's last replay from those before it; nothing before the first."""
    return "" if delivery.replayed_at is None else f"{delivery.replayed_at:%Y%m%dT%H%M%S%f}"


def own_event(delivery: Delivery, raw: dict[str, Any], *, key: str | None = None, by: str | None = None) -> Event:
    """Return the event of this app's own change of a delivery; `key` where its status alone doesn't tell it apart.

    `by` is who asked for the change. A replay may end before another attempt begins, as it did before: that is another
    event.
    """
    word = key or f"{delivery.status}:{since_replay(delivery)}".rstrip(":")
    return Event(
        key=f"{delivery.attempt or delivery.id}:{word}",
        status=delivery.status,
        at=delivery.updated_at,
        error_code=delivery.error_code,
        error_message=delivery.error_message,
        by=by,
        raw=raw,
    )


def _told(faults: tuple[Fault, ...]) -> tuple[str, ...]:
    """Return the reasons that are kept of faults: the first of them, each cut to a length that a person reads."""
    told = tuple(cut(str(fault), _LONGEST_FAULT) for fault in faults[:_REASONS])
    return (*told, f"and {len(faults) - _REASONS} more") if len(faults) > _REASONS else told


def _code(error: SendError) -> int | None:
    return getattr(error, "code", None)


def _explanation(error: SendError) -> str | None:
    return getattr(error, "explanation", None)
