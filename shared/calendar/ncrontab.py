"""NCRONTAB, the schedules of timer triggers: [seconds] minutes hours days months days-of-the-week. Pure.

A time matches when every field does: unlike cron, both the day and the day of the week must match. Times are UTC.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions

Two forms that Azure takes are refused. A range such as `fri-mon` is refused because Azure silently turns it around, to
`mon-fri`. A time span such as `00:05:00` is refused because Azure takes it on App Service plans only.
https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#timespan
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.errors import SwitchboardError

_MONTHS: Final = [
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
]
_DAYS: Final = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
_PART: Final = re.compile(r"(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?", re.ASCII)
_NUMBER: Final = re.compile("[0-9]{1,4}")
_TIME_SPAN: Final = re.compile(r"[0-9.]+:[0-9:.]+")
_FIELDS: Final[tuple[tuple[str, int, int, list[str]], ...]] = (
    ("second", 0, 59, []),
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_LONGEST_MONTHS: Final = dict(zip(range(1, 13), (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), strict=True))
_SHOWN: Final = 20
"""characters of a part that a fault repeats"""


class NcrontabInvalid(SwitchboardError):
    """The expression is not NCRONTAB; the message says which field, and what is expected there."""


@dataclass(frozen=True, slots=True)
class Ncrontab:
    """A set of instants: those whose every field is listed."""

    text: str
    """the expression, with single spaces between its fields"""
    fields: tuple[frozenset[int], ...]

    @classmethod
    def parse(cls, text: str) -> "Ncrontab":
        """Read five or six fields.

        Raises:
            NcrontabInvalid: the expression is not NCRONTAB, or never matches.
        """
        words = text.split()
        _check_form(text, words)
        with_seconds = words if len(words) == len(_FIELDS) else ["0", *words]
        fields = tuple(_parse_field(word, *field) for word, field in zip(with_seconds, _FIELDS, strict=True))
        if not any(min(fields[3]) <= _LONGEST_MONTHS[month] for month in fields[4]):
            raise NcrontabInvalid("expected a day that its months have, got one that never comes")
        return cls(text=" ".join(words), fields=fields)

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


def _check_form(text: str, words: list[str]) -> None:
    if text.strip()[:1] in {'"', "'"}:
        raise NcrontabInvalid("expected an NCRONTAB expression without quotes around it")
    if len(words) == 1 and _TIME_SPAN.fullmatch(words[0]):
        raise NcrontabInvalid(
            "expected an NCRONTAB expression, got a time span, which Azure takes on App Service plans only"
        )
    if len(words) not in {len(_FIELDS) - 1, len(_FIELDS)}:
        raise NcrontabInvalid(f"expected an NCRONTAB expression of five or six fields, got {len(words)}")


def _parse_field(word: str, name: str, least: int, most: int, names: list[str]) -> frozenset[int]:
    values: set[int] = set()
    for part in word.split(","):
        body, slash, step = part.partition("/")
        found = _PART.fullmatch(body)
        if found is None or (slash and not (_NUMBER.fullmatch(step) and int(step) > 0)):
            raise NcrontabInvalid(
                f"expected a {name} such as *, a value, a range such as 1-5, or one of them with /step, "
                f"got {part[:_SHOWN]!r}"
            )
        first = least if found["all"] else _parse_value(found["first"], name, least, most, names)
        last = first
        if found["all"] or (slash and not found["last"]):
            last = most
        elif found["last"]:
            last = _parse_value(found["last"], name, least, most, names)
        if first > last:
            raise NcrontabInvalid(f"expected a range with the smaller {name} first, got {part[:_SHOWN]!r}")
        values.update(range(first, last + 1, int(step or 1)))
    return frozenset(values)


def _parse_value(word: str, name: str, least: int, most: int, names: list[str]) -> int:
    if _NUMBER.fullmatch(word) and least <= int(word) <= most:
        return int(word)
    # A name may be shortened to any length; the first that fits is meant.
    for place, full in enumerate(names):
        if full.startswith(word.lower()):
            return least + place
    expected = f"from {least} to {most}" + (" or a name" if names else "")
    raise NcrontabInvalid(f"expected a {name} {expected}, got {word[:_SHOWN]!r}")
