"""The second way to a recipient: when it is wanted, and the request that it is. Pure."""

from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

import msgspec

from shared.consents import OPTED_OUT
from shared.deliveries import status
from shared.deliveries.record import Delivery
from shared.deliveries.status import Channel
from shared.outbound.internal import Derived
from shared.outbound.request import Fallback, Request
from shared.text.channels import has_no_number
from shared.text.spellings import number_of, person

_WHEN: Final[dict[Channel, frozenset[str]]] = {
    "sms": frozenset({"failed", "undelivered"}),
    "call": frozenset({"failed", "undelivered", "busy", "no-answer"}),
}
_INHERITED: Final = ("time_zone", "urgent", "metadata")


class Verdict(Enum):
    """Whether a second way is to be gone."""

    GO = auto()
    NOT_YET = auto()
    """what the first comes to is not known yet, or not on record yet"""
    NEVER = auto()


def verdict(delivery: Delivery, fallback: Fallback, *, now: datetime) -> Verdict:
    """Decide whether the second way of a delivery is to be gone now."""
    if delivery.is_final:
        # who opted out is told by a failed text where Twilio finds out later than at once
        opted_out = delivery.channel == "sms" and delivery.error_code in OPTED_OUT
        ended = status.SUPPRESSED if opted_out else delivery.status
        wanted = ended in when(delivery.channel or "sms", fallback)
        return Verdict.GO if wanted else Verdict.NEVER
    if delivery.fallback_at is not None and now >= delivery.fallback_at:
        return Verdict.GO
    return Verdict.NOT_YET


def when(channel: Channel, fallback: Fallback) -> frozenset[str]:
    """Return the final statuses of a first way on this channel after which the second is gone."""
    return frozenset(fallback.when) if fallback.when is not None else _WHEN[channel]


def as_request(first: Request, fallback: Fallback) -> Request:
    """Return the request that a second way is, under the id of the first.

    It goes to the same recipient, and has the first's zone, urgency and metadata where it names none.
    """
    own = {name: getattr(fallback, name) for name in Request.__struct_fields__ if hasattr(fallback, name)}
    inherited = {name: getattr(first, name) for name in _INHERITED if own[name] is None}
    return Request(**{**own, **inherited, "id": first.id, "to": fallback.to or _recipient(first.to, fallback.channel)})


def derive(delivery: Delivery, first: Request, fallback: Fallback) -> Derived:
    """Return the second way of a delivery as the request that the app derives: the same one whenever it is asked."""
    head, number = _place(delivery)
    request = document_of(as_request(first, fallback))
    return Derived(id=f"{head}~{number + 1}", origin=head, request=request)


def _place(delivery: Delivery) -> tuple[str, int]:
    """Return the id of the first way, and which one this is."""
    head, _, tail = delivery.id.rpartition("~")
    return (head, int(tail)) if head == delivery.origin and tail.isdecimal() else (delivery.id, 1)


def document_of(request: Request) -> dict[str, Any]:
    """Return a request as the document without an id that a derived message carries."""
    fields: dict[str, Any] = msgspec.to_builtins(request)
    return {name: value for name, value in fields.items() if name != "id"}


def may_be_one(one: str, other: str) -> bool:
    """Tell whether two addresses may be one person's: the number is the same, or Twilio does not tell it."""
    if has_no_number(one) or has_no_number(other):
        return True
    return person(one.rpartition(":")[2]) == person(other.rpartition(":")[2])


def _recipient(to: str, channel: Channel) -> str:
    return (number_of(to) or to) if channel == "call" else to
