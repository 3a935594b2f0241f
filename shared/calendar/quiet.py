"""Quiet hours: a local window without messages, when it is over, and how what waited for that is spread. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from shared.calendar.clock import clock_change, wall
from shared.errors import SwitchboardError

_WRITTEN: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_HASHED: Final = 6
"""bytes of a hash: a float holds no more than that exactly, and so stays under 1"""
_DAY: Final = timedelta(days=1)
_HORIZON: Final = timedelta(hours=48)


class QuietHoursInvalid(SwitchboardError):
    """No window of local time."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A window of every local day, from `begin` up to, and without, `end`; over midnight where `end` is the smaller."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Read a window such as 21:00-08:00.

        Raises:
            QuietHoursInvalid: it is none, or its ends are equal.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise QuietHoursInvalid(f"expected two local times such as 21:00-08:00, got {text[:40]!r}")
        hour, minute, end_hour, end_minute = map(int, found.groups())
        begin, end = time(hour, minute), time(end_hour, end_minute)
        if begin == end:
            raise QuietHoursInvalid(f"expected two different times such as 21:00-08:00, got {text[:40]!r}")
        return cls(begin=begin, end=end)

    def until(self, now: datetime, zones: Sequence[ZoneInfo]) -> datetime | None:
        """Return when a message may go, in UTC: None, if at once, as it is in the window in none of these zones.

        That is the first moment at which it is in the window in none of them. If the next 48 hours have none, as with
        the zones of a whole continent, the first zone alone counts: there must be one, and it should be the likeliest.
        """
        if now.year in (MINYEAR, MAXYEAR):
            return None  # so far away, some zone's clocks show a year that there isn't
        now = now.astimezone(UTC)
        moment = self._outside(now, zones)
        if moment > now + _HORIZON:
            moment = self._leave(now, zones[0])
        return moment if moment > now else None

    def spread(self, moment: datetime, *, key: str, over: timedelta, zones: Sequence[ZoneInfo]) -> datetime:
        """Return a moment from `moment` on, less than `over` later, and before the next window: the same for each key.

        It takes what `until` returned, for the same zones: so that a morning is not a burst.
        """
        counting = [zone for zone in zones if not self._holds(moment, zone)]
        if len(counting) < len(zones):
            counting = [zone for zone in zones[:1] if zone in counting]
        open_hours = QuietHours(begin=self.end, end=self.begin)
        room = min([over, *(open_hours._leave(moment, zone) - moment for zone in counting)])
        share = int.from_bytes(sha256(key.encode()).digest()[:_HASHED]) / 256**_HASHED
        return moment + timedelta(seconds=int(room.total_seconds() * share))

    def _holds(self, moment: datetime, zone: ZoneInfo) -> bool:
        shown = wall(moment, zone).time()
        if self.begin < self.end:
            return self.begin <= shown < self.end
        return shown >= self.begin or shown < self.end

    def _outside(self, moment: datetime, zones: Sequence[ZoneInfo]) -> datetime:
        """Return the first moment from this one on that is outside everywhere, or one that is past the horizon."""
        latest = moment + _HORIZON
        while moment <= latest:
            left = max(self._leave(moment, zone) for zone in zones)
            if left == moment:
                break
            moment = left
        return moment

    def _leave(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Return the first moment from this one on that is outside in this zone."""
        while self._holds(moment, zone):
            shown = wall(moment, zone)
            end = datetime.combine(shown, self.end)
            until = moment + (end - shown) % _DAY
            moment = clock_change(moment, until, zone) or until
        return moment
