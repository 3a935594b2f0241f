"""NCRONTAB, the schedules of timer triggers: [seconds] minutes hours days months days-of-the-week.

A time matches when every field does: unlike cron, day and day of the week are both asked. Times are UTC.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MONTHS = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
_PART = re.compile(r"(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?")
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("second", 0, 59, []),
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_LONGEST_MONTHS = dict(zip(range(1, 13), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))


class ScheduleError(ValueError):
    """The expression is not NCRONTAB; the message says which field, and what is expected there."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A set of instants: those whose every field is listed."""

    text: str
    fields: tuple[frozenset[int], ...]

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read five or six fields; raises ScheduleError."""
        words = text.split()
        if len(words) not in (5, 6):
            raise ScheduleError(f"{text!r} must have five or six fields, not {len(words)}")
        if len(words) == 5:  # noqa: PLR2004 - NCRONTAB without the seconds
            words.insert(0, "0")
        fields = tuple(_parse_field(word, *field) for word, field in zip(words, _FIELDS, strict=True))
        if not any(min(fields[3]) <= _LONGEST_MONTHS[month] for month in fields[4]):
            raise ScheduleError(f"{text!r} never comes: no such month has that day")
        return cls(text=text, fields=fields)

    def next_after(self, moment: datetime) -> datetime:
        """Return the first matching instant after `moment`, in UTC."""
        seconds, minutes, hours, days, months, weekdays = self.fields
        found = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        while True:
            if found.month not in months or found.day not in days or found.isoweekday() % 7 not in weekdays:
                found = found.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif found.hour not in hours:
                found = found.replace(minute=0, second=0) + timedelta(hours=1)
            elif found.minute not in minutes:
                found = found.replace(second=0) + timedelta(minutes=1)
            elif found.second not in seconds:
                found += timedelta(seconds=1)
            else:
                return found


def _parse_field(word: str, name: str, least: int, most: int, names: list[str]) -> frozenset[int]:
    values: set[int] = set()
    for part in word.split(","):
        body, slash, step = part.partition("/")
        found = _PART.fullmatch(body)
        if found is None or (slash and not (step.isdecimal() and int(step) > 0)):
            raise ScheduleError(
                f"{part!r} is no {name}: expected *, a value, a range such as 1-5, or one of them with /step"
            )
        first = least if found["all"] else _parse_value(found["first"], name, least, most, names)
        last = first
        if found["all"] or (slash and not found["last"]):
            last = most
        elif found["last"]:
            last = _parse_value(found["last"], name, least, most, names)
        if first > last:
            raise ScheduleError(f"{part!r} runs backwards: expected the smaller {name} first")
        values.update(range(first, last + 1, int(step or 1)))
    return frozenset(values)


def _parse_value(word: str, name: str, least: int, most: int, names: list[str]) -> int:
    if word.isdecimal() and least <= int(word) <= most:
        return int(word)
    # A name may be shortened as far as one likes; the first that fits is meant.
    for place, full in enumerate(names):
        if full.startswith(word.lower()):
            return least + place
    raise ScheduleError(f"{word!r} is no {name}: expected {least} to {most}" + (" or a name" if names else ""))
