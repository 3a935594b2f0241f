"""The fields of a queue message, as far as they can be read: also of one that can't be sent. Pure.

Every function reads the decoded JSON, as `decode` does. So a name that is written with an escape counts, and of a name
that stands twice the last value counts: https://jcristharif.com/msgspec/api.html#msgspec.json.decode.
"""

from typing import Any, Final

import msgspec

from shared.deliveries.status import Channel
from shared.outbound import internal

LONGEST_METADATA: Final = 4096
"""bytes of JSON"""
_CHANNELS: Final[dict[object, Channel]] = {"sms": "sms", "call": "call"}


def id_of(message: bytes) -> str | None:
    """Return the id that a message names, even one that can't be used."""
    named = _document(message).get("id")
    return named if isinstance(named, str) else None


def asked(message: bytes) -> dict[str, Any]:
    """Return the document of the request itself, also where the app derived it; an empty one where it can't be read."""
    derived = internal.read(message)
    return derived.request if isinstance(derived, internal.Derived) else _document(message)


def origin_of(message: bytes) -> str | None:
    """Return the schedule or the delivery that a derived request comes from."""
    derived = internal.read(message)
    return derived.origin if isinstance(derived, internal.Derived) else None


def channel_of(message: bytes) -> Channel | None:
    """Return the channel that a message names, even one that can't be used otherwise."""
    named = asked(message).get("channel")
    return _CHANNELS.get(named) if isinstance(named, str) else None


def metadata_of(message: bytes) -> dict[str, str]:
    """Return the metadata that a message carries, even one that can't be used otherwise; none where it is too long."""
    try:
        metadata = msgspec.convert(asked(message).get("metadata") or {}, dict[str, str])
    except msgspec.ValidationError:
        return {}
    return metadata if len(msgspec.json.encode(metadata)) <= LONGEST_METADATA else {}


def names_fallback(message: bytes) -> bool:
    """Tell whether a request has a fallback."""
    return asked(message).get("fallback") is not None


def _document(message: bytes) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(message.decode(errors="replace"))
    except (msgspec.DecodeError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
