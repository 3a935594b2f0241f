"""Deliveries and events as rows of the `Deliveries` table, and back: pure. The layout is public (README, "Tables")."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.deliveries.record import Delivery, Event

STATE: Final = "delivery"
EVENTS: Final = "event:"
EVENTS_END: Final = "event;"
"""the first key after all that begin with `event:`"""

RAW: Final = "Raw"
_PART: Final = 16_000
"""characters that fit one property, 64 KiB of UTF-16, whatever they are"""

_AS_JSON: Final = frozenset({"metadata", "reasons", "past_sids", "candidates", "raw"})
_APART: Final = frozenset({"id", "version", "key"})


def _property(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


_DELIVERY: Final = {f.name: _property(f.name) for f in msgspec.structs.fields(Delivery) if f.name not in _APART}
_OF_TOMBSTONE: Final = frozenset(
    {"channel", "direction", "status", "created_at", "updated_at", "request_hash", "erased"}
)
CLEARED: Final = tuple(prop for name, prop in _DELIVERY.items() if name not in _OF_TOMBSTONE)
"""the properties of a state that an erasure removes"""
_EVENT: Final = {f.name: _property(f.name) for f in msgspec.structs.fields(Event) if f.name not in _APART}


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Return the whole row of a delivery's state."""
    return {"PartitionKey": delivery.id, "RowKey": STATE, **_properties(delivery, _DELIVERY)}


def changed_row(before: Delivery, after: Delivery) -> dict[str, Any]:
    """Return the row to merge so that `before` becomes `after`: only what differs."""
    old, new = (_properties(delivery, _DELIVERY, empty=True) for delivery in (before, after))
    differing = {name: value for name, value in new.items() if value != old[name]}
    # a merge can't remove a property; an empty string is read back as none
    cleared = {name: "" if value is None else value for name, value in differing.items()}
    return {"PartitionKey": after.id, "RowKey": STATE, **cleared}


def event_row(delivery_id: str, event: Event) -> dict[str, Any]:
    """Return the row of one event of a delivery; what one property can't hold goes on in Raw1, Raw2 and so on."""
    properties = _properties(event, _EVENT)
    raw = properties.get(RAW, "")
    for number, start in enumerate(range(_PART, len(raw), _PART), start=1):
        properties[f"{RAW}{number}"] = raw[start : start + _PART]
    if raw:
        properties[RAW] = raw[:_PART]
    return {"PartitionKey": delivery_id, "RowKey": EVENTS + event.key, **properties}


def read_delivery(row: Mapping[str, Any]) -> Delivery:
    """Return the delivery that a row holds, with the row's ETag as its version."""
    values = _values(row, _DELIVERY)
    for name in ("reasons", "past_sids", "candidates"):
        values[name] = tuple(values.get(name, ()))
    return Delivery(id=row["PartitionKey"], version=getattr(row, "metadata", {}).get("etag"), **values)


def read_event(row: Mapping[str, Any]) -> Event:
    """Return the event that a row holds."""
    parts = [row.get(RAW, "")]
    while (part := row.get(f"{RAW}{len(parts)}")) is not None:
        parts.append(part)
    return Event(key=row["RowKey"].removeprefix(EVENTS), **_values({**row, RAW: "".join(parts)}, _EVENT))


def _properties(value: Delivery | Event, names: Mapping[str, str], *, empty: bool = False) -> dict[str, Any]:
    found = {}
    for name, prop in names.items():
        content = getattr(value, name)
        if name in _AS_JSON:
            content = msgspec.json.encode(content).decode() if content else None
        if content is not None or empty:
            found[prop] = content
    return found


def _values(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, prop in names.items():
        content = row.get(prop)
        if content is None or content == "":
            continue
        if name in _AS_JSON:
            content = msgspec.json.decode(content)
        found[name] = content
    return found
