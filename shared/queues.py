"""One Azure queue, as this app writes to it; a queue that isn't there yet is made by the first message."""

import base64
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from shared.connections import without_urls
from shared.errors import MessageTooLarge

if TYPE_CHECKING:
    from azure.storage.queue import QueueMessage
    from azure.storage.queue.aio import QueueClient

LARGEST: Final = 48 * 1024
"""bytes of a message: 64 KiB in base64, https://learn.microsoft.com/azure/storage/queues/scalability-targets"""
_LONGEST_DELAY: Final = timedelta(days=7)
_FOR_EVER: Final = -1
"""seconds: the message does not expire. Left out, it expires after 7 days:
https://learn.microsoft.com/rest/api/storageservices/put-message"""
_LONGEST_LIFE: Final = 2**31 - 1
"""seconds, 68 years: any positive number is allowed there, and Azure's own clients count in 32 bits"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is in a queue: about how many messages, and the visible one at its front, where there is one."""

    messages: int
    front: str | None = None
    """its id"""
    front_since: datetime | None = None
    """when it was put there"""


class Queue:
    """Messages go in as base64, as the queue trigger reads them, and stay until they are taken.

    It is connected when it is first used: most webhooks need none, and its client is a large import.
    """

    def __init__(self, connect: "Callable[[], QueueClient]", *, keep: timedelta | None = None) -> None:
        """`keep` is how long a message stays that nobody takes; for ever where it is None."""
        self._connect = connect
        self._life = _FOR_EVER if keep is None else min(round(keep.total_seconds()), _LONGEST_LIFE)

    @cached_property
    def _client(self) -> "QueueClient":
        return self._connect()

    async def put(self, message: bytes, *, delay: timedelta = timedelta(0)) -> str:
        """Enqueue a message that shows itself after `delay` (7 days at most, Azure's limit); return Azure's id of it.

        A lost answer makes the SDK enqueue it twice, under two ids: whoever takes it must not mind.

        Raises:
            MessageTooLarge: it has more than `LARGEST` bytes.
        """
        if len(message) > LARGEST:
            raise MessageTooLarge(f"expected a message of at most {LARGEST} bytes, got {len(message)}")
        try:
            return await self._send(message, delay)
        except ResourceNotFoundError:
            await self._create()
            return await self._send(message, delay)

    async def receive(self, *, hidden: timedelta) -> "AsyncIterator[tuple[QueueMessage, bytes]]":
        """Yield what is in the queue, with its bytes; each shows itself again after `hidden` unless it is deleted."""
        messages = self._client.receive_messages(visibility_timeout=round(hidden.total_seconds()))
        try:
            with without_urls():
                async for message in messages:
                    yield message, _decoded(message.content)
        except ResourceNotFoundError:
            return

    async def delete(self, message: "QueueMessage") -> None:
        """Delete a message that was received."""
        with without_urls():
            await self._client.delete_message(message)

    async def check(self) -> None:
        """Make sure that the queue service answers; a queue that isn't there yet is no fault."""
        with contextlib.suppress(ResourceNotFoundError), without_urls():
            await self._client.get_queue_properties()

    async def backlog(self) -> Backlog:
        """Return how many messages are in the queue, and which visible one is at its front.

        The number is Azure's estimate, and counts messages that are hidden until their time, or are being worked on
        (https://learn.microsoft.com/rest/api/storageservices/get-queue-metadata). A queue that isn't there is empty.
        """
        try:
            with without_urls():
                count = (await self._client.get_queue_properties()).approximate_message_count or 0
                peeked = await self._client.peek_messages(max_messages=1) if count else []
        except ResourceNotFoundError:
            return Backlog(0)
        front = peeked[0] if peeked else None
        return Backlog(count) if front is None else Backlog(count, front.id, front.inserted_on)

    async def _send(self, message: bytes, delay: timedelta) -> str:
        # rounded up: who comes before the time comes in vain
        hidden = max(0, math.ceil(min(delay, _LONGEST_DELAY).total_seconds()))
        text = base64.b64encode(message).decode()
        with without_urls():
            sent = await self._client.send_message(text, visibility_timeout=hidden, time_to_live=self._life)
        return str(sent.id)

    async def _create(self) -> None:
        try:
            with without_urls():
                await self._client.create_queue()
        except ResourceExistsError:
            return


def _decoded(text: str) -> bytes:
    try:
        # the functions host reads base64 in lines, too
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:  # no base64, or not even ASCII
        return text.encode()
