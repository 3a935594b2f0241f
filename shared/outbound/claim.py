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
from shared.outbound.decode import Decoded
from shared.outbound.request import VALID_FOR

ATTEMPT: Final = timedelta(seconds=20)
"""from before the claim is written to when Twilio's answer must be in; no send begins that could end later"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a request: a token that nobody else has, and the end of its time by both clocks."""

    token: str
    begun: datetime
    not_after: float

    @classmethod
    def begin(cls, now: datetime) -> "Attempt":
        """Begin an attempt; its time runs from here, so begin it before the claim is written."""
        return cls(token=uuid.uuid4().hex, begun=now, not_after=time.monotonic() + ATTEMPT.total_seconds())

    @property
    def deadline(self) -> datetime:
        """The end of its time, as others see it."""
        return self.begun + ATTEMPT


def new_delivery(decoded: Decoded, message: bytes, attempt: Attempt) -> Delivery:
    """Return the delivery that claims a request for its first attempt."""
    request = decoded.request
    return Delivery(
        id=request.id,
        channel=request.channel,
        direction="outbound",
        status=status.SUBMITTING,
        created_at=attempt.begun,
        updated_at=attempt.begun,
        to=request.to,
        from_=request.from_,
        metadata=request.metadata or {},
        request=message,
        request_hash=decoded.hash,
        attempts=1,
        attempt=attempt.token,
        deadline=attempt.deadline,
        expires_at=request.expires_at or attempt.begun + VALID_FOR,
    )


def claimed_again(delivery: Delivery, attempt: Attempt) -> Delivery:
    """Return the delivery as another attempt claims it."""
    return msgspec.structs.replace(
        delivery,
        status=status.SUBMITTING,
        attempts=delivery.attempts + 1,
        attempt=attempt.token,
        deadline=attempt.deadline,
        next_attempt_at=None,
        updated_at=attempt.begun,
    )


class Next(Enum):
    """What to do with a message whose request has a delivery already."""

    ACKNOWLEDGE = auto()
    """it was sent, or ended: this is a duplicate"""
    REFUSE = auto()
    """other content stands under its id"""
    COME_BACK = auto()
    """somebody is at it, or its time has not come"""
    FIND_OUT = auto()
    """an attempt ended without saying how"""
    SEND = auto()
    """the next attempt is due"""


def next_step(delivery: Delivery, *, content: str, now: datetime) -> Next:
    """Decide what to do with a message with this content hash whose request has this delivery."""
    if delivery.request_hash != content:
        return Next.REFUSE
    if delivery.status == status.SUBMITTING:
        ahead = delivery.deadline is not None and now < delivery.deadline
        return Next.COME_BACK if ahead else Next.FIND_OUT
    if delivery.status == status.UNCERTAIN:
        return Next.FIND_OUT
    if delivery.status == status.RETRYING:
        ahead = delivery.next_attempt_at is not None and now < delivery.next_attempt_at
        return Next.COME_BACK if ahead else Next.SEND
    return Next.ACKNOWLEDGE
