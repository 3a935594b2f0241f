"""The event feed: every event that is on record also goes to a queue, so that whoever asked can act on it."""

from typing import Any, Final

import msgspec

from shared.deliveries.record import Delivery, Event
from shared.queues import LARGEST, Queue
from shared.table_service.limits import cut

_LONGEST_ERROR: Final = 1000


class Feed:
    """Tells each event at least once, after it is on record."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def tell(self, delivery: Delivery, event: Event) -> None:
        """Enqueue an event of a delivery; the same one may come twice."""
        await self._queue.put(as_message(delivery, event))


def as_message(delivery: Delivery, event: Event) -> bytes:
    """Return the JSON that a reader of the feed gets; where a queue can't carry it, without `detail`, and `cut`."""
    document = as_document(delivery, event)
    message = msgspec.json.encode(document)
    if len(message) <= LARGEST:
        return message
    error = document["error"] and {**document["error"], "message": cut(event.error_message or "", _LONGEST_ERROR)}
    return msgspec.json.encode({**document, "error": error, "detail": None, "cut": True})


def as_document(delivery: Delivery, event: Event) -> dict[str, Any]:
    """Return what a reader of the feed gets."""
    error = None
    if event.error_code is not None or event.error_message is not None:
        error = {"code": event.error_code, "message": event.error_message}
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "direction": delivery.direction,
        "origin": delivery.origin,
        "answers": delivery.answers,
        "named": delivery.named,
        "status": event.status,
        "sid": event.sid,
        "error": error,
        "at": event.at,
        "kind": event.kind,
        "detail": event.raw if event.kind is not None else None,
        "metadata": delivery.metadata,
    }
