"""The event feed: every event that is on record also goes to a queue, so that whoever asked can act on it."""

from typing import Any

import msgspec

from shared.deliveries.record import Delivery, Event
from shared.queues import Queue


class Feed:
    """Tells each event at least once, after it is on record."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def tell(self, delivery: Delivery, event: Event) -> None:
        """Enqueue an event of a delivery; the same one may come twice."""
        await self._queue.put(msgspec.json.encode(as_document(delivery, event)))


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
