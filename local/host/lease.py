"""Keeping a queue message invisible to others while its function runs."""

import asyncio
import logging
from types import TracebackType
from typing import Self

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

logger = logging.getLogger(__name__)

LOST = frozenset({400, 404, 409})
"""Answers that mean: the message is somebody else's by now, or gone, or its queue is."""

_HURRY = 5


class Lease:
    """Renews a message's visibility when half of it is over, until the block ends; holds the latest pop receipt."""

    def __init__(self, message: QueueMessage, *, queue: QueueClient, seconds: int) -> None:
        self.message = message
        self.pop_receipt = message.pop_receipt or ""
        self._queue = queue
        self._seconds = seconds
        self._over = False
        self._timer: asyncio.TimerHandle | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._wait(self._seconds / 2)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._renewal is not None:
            # One under way is awaited: it changes the receipt that deleting the message needs.
            await self._renewal

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start)

    def _start(self) -> None:
        self._renewal = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        wait = self._seconds / 2
        try:
            renewed = await self._queue.update_message(
                self.message.id, self.pop_receipt, visibility_timeout=self._seconds
            )
            self.pop_receipt = renewed.pop_receipt or self.pop_receipt
        except AzureError as exc:
            if isinstance(exc, HttpResponseError) and exc.status_code in LOST:
                logger.warning("message %s was taken over while its function runs", self.message.id)
                return
            logger.warning("the lease of message %s could not be renewed yet: %s", self.message.id, type(exc).__name__)
            wait /= _HURRY
        if not self._over:
            self._wait(wait)
