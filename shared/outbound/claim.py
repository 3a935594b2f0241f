"""Claiming: who may send a request, and what to do with a message whose request somebody claimed before. Pure."""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

import msgspec

from shared.deliveries import status
from shared.deliveries.record import Delivery
from shared.outbound.checks import plain_body
from shared.outbound.decode import Decoded
from shared.outbound.message import asked
from shared.outbound.request import Request
from shared.outbound.waiting import Wait
from shared.seal import SEALED
from shared.text.segments import count

OTHER_CONTENT: Final = "expected the content that this id was first used with, other content came"
_SENDS_IN_AN_ATTEMPT: Final = 2
"""an attempt has the time of two sends: one to claim, one to send; no send begins that could end later"""
_BETWEEN_LOOKS: Final = timedelta(seconds=1)
"""the least time between two looks, where RECONCILE_AFTER_SECONDS is 0"""


def ticks() -> float:
    """Return seconds of a clock that nobody sets and that goes on while the machine is suspended."""
    # Linux's monotonic clock stands still in a suspended machine, where others go on
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a request: a token that nobody else has, and the end of its time by both clocks."""

    token: str
    begun: datetime
    not_after: float
    """when (by `ticks`) Twilio's answer must be in"""
    deadline: datetime
    """the same moment, as others see it"""
    account: str | None = None
    """the SID of the Twilio account that it is made in"""

    @classmethod
    def begin(cls, now: datetime, *, send_seconds: float, account: str | None = None) -> "Attempt":
        """Begin an attempt; its time runs from here, so begin it before the claim is written."""
        lasts = _SENDS_IN_AN_ATTEMPT * send_seconds
        return cls(
            token=uuid.uuid4().hex,
            begun=now,
            not_after=ticks() + lasts,
            deadline=now + timedelta(seconds=lasts),
            account=account,
        )


def new_delivery(decoded: Decoded, message: bytes, attempt: Attempt, *, enqueued_at: datetime | None) -> Delivery:
    """Return the delivery that claims a request for its first attempt; it may wait from `enqueued_at` on."""
    request = decoded.request
    first = _unattempted(decoded, message, attempt, may_be_sent=decoded.due or enqueued_at or attempt.begun)
    return claimed_again(first, attempt, request)


def waiting_delivery(
    decoded: Decoded, message: bytes, attempt: Attempt, wait: Wait, *, enqueued_at: datetime | None
) -> Delivery:
    """Return the delivery of a request that nobody attempts yet."""
    may_be_sent = max(decoded.due or enqueued_at or attempt.begun, wait.until)
    return put_off(_unattempted(decoded, message, attempt, may_be_sent=may_be_sent), wait, now=attempt.begun)


def _unattempted(decoded: Decoded, message: bytes, attempt: Attempt, *, may_be_sent: datetime) -> Delivery:
    request = decoded.request
    counted = count(request.body) if request.channel == "sms" and request.body is not None else None
    return Delivery(
        id=request.id,
        channel=request.channel,
        direction="outbound",
        status=status.SCHEDULED,
        created_at=attempt.begun,
        updated_at=attempt.begun,
        to=request.to,
        from_=request.from_,
        metadata=request.metadata or {},
        request=message,
        request_hash=decoded.hash,
        attempt=attempt.token,
        expires_at=request.expires_at or max(may_be_sent, request.send_at or may_be_sent) + decoded.valid_for,
        origin=decoded.origin,
        text=(request.body or request.say) if request.template is not None else None,
        encoding=counted.encoding if counted is not None else None,
        segments=counted.segments if counted is not None else None,
    )


def as_recorded(request: Request, delivery: Delivery) -> Request:
    """Return a request as its first attempt had it, whatever became of defaults and templates since.

    What an attempt left at Twilio is looked for by it, and a later attempt says the same.
    """
    text = {"say" if request.channel == "call" else "body": delivery.text} if delivery.text is not None else {}
    return msgspec.structs.replace(request, id=delivery.id, to=delivery.to or request.to, from_=delivery.from_, **text)


def recalled(delivery: Delivery, *, plain_punctuation: bool) -> Request:
    """Return as much of a recorded request as a look for it needs, where it is not allowed any more as it stands."""
    document = asked(delivery.request or b"{}")
    body = document.get("body")
    first = Request(
        id=delivery.id,
        channel=delivery.channel or "sms",
        to=delivery.to or "",
        body=plain_body(body) if body and plain_punctuation else body,
    )
    return as_recorded(first, delivery)


def claimed_again(delivery: Delivery, attempt: Attempt, request: Request) -> Delivery:
    """Return the delivery as an attempt claims it."""
    return msgspec.structs.replace(
        delivery,
        status=status.SUBMITTING,
        attempts=delivery.attempts + 1,
        attempt=attempt.token,
        claimed_at=attempt.begun,
        deadline=attempt.deadline,
        account=attempt.account,
        looked_at=None,
        unowned_since=None,
        left_at=None,
        next_attempt_at=None,
        waits_for=None,
        fallback_at=delivery.fallback_at or _fallback_at(request, attempt),
        candidates=(),
        # an attempt of an earlier version gave Twilio URLs of the first form, which may still come back
        callback_form=delivery.callback_form if delivery.attempts else SEALED,
        updated_at=attempt.begun,
    )


def put_off(delivery: Delivery, wait: Wait, *, now: datetime) -> Delivery:
    """Return the delivery as it waits; it comes up when it expires, if that is sooner."""
    return msgspec.structs.replace(
        delivery,
        status=status.SCHEDULED,
        next_attempt_at=min(wait.until, delivery.expires_at or wait.until),
        waits_for=wait.reason,
        updated_at=now,
    )


def _fallback_at(request: Request, attempt: Attempt) -> datetime | None:
    after = request.fallback and request.fallback.after_seconds
    return attempt.begun + timedelta(seconds=after) if after else None


class Next(Enum):
    """What to do with a message whose request has a delivery already."""

    ACKNOWLEDGE = auto()
    """it was sent, or ended: this is a duplicate"""
    REFUSE = auto()
    """other content stands under its id"""
    COME_BACK = auto()
    """somebody is at it, or its time has not come"""
    DOUBT = auto()
    """an attempt's time passed without a word: say so, and find out when things have settled"""
    FIND_OUT = auto()
    """what an attempt without an answer left behind can be looked for now"""
    SEND = auto()
    """the next attempt is due"""


def settled_at(delivery: Delivery, *, settle: timedelta) -> datetime:
    """Return when the last attempt is over and has settled: the time of the first look."""
    return (delivery.deadline or delivery.updated_at) + settle


def second_look_after(settle: timedelta) -> timedelta:
    """Return how long after a look that found nothing the second one follows."""
    return max(settle, _BETWEEN_LOOKS)


def look_due_at(delivery: Delivery, *, settle: timedelta) -> datetime:
    """Return when an uncertain delivery may be looked for again, whichever message asks, and however often."""
    moments = [settled_at(delivery, settle=settle)]
    if delivery.looked_at is not None:
        moments.append(delivery.looked_at + second_look_after(settle))
    if delivery.next_attempt_at is not None:
        moments.append(delivery.next_attempt_at)
    return max(moments)


def next_step(delivery: Delivery, *, content: str, now: datetime, settle: timedelta) -> Next:
    """Decide what to do with a message with this content hash whose request has this delivery."""
    if delivery.request_hash != content:
        return Next.REFUSE
    if delivery.erased or delivery.sid is not None:
        return Next.ACKNOWLEDGE
    if delivery.status == status.SUBMITTING:
        return Next.COME_BACK if delivery.deadline is not None and now < delivery.deadline else Next.DOUBT
    if delivery.status == status.UNCERTAIN:
        return Next.FIND_OUT if now >= look_due_at(delivery, settle=settle) else Next.COME_BACK
    if delivery.status in {status.SCHEDULED, status.RETRYING}:
        ahead = delivery.next_attempt_at is not None and now < delivery.next_attempt_at
        return Next.COME_BACK if ahead else Next.SEND
    return Next.ACKNOWLEDGE


def due_at(delivery: Delivery, *, settle: timedelta) -> datetime:
    """Return when a delivery that is not Twilio's yet should be looked at again."""
    if delivery.status == status.SUBMITTING and delivery.deadline is not None:
        return delivery.deadline
    if delivery.status in {status.SCHEDULED, status.RETRYING} and delivery.next_attempt_at is not None:
        return delivery.next_attempt_at
    return look_due_at(delivery, settle=settle)
