"""Not now, but then: until when a request waits, and why. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.outbound.request import Request
from shared.settings import Settings
from shared.text.time_zones import zones_of

SEND_AT: Final = "send_at"
QUIET_HOURS: Final = "quiet hours"
_SPREAD: Final = timedelta(minutes=15)
"""what the night held back goes out over so long: the morning is no burst"""


@dataclass(frozen=True, slots=True)
class Wait:
    """Until when, and why."""

    until: datetime
    reason: str


def wait_of(request: Request, *, now: datetime, settings: Settings) -> Wait | None:
    """Return what a request has to wait for, or None where it may be sent now.

    Quiet hours are those of the recipient's zone: the request's own, else those of the number's country (of all of its
    zones, where it has several), else DEFAULT_TIME_ZONE.
    """
    first = max(now, request.send_at or now)
    if settings.quiet_hours is not None and not request.urgent:
        zones = zones_for(request, settings)
        quiet_until = settings.quiet_hours.until(first, zones)
        if quiet_until is not None:
            until = settings.quiet_hours.spread(quiet_until, key=request.id, over=_SPREAD, zones=zones)
            return Wait(until, QUIET_HOURS)
    return Wait(first, SEND_AT) if first > now else None


def zones_for(request: Request, settings: Settings) -> Sequence[ZoneInfo]:
    """Return the zones that the recipient may be in."""
    if request.time_zone is not None:
        return [ZoneInfo(request.time_zone)]
    default = settings.default_time_zone
    # where no hour is day in all of them, the first one counts
    found = sorted(zones_of(request.to), key=lambda name: name != default.key)
    return [ZoneInfo(name) for name in found] or [default]
