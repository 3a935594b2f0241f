"""How long to wait between two looks at Twilio, and for how long an answer is hoped for. Pure."""

from datetime import datetime, timedelta
from typing import Final

from shared.deliveries.record import Delivery

PATIENCE: Final = timedelta(minutes=10)
"""in this time another request's own attempt, or its own look, owns what it left at Twilio"""
_FIRST: Final = timedelta(seconds=15)
_FAILED: Final = timedelta(seconds=30)
_FAILED_AT_MOST: Final = timedelta(minutes=15)
_TRIED_FOR: Final = timedelta(hours=1)
"""looks may fail for so long before a person is asked, also where the request expires sooner"""


def next_pause(delivery: Delivery, now: datetime) -> timedelta | None:
    """Return how long to wait for the owner of a candidate: 15 s, 30 s, 60 s and so on; None after 10 minutes.

    The pauses follow from the moment of the first sight, which is on record: a crash does not begin them anew.
    """
    if delivery.is_left_for_a_person and delivery.candidates:
        return None
    waited = now - (delivery.unowned_since or now)
    left = PATIENCE - waited
    return min(waited + _FIRST, left) if left > timedelta(0) else None


def pause_after_failure(delivery: Delivery, now: datetime, *, at_least: timedelta) -> timedelta | None:
    """Return how long to wait after a look that failed: 30 s to 15 minutes; None where a person is to be asked.

    That is so once the request has expired, and looks were tried for an hour. `at_least` is the pause that the answer
    asked for: a look follows no later than the request expires.
    """
    over = delivery.deadline or delivery.updated_at
    if delivery.expires_at is not None:
        if now >= max(delivery.expires_at, over + _TRIED_FOR):
            return None
        at_least = min(at_least, max(delivery.expires_at - now, timedelta(0)))
    return max(min(max(now - over, _FAILED), _FAILED_AT_MOST), at_least)
