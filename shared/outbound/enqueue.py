"""Taking a request over HTTP: checked now, sent by way of the queue like every other."""

import uuid

import msgspec

from shared.documents import parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound.decode import decode
from shared.outbound.request import LONGEST
from shared.queues import LARGEST, Queue
from shared.settings import Settings


async def enqueue(content: bytes, *, settings: Settings, queue: Queue) -> str:
    """Check a request and enqueue it; return its id, which is minted where none was given.

    Raises:
        RequestInvalid: it can't be sent as it is; every fault is named, and nothing was enqueued.
        azure.core's errors: whether it was enqueued is not known. With the same id it may be asked for again.
    """
    message = _with_id(content)
    request = decode(message, settings).request
    if len(message) > LARGEST:
        problem = f"expected at most {LARGEST} bytes, which is what a queue carries, got {len(message)}"
        raise RequestInvalid("it can't be sent", [Fault("request", problem)])
    await queue.put(message)
    return request.id


def _with_id(content: bytes) -> bytes:
    document = parse_object(content, longest=LONGEST)
    return content if "id" in document else msgspec.json.encode({"id": uuid.uuid4().hex, **document})
