"""What somebody asks a search for: dates without a time, and numbers in any form. Pure."""

import re
from datetime import UTC, date, datetime, time
from typing import Any, Final

import msgspec

from shared.deliveries.search import Search
from shared.documents import convert, parse_object
from shared.errors import Fault, RequestInvalid
from shared.text.numbers import NumberInvalid, mask, searchable, sender

_LONGEST: Final = 10_000
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ENDS_OF_A_DAY: Final = {"since": time.min, "until": time.max}


def read_search(content: bytes, *, region: str | None) -> Search:
    """Read a search. A date is a whole day (UTC): `since` is its beginning, `until` its end.

    Raises:
        RequestInvalid: it can't be used; every fault is named.
    """
    wanted = convert(_with_times(parse_object(content, longest=_LONGEST)), Search)
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for name, value in (("to", wanted.to), ("from", wanted.from_), ("address", wanted.address)):
        if value is None:
            continue
        try:
            found["from_" if name == "from" else name] = _address(name, value, region)
        except NumberInvalid as exc:
            faults.append(Fault(name, f"{exc}, got {mask(value)}"))
    if faults:
        raise RequestInvalid("it can't be searched", faults)
    return msgspec.structs.replace(wanted, **found)


def _address(name: str, value: str, region: str | None) -> str:
    try:
        return searchable(value, region=region)
    except NumberInvalid:
        if name != "from":
            raise
    # a request may also be sent from a name or a Messaging Service
    return sender(value, channel="sms", region=region)


def _with_times(document: dict[str, Any]) -> dict[str, Any]:
    return {name: _with_time(name, value) for name, value in document.items()}


def _with_time(name: str, value: object) -> object:
    if name not in _ENDS_OF_A_DAY or not isinstance(value, str) or not _DATE.fullmatch(value):
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value
    return datetime.combine(day, _ENDS_OF_A_DAY[name], UTC).isoformat()
