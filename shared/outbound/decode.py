"""From the bytes of a queue message to a request that can be sent, or to every fault that is in it. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from shared.deliveries.status import Channel
from shared.documents import check_fields, parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import LONGEST_METADATA, Rules, complete
from shared.outbound.fallback import as_request, may_be_one
from shared.outbound.request import LONGEST, MOST_STEPS, VALID_FOR, Fallback, Request

_ENVELOPE: Final = 2000
"""characters that the app adds to a request that it derives"""
_ID_STAND_IN: Final = "0"


class Decoded(msgspec.Struct, frozen=True):
    """A request that can be sent, and the hash of its content."""

    request: Request
    hash: str
    origin: str | None = None
    """the schedule or the delivery that a derived request comes from"""
    due: datetime | None = None
    """the time of a schedule that it is for"""
    valid_for: timedelta = VALID_FOR
    """how long it may be sent after it might have been, where it doesn't say itself"""


class _Id(msgspec.Struct, frozen=True):
    id: str | None = None


class _Channel(msgspec.Struct, frozen=True):
    channel: Channel | None = None


class _Metadata(msgspec.Struct, frozen=True):
    metadata: dict[str, str] | None = None


def decode(message: bytes, rules: Rules) -> Decoded:
    """Decode a request, its numbers brought to E.164, its sender filled in and its template rendered.

    Raises:
        RequestInvalid: it can't be sent as it is; every fault is named.
    """
    derived = internal.read(message)
    if isinstance(derived, internal.Derived):
        whole = parse_object(message, longest=LONGEST + _ENVELOPE)
        request = _request({**derived.request, "id": _ID_STAND_IN}, rules)
        return Decoded(
            request=msgspec.structs.replace(request, id=derived.id),
            hash=_hash(whole),
            origin=derived.origin,
            due=derived.due,
            valid_for=VALID_FOR if derived.valid_seconds is None else timedelta(seconds=derived.valid_seconds),
        )
    document = parse_object(message, longest=LONGEST)
    return Decoded(request=_request(document, rules), hash=_hash(document))


def reread(message: bytes) -> Request:
    """Return a request that was decoded before, as it was written, whatever settings and templates say by now.

    Its id is that of the message, which is not asked for here.
    """
    return msgspec.convert({**msgspec.json.decode(asked(message)), "id": _ID_STAND_IN}, Request)


def faults_of(message: bytes, rules: Rules) -> tuple[Fault, ...]:
    """Return what is wrong with a request; nothing where it can be sent."""
    try:
        decode(message, rules)
    except RequestInvalid as exc:
        return exc.faults
    return ()


def id_of(message: bytes) -> str | None:
    """Return the id that a message names, even one that can't be used."""
    try:
        return msgspec.json.decode(message, type=_Id).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def channel_of(message: bytes) -> Channel | None:
    """Return the channel that a message names, even one that can't be used otherwise."""
    try:
        return msgspec.json.decode(asked(message), type=_Channel).channel
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def data_of(message: bytes) -> dict[str, Any]:
    """Return the values that a request brings for a template or a flow, as they came.

    Raises:
        RequestInvalid: it can't be read.
    """
    derived = internal.read(message)
    document = derived.request if isinstance(derived, internal.Derived) else parse_object(message, longest=LONGEST)
    data = document.get("data")
    return data if isinstance(data, dict) else {}


def asked(message: bytes) -> bytes:
    """Return the request itself where the app derived one."""
    derived = internal.read(message)
    return msgspec.json.encode(derived.request) if isinstance(derived, internal.Derived) else message


def origin_of(message: bytes) -> str | None:
    """Return what a derived request comes from."""
    derived = internal.read(message)
    return derived.origin if isinstance(derived, internal.Derived) else None


def metadata_of(message: bytes) -> dict[str, str]:
    """Return the metadata that a message carries, even one that can't be used otherwise; none where it is too long."""
    try:
        metadata = msgspec.json.decode(asked(message), type=_Metadata).metadata or {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return metadata if len(msgspec.json.encode(metadata)) <= LONGEST_METADATA else {}


def _request(document: Mapping[str, Any], rules: Rules) -> Request:
    fields, faults = _fields(document, Request)
    request = msgspec.convert({**_stand_ins(fields), **fields}, Request)
    request, more = complete(request, rules, given=_given(document), faulty={fault.field for fault in faults})
    later, later_faults = _fallback(document.get("fallback"), request, rules, step=2)
    faults += [*more, *later_faults]
    if faults:
        raise RequestInvalid("it can't be sent", faults)
    return msgspec.structs.replace(request, fallback=later)


def _fallback(document: object, before: Request, rules: Rules, *, step: int) -> tuple[Fallback | None, list[Fault]]:
    """Check a second way, and the third in it, as the requests that they will be; return it with what is wrong."""
    if document is None:
        return None, []
    if not isinstance(document, dict) or step > MOST_STEPS:
        problem = f"expected at most {MOST_STEPS} ways" if isinstance(document, dict) else "expected an object"
        return None, [Fault("fallback", problem)]
    fields, faults = _fields(document, Fallback)
    own = msgspec.convert({"channel": before.channel, **fields}, Fallback)
    request, more = complete(
        as_request(before, own), rules, given=_given(document), faulty={fault.field for fault in faults}
    )
    if own.to is not None and not may_be_one(request.to, before.to):
        more.append(Fault("to", "expected the recipient of the first way, got another"))
    later, later_faults = _fallback(document.get("fallback"), request, rules, step=step + 1)
    told = [Fault(f"fallback.{fault.field}", fault.problem) for fault in [*faults, *more, *later_faults]]
    return msgspec.structs.replace(own, fallback=later), told


def _fields(document: Mapping[str, Any], struct: type[msgspec.Struct]) -> tuple[dict[str, Any], list[Fault]]:
    # what is wrong inside of a second way is told by itself
    return check_fields({name: value for name, value in document.items() if name != "fallback"}, struct)


def _given(document: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(name for name, value in document.items() if value is not None)


def _stand_ins(fields: dict[str, Any]) -> dict[str, Any]:
    """Return values for what may be missing or wrong, so that the other fields can be checked all the same."""
    channel = "call" if fields.get("to", "").startswith("client:") else "sms"
    return {"id": _ID_STAND_IN, "channel": channel, "to": "+12025550100"}


def _hash(document: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
