"""The values of a template: what their types take, from JSON. Pure."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, TypeVar

from shared.errors import Fault, looks_like_name

LONGEST_TEXT: Final = 4000
"""characters of a value: as many as the longest text that can be sent"""
LONGEST_LIST: Final = 100
LARGEST: Final = 10**15
"""of a number, either way: what a float still holds to a tenth"""
_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?"
_OFFSET: Final = r"(Z|[+-][0-9]{2}:[0-9]{2})?"

_T = TypeVar("_T")
Single = str | int | float | bool | date | time | datetime
Checked = Single | tuple[Single, ...]


class _Unfit(ValueError):
    """A value that isn't of its type; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class _Type:
    """How a value is read from JSON, and a made-up one to try a template with."""

    read: Callable[[object], Single]
    sample: Single


@dataclass(frozen=True, slots=True)
class Declared:
    """A value that a template takes. Left out it is `default`; without a default it has to be given."""

    kind: str
    default: Checked | None = None

    def read(self, value: object) -> Checked:
        """Read a value from JSON.

        Raises:
            ValueError: it isn't of this type; the message says what was expected and what came, not the value.
        """
        single = self.kind.removeprefix(_LIST_OF)
        if single == self.kind:
            return _TYPES[single].read(value)
        if not isinstance(value, list) or len(value) > LONGEST_LIST:
            got = f"one of {len(value)}" if isinstance(value, list) else _kind(value)
            raise _Unfit(f"expected a list of at most {LONGEST_LIST}, got {got}")
        return tuple(_read_item(_TYPES[single], item, number) for number, item in enumerate(value, 1))

    def sample(self, *, yes: bool) -> Checked:
        """Return a made-up value; `yes` is the one of a boolean."""
        single = self.kind.removeprefix(_LIST_OF)
        made_up = yes if single == "boolean" else _TYPES[single].sample
        return made_up if single == self.kind else (made_up,) * 3


def read_data(declared: Mapping[str, Declared], data: Mapping[str, object]) -> tuple[dict[str, Checked], list[Fault]]:
    """Read all values that a request brings; what is wrong with them comes as faults of `data.NAME`."""
    faults = [_unknown(name, declared) for name in data if name not in declared]
    values: dict[str, Checked] = {}
    for name, value in declared.items():
        if name in data:
            try:
                values[name] = value.read(data[name])
            except _Unfit as exc:
                faults.append(Fault(f"data.{name}", str(exc)))
        elif value.default is not None:
            values[name] = value.default
        else:
            faults.append(Fault(f"data.{name}", f"is required: {_expected(value.kind)}"))
    return values, faults


def _read_item(kind: _Type, item: object, number: int) -> Single:
    try:
        return kind.read(item)
    except _Unfit as exc:
        raise _Unfit(f"item {number}: {exc}") from exc


def _expected(kind: str) -> str:
    single = kind.removeprefix(_LIST_OF)
    return _EXPECTED[kind] if single == kind else f"a list, and in it {_EXPECTED[single]}"


def _unknown(name: str, declared: Mapping[str, Declared]) -> Fault:
    problem = f"is no value of this template, which takes {', '.join(declared) or 'none'}"
    if looks_like_name(name):
        return Fault(f"data.{name}", problem)
    return Fault("data", f"a name of {len(name)} characters {problem}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _unfit("text", value)
    if len(value) > LONGEST_TEXT:
        raise _Unfit(f"expected at most {LONGEST_TEXT} characters, got {len(value)}")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _unfit("integer", value)
    _limit(value)
    return value


def _number(value: object) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _unfit("number", value)
    # of an integer that no float can hold, math.isfinite would end in an OverflowError
    if isinstance(value, float) and not math.isfinite(value):
        raise _unfit("number", value)
    _limit(value)
    return value


def _limit(value: float) -> None:
    if abs(value) > LARGEST:
        raise _Unfit(f"expected a number from -{LARGEST} to {LARGEST}, got one beyond")


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise _unfit("boolean", value)
    return value


def _date(value: object) -> date:
    return _iso("date", _DATE, date.fromisoformat, value)


def _time(value: object) -> time:
    return _iso("time", _TIME, time.fromisoformat, value)


def _datetime(value: object) -> datetime:
    return _iso("datetime", f"{_DATE}T{_TIME}{_OFFSET}", datetime.fromisoformat, value)


def _iso(kind: str, pattern: str, parse: Callable[[str], _T], value: object) -> _T:
    if not isinstance(value, str):
        raise _unfit(kind, value)
    try:
        if re.fullmatch(pattern, value):
            return parse(value)
    except ValueError:  # the 31st of February
        pass
    raise _Unfit(f"expected {_EXPECTED[kind]}, got another text")


def _unfit(kind: str, value: object) -> _Unfit:
    return _Unfit(f"expected {_EXPECTED[kind]}, got {_kind(value)}")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    return {str: "a text", list: "a list", dict: "an object", type(None): "null"}.get(type(value), "something else")


_LIST_OF: Final = "list of "
_EXPECTED: Final = {
    "text": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-01-31",
    "time": "a time such as 09:30",
    "datetime": "a date and time such as 2026-01-31T09:30+01:00",
}
_TYPES: Final = {
    "text": _Type(_text, "Made up, to try it with"),
    "integer": _Type(_integer, 7),
    "number": _Type(_number, 7.5),
    "boolean": _Type(_boolean, True),
    "date": _Type(_date, date(2026, 1, 31)),
    "time": _Type(_time, time(9, 30)),
    "datetime": _Type(_datetime, datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
}
KINDS: Final = (*_TYPES, *(f"{_LIST_OF}{kind}" for kind in _TYPES))
"""what can stand behind a value's name"""
