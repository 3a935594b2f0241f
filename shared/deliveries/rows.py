"""Deliveries and events as rows of the `Deliveries` table, and back: pure.

The layout is public: docs/reference/tables.md.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import msgspec

from shared.deliveries.record import Delivery, Event
from shared.table_service.limits import CUT, EARLIEST, as_key, cut, units

STATE: Final = "delivery"
EVENTS: Final = "event:"
EVENTS_END: Final = "event;"
"""the first key after all that begin with `event:`"""

_PART: Final = 16_000
"""characters that fit one property, 64 KiB of UTF-16, whatever they are: none takes more than two units"""
_LONGEST_TEXT: Final = 4_000
"""UTF-16 units of a property that is a text; a longer one is cut, and says so"""
_LONGEST: Final[Mapping[str, int]] = MappingProxyType({"text": 32_000, "raw": 400_000})
"""UTF-16 units of the properties that may hold more than others, and fit a row of 1 MiB together"""
_LONGEST_JSON: Final = 60_000
_INT64: Final = range(-(2**63), 2**63)

_LISTS: Final = ("reasons", "past_sids", "candidates", "mentions")
_AS_JSON: Final = frozenset({"metadata", "raw", *_LISTS})
_APART: Final = frozenset({"id", "version", "key"})


def _property(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


_DELIVERY: Final = {f.name: _property(f.name) for f in msgspec.structs.fields(Delivery) if f.name not in _APART}
_OF_TOMBSTONE: Final = frozenset(
    {"channel", "direction", "status", "created_at", "updated_at", "request_hash", "erased", "erased_at", "erased_by"}
)
CLEARED: Final = tuple(prop for name, prop in _DELIVERY.items() if name not in _OF_TOMBSTONE)
"""the properties of a state that an erasure removes"""
_EVENT: Final = {f.name: _property(f.name) for f in msgspec.structs.fields(Event) if f.name not in _APART}


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Return the whole row of a delivery's state."""
    return {"PartitionKey": delivery.id, "RowKey": STATE, **_properties(delivery, _DELIVERY)}


def changed_row(before: Delivery, after: Delivery) -> dict[str, Any]:
    """Return the row to merge so that `before` becomes `after`: only what differs."""
    old, new = (_properties(delivery, _DELIVERY) for delivery in (before, after))
    # a merge can't remove a property; an empty string is read back as none
    differing = {name: new.get(name, "") for name in {**old, **new} if new.get(name) != old.get(name)}
    return {"PartitionKey": after.id, "RowKey": STATE, **differing}


def event_key(event: Event) -> str:
    """Return the row key of an event; a name or a SID in it may hold what no key can."""
    return as_key(EVENTS + event.key)


def event_row(delivery_id: str, event: Event) -> dict[str, Any]:
    """Return the row of one event of a delivery."""
    return {"PartitionKey": delivery_id, "RowKey": event_key(event), **_properties(event, _EVENT)}


def read_delivery(row: Mapping[str, Any]) -> Delivery:
    """Return the delivery that a row holds, with the row's ETag as its version."""
    values = _values(row, _DELIVERY)
    for name in _LISTS:
        values[name] = tuple(values.get(name, ()))
    return Delivery(id=row["PartitionKey"], version=getattr(row, "metadata", {}).get("etag"), **values)


def read_event(row: Mapping[str, Any]) -> Event:
    """Return the event that a row holds."""
    return Event(key=row["RowKey"].removeprefix(EVENTS), **_values(row, _EVENT))


def _properties(value: Delivery | Event, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what is kept of each field; JSON that one property can't hold goes on in Raw1, Raw2 and so on."""
    found: dict[str, Any] = {}
    for name, prop in names.items():
        content = getattr(value, name)
        if name in _AS_JSON:
            text = _as_json(content, _LONGEST.get(name, _LONGEST_JSON)) if content else ""
            found |= {_of_part(prop, start): text[start : start + _PART] for start in range(0, len(text), _PART)}
        elif content is not None:
            found[prop] = _fitting(content, _LONGEST.get(name, _LONGEST_TEXT))
    return {prop: content for prop, content in found.items() if content is not None}


def _as_json(content: Any, most: int) -> str:  # noqa: ANN401 - any of the fields that are kept as JSON
    """Return a value as JSON; where that is too long, its beginning as a text, in an object or an array as before."""
    text = msgspec.json.encode(content).decode()
    if units(text) <= most:
        return text
    # in JSON, a text that is JSON itself may be twice as long
    beginning = cut(text, most // 2 - len(CUT) - len('{"cut":""}'))
    return msgspec.json.encode({"cut": beginning} if isinstance(content, dict) else [beginning]).decode()


def _fitting(content: Any, most: int) -> Any:  # noqa: ANN401 - any kind that a property has
    """Return a value that a property can hold; a number or a moment that none can is left out, and `Raw` has it."""
    if isinstance(content, str):
        return cut(content, most)
    is_number_beyond = isinstance(content, int) and content not in _INT64
    is_too_early = isinstance(content, datetime) and content < EARLIEST
    return None if is_number_beyond else EARLIEST if is_too_early else content


def _of_part(prop: str, start: int) -> str:
    return f"{prop}{start // _PART or ''}"


def _joined(row: Mapping[str, Any], prop: str) -> str:
    parts = [row.get(prop) or ""]
    while part := row.get(f"{prop}{len(parts)}"):
        parts.append(part)
    return "".join(parts)


def _values(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, prop in names.items():
        content = _joined(row, prop) if name in _AS_JSON else row.get(prop)
        if content is None or content == "":
            continue
        if name in _AS_JSON:
            content = msgspec.json.decode(content)
        found[name] = content
    return found
