"""Sending: claim a request, send it, record what Twilio said. See README, "Sent once"."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from shared.deliveries import status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import Fault, RequestInvalid, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.logs import about
from shared.outbound import parameters
from shared.outbound.claim import Attempt, Next, claimed_again, new_delivery, next_step
from shared.outbound.decode import Decoded, channel_of, decode
from shared.outbound.outcome import Decision, decide
from shared.outbound.request import Request
from shared.queues import Queue
from shared.settings import Settings
from shared.text.numbers import mask

_logger: Final = logging.getLogger(__name__)
_REASONS: Final = 100
"""so many faults of a message are told; the message itself is kept whole"""
_FIRST_DELAY: Final = timedelta(seconds=5)
_LONGEST_DELAY: Final = timedelta(minutes=15)
_LONGEST_ASKED: Final = timedelta(days=7)
"""longer than any request of ours waits in a queue, whatever Twilio asks for"""

SendError = TwilioRefused | TwilioUnavailable | TwilioUnclear | TooLate


class Accepted(Protocol):
    """Twilio's answer to a create."""

    @property
    def sid(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def answer(self) -> dict[str, Any]: ...  # noqa: D102


class Provider(Protocol):
    """What sending needs of Twilio; `shared.twilio_api.TwilioApi` is the real one."""

    async def create_message(self, parameters: dict[str, Any], *, not_after: float) -> Accepted: ...  # noqa: D102
    async def create_call(self, parameters: dict[str, Any], *, not_after: float) -> Accepted: ...  # noqa: D102


class Sender:
    """Takes messages of the outbound queue. A message that `take` returned from may be deleted from the queue."""

    def __init__(
        self,
        *,
        settings: Settings,
        log: DeliveryLog,
        queue: Queue,
        provider: Provider,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._log = log
        self._queue = queue
        self._provider = provider
        self._clock = clock

    async def take(self, message_id: str, message: bytes) -> None:
        """Send what a message asks for, once.

        Raises:
            Changed, azure.core's errors: nothing is lost; the same message must be taken again.
        """
        try:
            decoded = decode(message, self._settings)
        except RequestInvalid as exc:
            await self._reject(message_id, message, exc.faults)
            return
        attempt = Attempt.begin(self._clock())
        claimed = await self._log.claim(new_delivery(decoded, message, attempt))
        if claimed is not None:
            await self._submit(claimed, decoded.request, attempt)
        else:
            await self._take_again(message_id, message, decoded)

    async def _take_again(self, message_id: str, message: bytes, decoded: Decoded) -> None:
        now = self._clock()
        delivery = await self._log.get(decoded.request.id)
        if delivery is None:
            await self._queue.put(message, delay=_FIRST_DELAY)
            return
        match next_step(delivery, content=decoded.hash, now=now):
            case Next.ACKNOWLEDGE:
                about(_logger, delivery.id).info("a duplicate: it is %s already", delivery.status)
            case Next.REFUSE:
                problem = "expected the content that this id was first used with, other content came"
                await self._reject(message_id, message, (Fault("id", problem),))
            case Next.COME_BACK:
                until = (delivery.deadline if delivery.status == status.SUBMITTING else delivery.next_attempt_at) or now
                await self._queue.put(message, delay=until - now + timedelta(seconds=1))
            case Next.FIND_OUT:
                await self._leave_uncertain(delivery, now)
            case Next.SEND:
                attempt = Attempt.begin(now)
                claimed = await self._log.change(delivery, claimed_again(delivery, attempt))
                await self._submit(claimed, decoded.request, attempt)

    async def _submit(self, delivery: Delivery, request: Request, attempt: Attempt) -> None:
        now = self._clock()
        expires_at = delivery.expires_at or now
        if now >= expires_at:
            await self._end(delivery, status.EXPIRED, {"expires_at": expires_at})
            return
        try:
            if request.channel == "sms":
                of_message = parameters.of_message(request, self._settings, expires_at=expires_at, now=now)
                accepted = await self._provider.create_message(of_message, not_after=attempt.not_after)
            else:
                of_call = parameters.of_call(request, self._settings)
                accepted = await self._provider.create_call(of_call, not_after=attempt.not_after)
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            await self._record_error(delivery, exc)
        else:
            await self._record_accepted(delivery, accepted)

    async def _record_accepted(self, delivery: Delivery, accepted: Accepted) -> None:
        now = self._clock()
        about(_logger, delivery.id).info("accepted by Twilio", extra={"sid": accepted.sid, "to": mask(delivery.to)})
        await self._log.own_sid(accepted.sid, delivery.id)
        event = Event(
            key=f"{accepted.sid}:answer",
            status=accepted.status,
            at=now,
            sid=accepted.sid,
            raw=accepted.answer,
        )
        await self._log.record(delivery, event)

    async def _record_error(self, delivery: Delivery, error: SendError) -> None:
        about(_logger, delivery.id).warning("not sent: %s", error)
        reason = {"reason": str(error)}
        match decide(error):
            case Decision.RETRY:
                await self._retry(delivery, error)
            case Decision.FIND_OUT:
                await self._end(delivery, status.UNCERTAIN, reason, code=error_code(error))
            case Decision.SUPPRESS if delivery.channel == "sms":
                await self._end(delivery, status.SUPPRESSED, reason, code=error_code(error), text=explanation(error))
            case Decision.SUPPRESS | Decision.FAIL:
                await self._end(delivery, status.FAILED, reason, code=error_code(error), text=explanation(error))

    async def _retry(self, delivery: Delivery, error: SendError) -> None:
        now = self._clock()
        delay = back_off(delivery.attempts, retry_after=getattr(error, "retry_after", None), jitter=random.random())  # noqa: S311 - no secret
        due = now + delay
        if delivery.expires_at is not None and due >= delivery.expires_at:
            await self._end(delivery, status.EXPIRED, {"reason": str(error)}, code=error_code(error))
            return
        # the wake-up stands before the state that relies on it
        await self._queue.put(delivery.request or b"", delay=delay)
        after = msgspec.structs.replace(
            delivery,
            status=status.RETRYING,
            next_attempt_at=due,
            error_code=error_code(error),
            error_message=str(error),
            updated_at=now,
        )
        await self._log.change(delivery, after, _own_event(after, {"reason": str(error), "next_attempt_at": due}))

    async def _leave_uncertain(self, delivery: Delivery, now: datetime) -> None:
        if delivery.status == status.UNCERTAIN:
            return
        about(_logger, delivery.id).warning(
            "an attempt ended without saying how", extra={"deadline": delivery.deadline}
        )
        after = msgspec.structs.replace(delivery, status=status.UNCERTAIN, updated_at=now)
        reason = "the attempt's time passed and its outcome is not on record"
        await self._log.change(delivery, after, _own_event(after, {"reason": reason}))

    async def _end(
        self,
        delivery: Delivery,
        word: str,
        raw: dict[str, Any],
        *,
        code: int | None = None,
        text: str | None = None,
    ) -> None:
        after = msgspec.structs.replace(
            delivery, status=word, error_code=code, error_message=text, updated_at=self._clock()
        )
        await self._log.change(delivery, after, _own_event(after, raw))

    async def _reject(self, message_id: str, message: bytes, faults: tuple[Fault, ...]) -> None:
        now = self._clock()
        shown = tuple(map(str, faults[:_REASONS]))
        more = (f"and {len(faults) - _REASONS} more",) if len(faults) > _REASONS else ()
        rejected = Delivery(
            id=message_id,
            channel=channel_of(message),
            direction="outbound",
            status=status.REJECTED,
            created_at=now,
            updated_at=now,
            reasons=shown + more,
            error_message="; ".join(shown)[:1000],
            request=message,
        )
        about(_logger, message_id).error("a message that can't be sent: %d faults", len(faults))
        await self._log.file(rejected, _own_event(rejected, {"reasons": rejected.reasons}))


def back_off(attempts: int, *, retry_after: float | None, jitter: float) -> timedelta:
    """Return how long to wait after so many attempts: doubling, up to a bound, never less than Twilio asked for.

    `jitter` is a random number from 0 to 1: it takes up to half away, so that many do not come back at once.
    """
    doubled: timedelta = min(_FIRST_DELAY * 2 ** min(attempts - 1, 20), _LONGEST_DELAY)
    asked = timedelta(seconds=min(retry_after or 0, _LONGEST_ASKED.total_seconds()))
    return max(doubled * (1 - jitter / 2), asked)


def error_code(error: SendError) -> int | None:
    """Return Twilio's code, where the error carries one."""
    return getattr(error, "code", None)


def explanation(error: SendError) -> str | None:
    """Return Twilio's own words, where the error carries them."""
    return getattr(error, "explanation", None)


def _own_event(delivery: Delivery, raw: dict[str, Any]) -> Event:
    return Event(
        key=f"{delivery.attempt or delivery.id}:{delivery.status}",
        status=delivery.status,
        at=delivery.updated_at,
        error_code=delivery.error_code,
        error_message=delivery.error_message,
        raw=raw,
    )
