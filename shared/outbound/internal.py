"""What the app enqueues for itself beside requests: small messages about what is on record already. Pure.

They are told from requests by the field `switchboard`, which no request has.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from shared.deliveries.keys import is_id
from shared.queues import LARGEST

MARK: Final = "switchboard"
_MARKED: Final = f'"{MARK}"'.encode()
"""as `write` writes it: with an escape in it, it is the unknown field of somebody else's request"""


class Wake(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field=MARK, tag="wake"):
    """The time of a delivery has come."""

    id: str
    tries: int = 0
    """how often somebody looked before it was on record"""


class FollowUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field=MARK, tag="follow-up"):
    """A delivery ended, or has been silent for long: its second way may be wanted."""

    id: str
    tries: int = 0
    """how often somebody looked before it was on record"""


class Derived(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field=MARK, tag="derived"):
    """A request that the app derives: an occurrence of a schedule, or a later way to the recipient of a delivery."""

    id: str
    """the origin's, `~`, and what tells it from others of the same origin"""
    origin: str
    """the schedule, or the first delivery"""
    request: dict[str, Any]
    """as a request, but without an id"""
    due: datetime | None = None
    """the time of a schedule that it is for"""
    valid_seconds: int | None = None
    """how long after it is due, or after its quiet hours, it may still be sent"""


Internal = Wake | FollowUp | Derived


def read(message: bytes) -> Internal | None:
    """Return what a message of the app's own says; None for every other message, such as a request."""
    if _MARKED not in message:
        return None
    try:
        internal: Internal = msgspec.json.decode(message, type=Internal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return internal if _is_ours(internal) else None


def _is_ours(internal: Internal) -> bool:
    """Tell whether its id is one that the app writes: everything else is a request with an unknown field."""
    if not is_id(internal.id):
        return False
    return not isinstance(internal, Derived) or internal.id.startswith(f"{internal.origin}~")


def write(internal: Internal) -> bytes:
    """Return the message that says it."""
    return msgspec.json.encode(internal)


def to_take_again(delivery_id: str, request: bytes | None) -> bytes:
    """Return the message with which a delivery is taken again: its request, or a wake-up where that is too large.

    Only fallbacks that an earlier version derived are larger than a queue's message.
    """
    return request if request and len(request) <= LARGEST else write(Wake(delivery_id))


def occurrence_id(schedule_id: str, due: datetime) -> str:
    """Return the id of the request that a schedule makes for one of its times, the same whenever it is asked."""
    return f"{schedule_id}~{due:%Y%m%dT%H%MZ}" if due.second == 0 else f"{schedule_id}~{due:%Y%m%dT%H%M%SZ}"
