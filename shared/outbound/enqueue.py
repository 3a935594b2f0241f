"""Taking a request over HTTP: checked now, sent by way of the queue like every other. Pure, but for the minted id."""

import uuid

import msgspec

from shared.documents import parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound.checks import Rules
from shared.outbound.decode import decode
from shared.outbound.internal import MARK
from shared.outbound.request import LONGEST


def prepare(content: bytes, *, rules: Rules) -> tuple[str, bytes]:
    """Check a request; return its id, which is minted where none was given, and the message to enqueue.

    Raises:
        RequestInvalid: it can't be sent as it is; every fault is named.
    """
    message = _with_id(content)
    return decode(message, rules).request.id, message


def _with_id(content: bytes) -> bytes:
    document = parse_object(content, longest=LONGEST)
    if MARK in document:
        # what the app tells itself takes other ways in
        raise RequestInvalid("it can't be sent", [Fault(MARK, "is no known field")])
    return content if "id" in document else msgspec.json.encode({"id": uuid.uuid4().hex, **document})
