"""The host's poison queue: what it gave up on goes where every unusable message is, and the app's own goes back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.outbound import internal
from shared.outbound.send import Sender
from shared.queues import Queue

_HIDDEN: Final = timedelta(minutes=5)
_REASON: Final = (
    "the functions host gave it up: it was no base64, or could not be taken in as many tries as host.json allows"
)


class PoisonQueue:
    """Drains it: a message is deleted once it is on record."""

    def __init__(
        self, *, queue: Queue, outbound: Queue, sender: Callable[[], Sender], clock: Callable[[], datetime]
    ) -> None:
        self._queue = queue
        self._outbound = outbound
        self._sender = sender
        self._clock = clock

    async def drain(self, *, until: datetime) -> int:
        """Put the requests that are there on record as rejected, up to the moment `until`; return how many were."""
        count = 0
        async for message, content in self._queue.receive(hidden=_HIDDEN):
            if internal.read(content) is None:
                await self._sender().give_up(message.id, content, reason=_REASON)
            else:
                # there is nothing wrong with it: the storage was away for as many tries
                await self._outbound.put(content)
            await self._queue.delete(message)
            count += 1
            if self._clock() >= until:
                break
        return count
