"""Every so many days, weeks or months, on local dates: found by counting, however long ago it began. Pure."""

import re
from calendar import monthrange
from datetime import date, datetime, time, timedelta
from typing import Final

from shared.calendar.timing import WEEKDAYS, Every

_WRITTEN: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7


def time_of_day(every: Every) -> time:
    """Return the local time at which it comes.

    Raises:
        ValueError: it is not of the form HH:MM.
    """
    found = _WRITTEN.fullmatch(every.at)
    if found is None:
        raise ValueError("expected a local time from 00:00 to 23:59")
    return time(int(found[1]), int(found[2]))


def following(every: Every, first: date, after: datetime) -> datetime:
    """Return the first local time after this one, on `first` or a later date, which is what is counted from."""
    at = time_of_day(every)
    earliest = max(first, after.date() if after.time() < at else after.date() + _DAY)
    if every.months is not None:
        found = _in_month(every.months, every.day or first.day, first, earliest)
    elif every.weeks is not None:
        found = _in_week(every.weeks, every.on, first, earliest)
    else:
        found = earliest + _DAY * (-(earliest - first).days % (every.days or 1))
    return datetime.combine(found, at)


def _in_week(weeks: int, on: tuple[str, ...] | None, first: date, earliest: date) -> date:
    weekdays = sorted(map(WEEKDAYS.index, on)) if on else [first.weekday()]
    monday = earliest - _DAY * earliest.weekday()
    missing = -((monday - (first - _DAY * first.weekday())).days // _WEEK) % weeks
    if missing == 0:
        for weekday in weekdays:
            if weekday >= earliest.weekday():
                return monday + _DAY * weekday
    return monday + _DAY * (_WEEK * (missing or weeks) + weekdays[0])


def _in_month(months: int, day: int, first: date, earliest: date) -> date:
    month = earliest.year * 12 + earliest.month - 1
    month += (first.year * 12 + first.month - 1 - month) % months
    found = _date(month, day)
    return found if found >= earliest else _date(month + months, day)


def _date(month: int, day: int) -> date:
    """Return this day of a month that is counted from the year 0; the month's last, where it is shorter."""
    year, index = divmod(month, 12)
    return date(year, index + 1, min(day, monthrange(year, index + 1)[1]))
