"""Which of Twilio's messages or calls can be the one that an attempt without an answer left behind. Pure.

Twilio's list is the only witness, and it says nothing of our ids. So what is looked for was made between the claim and
the end of the attempt's time, for this recipient, from a sender that fits, and belongs to no other delivery.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.deliveries import status
from shared.deliveries.record import Delivery
from shared.outbound.provider import Resource
from shared.outbound.request import Request
from shared.text.numbers import MESSAGING_SERVICE

CLOCKS: Final = timedelta(seconds=10)
"""how far Twilio's clock, which counts whole seconds, and ours may stand apart"""
_BY_A_CREATE: Final = "outbound-api"
_TRIAL: Final = "Sent from your Twilio trial account - "
"""a trial account puts this before every text: https://www.twilio.com/docs/usage/tutorials/how-to-use-your-free-trial-account"""


def begins(delivery: Delivery) -> datetime:
    """Return the earliest moment at which Twilio can have made what the last attempt sent."""
    return (delivery.claimed_at or delivery.created_at) - CLOCKS


def ends(delivery: Delivery) -> datetime | None:
    """Return the latest moment at which Twilio can have made it; None where the attempt has no deadline."""
    return None if delivery.deadline is None else delivery.deadline + CLOCKS


def candidates(listed: Iterable[Resource], delivery: Delivery, request: Request) -> list[Resource]:
    """Return what Twilio made in the attempt's time and from a sender that fits, the likeliest first."""
    begin, end = begins(delivery), ends(delivery) or datetime.max.replace(tzinfo=UTC)
    fitting = [
        resource
        for resource in listed
        if _in_time(resource, begin, end) and _created(resource) and _sender_fits(resource, request)
    ]
    return sorted(fitting, key=lambda resource: (not is_alike(resource, request), _since_claim(resource, delivery)))


def is_alike(resource: Resource, request: Request) -> bool:
    """Tell whether its text is the one that was asked for, and nothing more.

    What was asked for without a text (a call, media alone) is alike where none is seen. A content template's text is
    made at Twilio: it can't be compared, and so is not alike. White space may be missing at its ends: Twilio trims
    trailing line breaks (see `shared.text.segments.trimmed`), and documents nothing of other white space.
    """
    if request.body is None:
        return not resource.body
    listed = resource.body or ""
    return _is_trimmed(listed, request.body) or _is_trimmed(listed.removeprefix(_TRIAL), request.body)


def _is_trimmed(listed: str, asked: str) -> bool:
    return listed in asked and listed.strip() == asked.strip()


def is_nearer(resource: Resource, other: Delivery, its_request: Request, *, than: Delivery) -> bool:
    """Tell whether a resource is rather what another delivery's attempt left behind than what `than`'s did.

    That is so where the other one has no message or call yet, asked for the same, and claimed it nearer to the moment
    at which Twilio made it. Two identical requests in flight would exchange their SIDs otherwise.
    """
    waits = other.id != than.id and other.sid is None and other.status in {status.SUBMITTING, status.UNCERTAIN}
    if not waits or resource.sid in other.past_sids or not candidates([resource], other, its_request):
        return False
    return is_alike(resource, its_request) and _since_claim(resource, other) < _since_claim(resource, than)


def _since_claim(resource: Resource, delivery: Delivery) -> timedelta:
    """Return how far it is from the claim: of several that are alike, each attempt's own was made next to it."""
    if resource.created_at is None:
        return timedelta.max
    return abs(resource.created_at - (delivery.claimed_at or delivery.created_at))


def _in_time(resource: Resource, begin: datetime, end: datetime) -> bool:
    return resource.created_at is None or begin <= resource.created_at <= end


def _created(resource: Resource) -> bool:
    # what TwiML replied or dialled (outbound-reply, outbound-dial) is nothing that a create left behind:
    # https://www.twilio.com/docs/voice/api/call-resource#call-properties
    return (resource.direction or _BY_A_CREATE) == _BY_A_CREATE


def _sender_fits(resource: Resource, request: Request) -> bool:
    asked = request.from_ or ""
    if MESSAGING_SERVICE.fullmatch(asked):
        return resource.service == asked
    # a service picks From later, and maybe this very number: a service's message is none of a number's all the same
    return resource.service is None and resource.from_ in {asked, None}
