"""The instants at which a timing comes: a function of the definition and of the instant before, never of now. Pure.

Local times are found first, as calendars have them, and placed in the zone then. So each comes once: at the first of
its two instants where clocks are set back, later by what was skipped where they are set forward, and only one of two
that fall onto one instant. All of it takes place in the years 2000 to 9899, which keeps every sum inside the calendar.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from shared.calendar import cron, every
from shared.calendar.clock import instant, offset, wall
from shared.calendar.timing import Timing

FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9900, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_CHANGED_WITHIN: Final = timedelta(days=2)
"""longer than the longest time that clocks ever skipped, which was a day"""


def following(timing: Timing, after: datetime | None) -> datetime | None:
    """Return the first instant, in UTC, that comes strictly after this one, or at all; None where there is none.

    The timing is one in which `faults` finds nothing. Raises ZoneInfoNotFoundError if its zone is none any more.
    """
    zone = ZoneInfo(timing.time_zone or "UTC")
    if timing.at is not None:
        once = instant(timing.at, zone)
        return once if after is None or once > after else None
    before_start = (FIRST if timing.start is None else instant(timing.start, zone)) - _TICK
    after = before_start if after is None else max(after, before_start)
    end = LAST if timing.end is None else instant(timing.end, zone)
    found = _first(timing, zone, after.astimezone(UTC)) if after < end else None
    return found if found is not None and found <= end else None


def coming(timing: Timing, after: datetime | None, count: int) -> list[datetime]:
    """Return the next instants, at most `count`, each strictly after the one before."""
    found: list[datetime] = []
    while len(found) < count and (moment := following(timing, after)) is not None:
        found.append(moment)
        after = moment
    return found


def _first(timing: Timing, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the earliest instant after this one: a skipped local time may fall after later ones."""
    exceptions = frozenset(timing.exceptions)
    found: datetime | None = None
    for local in _locals(timing, zone, after, exceptions):
        moment = instant(local, zone)
        if moment > after and not _left_out(wall(moment, zone), exceptions):
            found = moment if found is None else min(found, moment)
        if found is not None and local >= wall(found, zone):
            break
    return found


def _locals(timing: Timing, zone: ZoneInfo, after: datetime, exceptions: frozenset[str]) -> Iterator[datetime]:
    """Yield the local times that may fall after an instant, in order, without the exceptions."""
    # one that was skipped falls where the offset from before puts it
    behind = min(offset(after, zone), offset(after - _CHANGED_WITHIN, zone))
    local = _next(timing, zone, after.replace(tzinfo=None) + behind)
    while local is not None and local.year < LAST.year:
        if local.date().isoformat() in exceptions:
            local = datetime.combine(local, time.max)
        elif not _left_out(local, exceptions):
            yield local
        local = _next(timing, zone, local)


def _next(timing: Timing, zone: ZoneInfo, local: datetime) -> datetime | None:
    if timing.every is not None and timing.start is not None:
        return every.following(timing.every, wall(instant(timing.start, zone), zone).date(), local)
    return cron.following(timing.cron or "", local)


def _left_out(local: datetime, exceptions: frozenset[str]) -> bool:
    written = (local.date().isoformat(), local.isoformat(timespec="minutes"), local.isoformat(timespec="seconds"))
    return not exceptions.isdisjoint(written)
