"""The addresses of a delivery, and those that can be read in a message that can't be used. Pure."""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from shared.deliveries.record import Delivery
from shared.text.numbers import NumberInvalid, cleaned, to_e164

_MOST: Final = 20
"""addresses that are read in one message"""
_LONGEST: Final = 150
_VALUES: Final = frozenset({"data", "metadata", "content_variables"})
"""fields whose `from` and `to` may be anything, such as two dates"""
_INTERNATIONAL: Final = re.compile(r"(?:00)?([1-9][0-9]{9,14})")
"""digits that may be a number of some country, written without `+`"""
_IN_TEXT: Final = re.compile(r"(?:(?:whatsapp|rcs):)?\+[1-9](?:(?:[^\S\r\n]|[().-])?[0-9]){6,14}(?![0-9])")
_SCHEMES: Final = frozenset({"tel", "sms"})
"""of a URI whose path is a phone number: https://www.rfc-editor.org/rfc/rfc3966 and https://www.rfc-editor.org/rfc/rfc5724"""
_LEAST, _TOO_LARGE = 10**9, 10**15
"""between them is a whole number that may be a phone number: E.164 has 15 digits at most"""


class Addresses(msgspec.Struct, frozen=True):
    """What a message says of its ends; None where that can't be read."""

    to: str | None = None
    from_: str | None = None
    all: tuple[str, ...] = ()
    """the readings of every `to` and `from` in it, at any depth; of a text that is no JSON, every number in it"""

    @property
    def recipients(self) -> set[str]:
        """Those that may be meant as a recipient."""
        return {*filter(None, [self.to]), *(address for address in self.all if address != self.from_)}

    @property
    def senders(self) -> set[str]:
        """Those that may be meant as the sender."""
        return {self.from_} if self.from_ else {address for address in self.all if address != self.to}


def read(message: bytes, *, region: str | None) -> Addresses:
    """Read the addresses of a message. `region` is the country of numbers that are written without `+`.

    A number that no region explains is read as an international one: `14155550100` as `+14155550100`.
    """
    text = message.decode(errors="replace")
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        found = [_reading(match[0], region) for match in _IN_TEXT.finditer(text)]
        return Addresses(all=_first(found))
    ends = list(_ends(document))
    found = [_reading(value, region) for _, value in ends]
    return Addresses(to=_one(ends, "to", region), from_=_one(ends, "from", region), all=_first(found))


def of_delivery(delivery: Delivery, *, region: str | None) -> Addresses:
    """Return the addresses of a delivery; of a rejected message, also the others that can be read in it."""
    told = tuple(filter(None, (delivery.to, delivery.from_, *delivery.mentions)))
    if told or not delivery.is_refused or delivery.request is None:
        return Addresses(to=delivery.to, from_=delivery.from_, all=told)
    # an earlier version put it on record
    return read(delivery.request, region=region)


def _ends(document: object) -> Iterator[tuple[str, str]]:
    """Yield each `to` and `from` of a document, the outermost first."""
    level: list[Any] = [document]
    while level:
        for part in level:
            if isinstance(part, dict):
                yield from ((name, text) for name in ("to", "from") for text in _written(part.get(name)))
        level = [inner for part in level for inner in _inside(part)]


def _written(end: object) -> Iterator[str]:
    """Yield what an end holds: a text, a number that a producer wrote without quotes, or each of a list."""
    match end:
        case str():
            yield end
        case int() if _LEAST < end < _TOO_LARGE:
            yield str(end)
        case list():
            for inner in end:
                if not isinstance(inner, list):
                    yield from _written(inner)


def _inside(part: object) -> list[object]:
    if isinstance(part, dict):
        return [inner for name, inner in part.items() if name not in _VALUES]
    return part if isinstance(part, list) else []


def _reading(value: str, region: str | None) -> str | None:
    value = cleaned(value).strip()
    prefix, colon, bare = value.rpartition(":")
    if prefix.lower() in _SCHEMES:
        prefix = colon = ""
    international = _INTERNATIONAL.fullmatch(re.sub(r"[\s()./-]", "", bare))
    for written in (bare, f"+{international[1]}") if international else (bare,):
        try:
            return prefix + colon + to_e164(written, region=region)
        except NumberInvalid:
            continue
    if prefix and bare and len(value) <= _LONGEST:
        return value
    # a number with something beside it, such as an extension
    inside = _IN_TEXT.search(value)
    return _reading(inside[0], region) if inside and inside[0] != value else None


def _one(ends: list[tuple[str, str]], name: str, region: str | None) -> str | None:
    first = next((value for found, value in ends if found == name), "")
    return _reading(first, region)


def _first(found: list[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, found)))[:_MOST]
