"""What becomes of an occurrence whose time has gone by, as after an outage. Pure."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

ORDINARY: Final = timedelta(minutes=5)
"""lateness that is none: a timer's run may come late, or last"""


class SendWithin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Late is better than never, up to here: 1 second to 30 days."""

    send_within_seconds: Annotated[int, Meta(ge=1, le=2_592_000, description="How late it may still be sent.")]


Missed = Literal["skip"] | SendWithin
"""`"skip"`, or `{"send_within_seconds": 3600}`"""
DEFAULT: Final = SendWithin(send_within_seconds=3600)
"""for a schedule that doesn't say: an hour's outage costs nobody a message, and a day's brings nobody yesterday's"""


def still_due(due: datetime, now: datetime, missed: Missed = DEFAULT) -> bool:
    """Decide whether an occurrence is still to be sent; up to five minutes late it always is, whatever the rule."""
    return due >= oldest_still_due(now, missed)


def oldest_still_due(now: datetime, missed: Missed = DEFAULT) -> datetime:
    """Return the time of the oldest occurrence that is still to be sent."""
    return now - lateness(missed)


def lateness(missed: Missed = DEFAULT) -> timedelta:
    """Return how late an occurrence may be."""
    allowed = timedelta() if missed == "skip" else timedelta(seconds=missed.send_within_seconds)
    return max(allowed, ORDINARY)
