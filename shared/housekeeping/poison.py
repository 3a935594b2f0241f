"""The host's poison queue: what can be sent goes back, the rest where every unusable message is."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from shared.logs import traced
from shared.outbound.send import Sender
from shared.queues import Queue

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage

_logger: Final = logging.getLogger(__name__)
_HIDDEN: Final = timedelta(minutes=5)
_REASON: Final = (
    "the functions host gave it up: it was no base64, or could not be taken in as many tries as host.json allows"
)


class PoisonQueue:
    """Drains it: a message is deleted once it is on record, or back in its queue."""

    def __init__(self, *, queue: Queue, sender: Callable[[], Sender], clock: Callable[[], datetime]) -> None:
        self._queue = queue
        self._sender = sender
        self._clock = clock

    async def drain(self, *, until: datetime) -> int:
        """Take care of what is there, up to the moment `until`; return how many were."""
        count = 0
        async for message, content in self._queue.receive(hidden=_HIDDEN):
            try:
                await self._take_care_of(message, content)
            except Exception as exc:  # noqa: BLE001 - it shows itself again, and must not keep all others waiting
                # the text of an SDK's error holds URLs
                _logger.error("poison message %s could not be drained: %s", message.id, traced(exc))  # noqa: TRY400
            else:
                count += 1
            if self._clock() >= until:
                break
        return count

    async def _take_care_of(self, message: "QueueMessage", content: bytes) -> None:
        # what the host can read is base64; anything else came out of the queue as it went in
        readable = content != message.content.encode()
        await self._sender().give_up(message.id, content, reason=_REASON, readable=readable)
        await self._queue.delete(message)
