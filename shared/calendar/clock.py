"""Local clocks and the instants that they show: where a local time falls, and when a clock is changed. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def instant(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, of a moment with an offset, or of a local time of this zone.

    A local time that occurs twice is the first one. One that is skipped is taken by the offset from before, so that it
    comes later by what was skipped: 02:30 is 03:30 where clocks go from 02:00 to 03:00.
    https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone, fold=0)
    return moment.astimezone(UTC)


def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clocks of a zone show at an instant, without an offset."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    """Return how far the clocks of a zone are ahead of UTC at an instant."""
    return wall(moment, zone) - moment.astimezone(UTC).replace(tzinfo=None)


def clock_change(after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first instant after `after`, not after `until`, at which a zone's offset is another; None without one.

    Both are in UTC and no more than days apart: of two changes that undo each other in between, none is found.
    """
    before = offset(after, zone)
    if offset(until, zone) == before:
        return None
    early, late = after, until
    while late - early > _SECOND:
        middle = early + (late - early) / 2
        early, late = (middle, late) if offset(middle, zone) == before else (early, middle)
    return late.replace(microsecond=0)  # changes come on whole seconds
