"""What is wrong with a timing, all of it at once. Pure."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from shared.calendar import cron, recurrence
from shared.calendar.clock import instant
from shared.calendar.every import time_of_day
from shared.calendar.timing import WEEKDAYS, Every, Timing
from shared.errors import Fault
from shared.text import time_zones

_KINDS: Final = ("at", "cron", "every")
_SPANS: Final = ("days", "weeks", "months")


def faults(timing: Timing) -> list[Fault]:
    """Return everything that keeps a timing from being used; nothing, if it comes at least once."""
    found = [*_of_fields(timing), *_of_moments(timing)]
    if not found and recurrence.following(timing, None) is None:
        found.append(Fault(_given(timing, _KINDS)[0], "expected what comes at least once between start and end"))
    return found


def _of_fields(timing: Timing) -> Iterator[Fault]:
    if len(given := _given(timing, _KINDS)) != 1:
        yield Fault("at", f"expected exactly one of at, cron and every, got {' and '.join(given) or 'none'}")
    if timing.at is not None:
        for name in _given(timing, ("start", "end", "exceptions")):
            yield Fault(name, "goes with cron and every only")
    if timing.cron is not None:
        try:
            cron.check(timing.cron)
        except cron.CronInvalid as exc:
            yield Fault("cron", str(exc))
    if timing.every is not None:
        yield from _of_every(timing.every)
        if timing.start is None:
            yield Fault("start", "is required with every: it is what is counted from")
    for place, text in enumerate(timing.exceptions):
        if not _is_exception(text):
            yield Fault(f"exceptions[{place}]", "expected a local date or time, such as 2026-12-24 or 2026-12-24T09:00")


def _of_every(every: Every) -> Iterator[Fault]:
    if len(given := _given(every, _SPANS)) != 1:
        yield Fault("every", f"expected exactly one of days, weeks and months, got {' and '.join(given) or 'none'}")
    try:
        time_of_day(every)
    except ValueError as exc:
        yield Fault("every.at", str(exc))
    if every.on is not None and every.weeks is None:
        yield Fault("every.on", "goes with weeks only")
    if not set(every.on or ()) <= set(WEEKDAYS):
        yield Fault("every.on", f"expected weekdays of {', '.join(WEEKDAYS)}, got another")
    if every.day is not None and every.months is None:
        yield Fault("every.day", "goes with months only")


def _of_moments(timing: Timing) -> Iterator[Fault]:
    zone = time_zones.find(timing.time_zone or "UTC")
    if zone is None:
        yield Fault("time_zone", "expected an IANA time zone, such as Europe/Berlin")
    usable = {}
    for name in _given(timing, ("at", "start", "end")):
        moment: datetime = getattr(timing, name)
        if not recurrence.FIRST.year <= moment.year < recurrence.LAST.year:
            yield Fault(name, f"expected a year from {recurrence.FIRST.year} to {recurrence.LAST.year - 1}")
        else:
            usable[name] = instant(moment, zone or ZoneInfo("UTC"))
    if "start" in usable and "end" in usable and usable["end"] < usable["start"]:
        yield Fault("end", "expected a time after start")


def _given(value: Timing | Every, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(value, name) not in (None, ())]


def _is_exception(text: str) -> bool:
    kind = date if len(text) == len("2026-12-24") else datetime
    try:
        read = kind.fromisoformat(text)
    except ValueError:
        return False
    # the one spelling that is looked for: no week dates, offsets, or other ways that Python reads
    if isinstance(read, datetime):
        return text in (read.isoformat(timespec="minutes"), read.isoformat(timespec="seconds"))
    return text == read.isoformat()
