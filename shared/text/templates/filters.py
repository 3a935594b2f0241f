"""How a template shows its values: the filters that stand behind `|`, and what `{{ … }}` does with each type. Pure."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import TemplateRuntimeError, Undefined

_MOST_PLACES: Final = 10
_NOON: Final = 12
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_CODES: Final[dict[str, Callable[[datetime], str]]] = {
    # the platform's own strftime knows `%-d` on some systems only, and names in the language of the machine
    "%d": lambda moment: f"{moment.day:02}",
    "%-d": lambda moment: f"{moment.day}",
    "%m": lambda moment: f"{moment.month:02}",
    "%-m": lambda moment: f"{moment.month}",
    "%y": lambda moment: f"{moment.year % 100:02}",
    "%Y": lambda moment: f"{moment.year:04}",
    "%H": lambda moment: f"{moment.hour:02}",
    "%-H": lambda moment: f"{moment.hour}",
    "%I": lambda moment: f"{moment.hour % 12 or 12:02}",
    "%-I": lambda moment: f"{moment.hour % 12 or 12}",
    "%p": lambda moment: "AM" if moment.hour < _NOON else "PM",
    "%M": lambda moment: f"{moment.minute:02}",
    "%S": lambda moment: f"{moment.second:02}",
    "%u": lambda moment: f"{moment.isoweekday()}",
    "%A": lambda moment: _WEEKDAYS[moment.weekday()],
    "%a": lambda moment: _WEEKDAYS[moment.weekday()][:3],
    "%B": lambda moment: _MONTHS[moment.month - 1],
    "%b": lambda moment: _MONTHS[moment.month - 1][:3],
    "%%": lambda _: "%",
}
_CODE: Final = re.compile("%-?.?", re.DOTALL)


class Misused(TemplateRuntimeError):
    """A value shown in a way that its type doesn't have; the message names types and never a value."""


def show(value: object) -> str:
    """Write a value as `{{ … }}` alone does: dates in ISO form, numbers without exponent.

    Raises:
        Misused: yes and no, lists and the like have no form of their own in a text.
        UndefinedError: there is no such value.
    """
    if isinstance(value, Undefined):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | date | time):
        wanted = {bool: "for `if`", list: "for `for` or `|join`", tuple: "for `for` or `|join`"}
        raise Misused(f"{_named(value)} is {wanted.get(type(value), 'nothing to write')}")
    if isinstance(value, float):
        return number(value, None)
    if isinstance(value, datetime):
        return f"{date_filter(value)} {time_filter(value)}"
    if isinstance(value, time):
        return time_filter(value)
    return str(value)


def date_filter(value: object, pattern: str = "%Y-%m-%d") -> str:
    """Write the date of a date or a datetime: `{{ when|date("%d.%m.%Y") }}`."""
    if isinstance(value, datetime):
        return _write(value, pattern)
    if isinstance(value, date):
        return _write(datetime.combine(value, time()), pattern)
    return _empty(value, "date", "a date or a datetime")


def time_filter(value: object, pattern: str = "%H:%M") -> str:
    """Write the time of a time or a datetime: `{{ when|time("%-I:%M %p") }}`."""
    if isinstance(value, datetime):
        return _write(value, pattern)
    if isinstance(value, time):
        return _write(datetime.combine(date.min, value), pattern)
    return _empty(value, "time", "a time or a datetime")


def in_zone(value: object, zone: str) -> datetime | str:
    """Bring a datetime that has an offset to a zone's local time: `{{ when|in_zone("Europe/Berlin")|time }}`."""
    if not isinstance(value, datetime):
        return _empty(value, "in_zone", "a datetime")
    if value.tzinfo is None:
        raise Misused("`in_zone` expected a datetime with an offset, such as 2026-01-31T09:30+01:00")
    try:
        return value.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError) as exc:
        raise Misused("`in_zone` expected an IANA time zone, such as Europe/Berlin") from exc


def number(value: object, places: int | None = 2, mark: str = ".", thousands: str = "") -> str:
    """Write a number with so many decimal places: `{{ amount|number(2, ",", ".") }}`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _empty(value, "number", "a number")
    if not math.isfinite(value):
        raise Misused("`number` expected a number, got one that is infinite or none")
    if places is not None and not 0 <= places <= _MOST_PLACES:
        raise Misused(f"`number` expected 0 to {_MOST_PLACES} decimal places")
    exact = Decimal(repr(value))
    written = f"{exact:,f}" if places is None else f"{exact:,.{places}f}"
    whole, point, fraction = written.partition(".")
    if places is None:
        return whole.replace(",", "") + point + fraction
    return whole.replace(",", thousands) + (mark if point else "") + fraction


def join(value: object, separator: str = ", ", last: str | None = None) -> str:
    """Write a list in one line: `{{ names|join(", ", " and ") }}`."""
    if not isinstance(value, list | tuple):
        return _empty(value, "join", "a list")
    parts = [show(item) for item in value]
    if last is None or len(parts) == 1:
        return separator.join(parts)
    return last.join([*([separator.join(parts[:-1])] if parts else []), *parts[-1:]])


def spell(value: object) -> str:
    """Write letters and digits one by one, as a voice should read a code: `A, 1, 7`."""
    return ", ".join(character for character in show(value) if not character.isspace())


def _write(moment: datetime, pattern: str) -> str:
    def one(code: re.Match[str]) -> str:
        if code[0] not in _CODES:
            raise Misused(f"expected codes such as %d, %m and %Y, got {code[0]!r}; known are {' '.join(_CODES)}")
        return _CODES[code[0]](moment)

    return _CODE.sub(one, pattern)


def _empty(value: object, name: str, expected: str) -> str:
    """Return nothing for nothing, which is what an optional value is that wasn't given."""
    if isinstance(value, str) and not value:
        return ""
    raise Misused(f"`{name}` expected {expected}, got {_named(value)}")


def _named(value: object) -> str:
    kind = "text" if isinstance(value, str) else type(value).__name__
    return {"bool": "a boolean", "tuple": "a list", "NoneType": "none", "int": "an integer", "float": "a number"}.get(
        kind, f"a {kind}"
    )
