"""From the bytes of a queue message to a request that can be sent, or to every fault that is in it. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from shared.documents import check_fields, parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import Rules, complete
from shared.outbound.fallback import as_request, document_of, may_be_one
from shared.outbound.message import asked
from shared.outbound.request import LONGEST, MOST_STEPS, VALID_FOR, Fallback, Request
from shared.queues import LARGEST

_ENVELOPE: Final = 2000
"""characters that the app adds to a request that it derives"""
_ID_STAND_IN: Final = "0"
_LONGEST_ID_STAND_IN: Final = "0" * 200
"""no id is longer"""


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


def decode(message: bytes, rules: Rules) -> Decoded:
    """Decode a request, its numbers brought to E.164, its sender filled in and its template rendered.

    Raises:
        RequestInvalid: it can't be sent as it is; every fault is named.
    """
    if len(message) > LARGEST:
        # the sender puts a message back into the queue, for example before a later attempt
        problem = f"expected at most {LARGEST} bytes, which is what a queue carries, got {len(message)}"
        raise RequestInvalid("it can't be sent", [Fault("request", problem)])
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
    return msgspec.convert({**asked(message), "id": _ID_STAND_IN}, Request)


def faults_of(message: bytes, rules: Rules) -> tuple[Fault, ...]:
    """Return what is wrong with a request; nothing where it can be sent."""
    try:
        decode(message, rules)
    except RequestInvalid as exc:
        return exc.faults
    return ()


def data_of(message: bytes) -> dict[str, Any]:
    """Return the values that a request brings for a template or a flow, as they came.

    Raises:
        RequestInvalid: it can't be read.
    """
    derived = internal.read(message)
    document = derived.request if isinstance(derived, internal.Derived) else parse_object(message, longest=LONGEST)
    data = document.get("data")
    return data if isinstance(data, dict) else {}


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
    own = msgspec.structs.replace(own, fallback=later)
    return own, [*told, *_size_faults(as_request(before, own))]


def _size_faults(fallback: Request) -> list[Fault]:
    """Return what is wrong with the size of the message that a fallback becomes: with its id, and what it inherits."""
    stand_in = _LONGEST_ID_STAND_IN
    message = internal.write(internal.Derived(id=stand_in, origin=stand_in, request=document_of(fallback)))
    size, characters = len(message), len(message.decode())
    if size <= LARGEST and characters <= LONGEST + _ENVELOPE:
        return []
    most = f"{LARGEST} bytes and {LONGEST + _ENVELOPE} characters"
    problem = f"expected at most {most} as a message of its own, got {size} and {characters}"
    return [Fault("fallback", problem)]


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
