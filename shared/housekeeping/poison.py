"""The host's poison queue: what it gave up on goes where every unusable message is."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.outbound.send import Sender
from shared.queues import Queue

_HIDDEN: Final = timedelta(minutes=5)
_REASON: Final = (
    "the functions host gave it up: it was no base64, or could not be taken in as many tries as host.json allows"
)


class PoisonQueue:
    """Drains it: a message is deleted once it is on record."""

    def __init__(self, *, queue: Queue, sender: Callable[[], Sender], clock: Callable[[], datetime]) -> None:
        self._queue = queue
        self._sender = sender
        self._clock = clock

    async def drain(self, *, until: datetime) -> int:
        """Put what is there on record as rejected, up to the moment `until`; return how many were."""
        count = 0
        async for message, content in self._queue.receive(hidden=_HIDDEN):
            await self._sender().give_up(message.id, content, reason=_REASON)
            await self._queue.delete(message)
            count += 1
            if self._clock() >= until:
                break
        return count
