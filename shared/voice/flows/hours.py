"""Opening hours and holidays: when somebody is there, by the clocks of a place. Pure."""

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from shared.voice.flows.model import Day, Hours, Span

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = f"({'|'.join(_DAYS)})"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN: Final = re.compile(
    rf"(?P<days>daily|{_DAY}(-{_DAY})?(,{_DAY}(-{_DAY})?)*) +(?P<begin>{_CLOCK})-(?P<end>{_CLOCK}|24:00)"
)
_MIDNIGHT: Final = "24:00"
_YEARLY: Final = re.compile(r"[0-9]{2}-[0-9]{2}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEAP_YEAR: Final = "2000"


def day_of(hours: Hours, now: datetime) -> Day:
    """Return what an aware time is by these hours.

    Only what the clocks there show counts, so that an hour which daylight saving repeats is as open as the first one. A
    span that goes past midnight belongs to the day on which it begins, and so does a holiday that takes its place.
    """
    local = now.astimezone(hours.zone)
    today, clock = local.date(), local.time()
    yesterday = today - timedelta(days=1)
    still = any(yesterday.weekday() in span.days and _is_overnight(span) and clock < span.end for span in hours.open)
    begun = any(today.weekday() in span.days and _covers(span, clock) for span in hours.open)
    if (still and not _is_holiday(hours, yesterday)) or (begun and not _is_holiday(hours, today)):
        return "open"
    return "holiday" if still or _is_holiday(hours, today) else "closed"


def read_span(text: str) -> Span:
    """Read hours such as `mon-fri 09:00-17:00`, `sat,sun 10:00-14:00`, `fri 22:00-06:00` or `daily 00:00-24:00`.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    written = _SPAN.fullmatch(text.strip().lower())
    if written is None or written["begin"] == written["end"]:
        raise ValueError("expected days and hours such as mon-fri 09:00-17:00")
    end = "00:00" if written["end"] == _MIDNIGHT else written["end"]
    return Span(
        days=_read_days(written["days"]), begin=time.fromisoformat(written["begin"]), end=time.fromisoformat(end)
    )


def read_holiday(given: object) -> date | tuple[int, int]:
    """Read a date such as 2026-12-25, or the month and the day of one that comes every year, such as 12-25.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    try:
        if isinstance(given, str) and _DATE.fullmatch(given):
            return date.fromisoformat(given)
        if isinstance(given, str) and _YEARLY.fullmatch(given):
            day = date.fromisoformat(f"{_LEAP_YEAR}-{given}")
            return day.month, day.day
    except ValueError:  # the 31st of February
        pass
    raise ValueError("expected a date such as 2026-12-25, or 12-25 for every year")


def _read_days(text: str) -> frozenset[int]:
    if text == "daily":
        return frozenset(range(len(_DAYS)))
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin = _DAYS.index(first)
        count = (_DAYS.index(last) - begin) % len(_DAYS) if last else 0
        days |= {(begin + offset) % len(_DAYS) for offset in range(count + 1)}
    return frozenset(days)


def _is_holiday(hours: Hours, day: date) -> bool:
    return day in hours.holidays or (day.month, day.day) in hours.yearly


def _is_overnight(span: Span) -> bool:
    return span.end <= span.begin


def _covers(span: Span, clock: time) -> bool:
    """Tell whether a time of the day on which the span begins is part of it."""
    return span.begin <= clock and (_is_overnight(span) or clock < span.end)
