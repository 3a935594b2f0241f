"""What systems and people ask about consents: to set one, or to see some. Pure."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.by import By
from shared.consents.consent import API, Consent, State
from shared.documents import check_fields, parse_object
from shared.errors import Fault, RequestInvalid
from shared.settings import Settings
from shared.text.numbers import NumberInvalid, as_sender, mask, recipient, sender

_LONGEST: Final = 10_000
_ADDRESSES: Final = {"to": recipient, "sender": sender}
_Address = Annotated[str, Meta(min_length=1, max_length=150)]


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose consents to show; without a sender, those for every one."""

    to: _Address
    sender: _Address | None = None


class _Wish(Search, frozen=True, kw_only=True, forbid_unknown_fields=True):
    state: State
    reason: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    by: By | None = None


def read_search(content: bytes, *, settings: Settings) -> Search:
    """Read whose consents somebody wants to see.

    Raises:
        RequestInvalid: it can't be used; every fault is named.
    """
    return msgspec.convert(_fields(content, Search, settings), Search)


def read_wishes(content: bytes, *, settings: Settings, at: datetime) -> list[Consent]:
    """Read what somebody sets: a consent for the sender that it names, or for each that is used where none is named.

    Raises:
        RequestInvalid: it can't be used; every fault is named.
    """
    wish = msgspec.convert(_fields(content, _Wish, settings), _Wish)
    senders = [wish.sender] if wish.sender else _defaults(wish.to, settings)
    return [
        Consent(to=wish.to, sender=sender, state=wish.state, at=at, by=wish.by, how=API, reason=wish.reason)
        for sender in senders
    ]


def _fields(content: bytes, struct: type[msgspec.Struct], settings: Settings) -> dict[str, Any]:
    fields, faults = check_fields(parse_object(content, longest=_LONGEST), struct)
    for name in filter(fields.get, _ADDRESSES):
        fields[name], wrong = _address(name, fields[name], settings)
        faults += wrong
    if faults:
        raise RequestInvalid("it can't be used", faults)
    return fields


def _address(name: str, value: str, settings: Settings) -> tuple[str, list[Fault]]:
    try:
        return _ADDRESSES[name](value, channel="sms", region=settings.default_region), []
    except NumberInvalid as exc:
        return value, [Fault(name, f"{exc}, got {mask(value)}")]


def _defaults(to: str, settings: Settings) -> list[str]:
    """Return the senders of texts that name none; a Messaging Service has the same name on every channel.

    Raises:
        RequestInvalid: there is none that can write to this recipient.
    """
    number = settings.from_number and as_sender(settings.from_number, to=to)
    found = [sender for sender in (number, settings.messaging_service_sid) if sender]
    if not found:
        problem = "expected a sender for rcs: or messenger:, as TWILIO_MESSAGING_SERVICE_SID is not set"
        raise RequestInvalid("it can't be used", [Fault("sender", problem)])
    return found
