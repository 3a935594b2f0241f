"""Queue triggers: take messages in batches, run the function for each, then delete, release or bury the message.

The algorithm is that of QueueListener and QueueProcessor in the WebJobs SDK:
https://github.com/Azure/azure-sdk-for-net/tree/main/sdk/storage/Microsoft.Azure.WebJobs.Extensions.Storage.Common
"""

import asyncio
import logging
from contextlib import suppress

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.backoff import Backoff
from local.host.host_json import QueueOptions
from local.host.indexing import Function
from local.host.invocation import FunctionFailedError, Invoker
from local.host.lease import LOST, Lease
from local.host.messages import NotTextError, UndecodableMessageError, decode, for_function

logger = logging.getLogger(__name__)

POISON_SUFFIX = "-poison"


class QueueListener:
    """Feeds one function from one queue."""

    def __init__(
        self,
        function: Function,
        *,
        binary: bool,
        queue: QueueClient,
        poison: QueueClient | None,
        options: QueueOptions,
        lease_seconds: int,
        invoker: Invoker,
    ) -> None:
        """Listen to `queue`; without `poison` (it is a poison queue already) what fails stays there for its lease."""
        self._function = function
        self._binary = binary
        self._queue = queue
        self._poison = poison
        self._options = options
        self._lease_seconds = lease_seconds
        self._invoker = invoker
        self._backoff = Backoff(longest_seconds=options.max_polling_interval)
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._stopping = asyncio.Event()
        self._trouble: str | None = None
        self._was_there = False

    async def make_queue(self) -> None:
        """Create the queue unless it exists. Where that fails, each poll that finds no queue tries again, and tells.

        Azure's listener waits until somebody else creates its queue. A laptop's storage is empty at first, and what
        is sent right after the start must find the queue.
        """
        with suppress(AzureError):
            await self._make()

    def stop(self) -> None:
        """Take no more messages; `run` ends when the functions that run have ended."""
        self._stopping.set()
        self._room.set()

    async def run(self) -> None:
        """Poll until `stop`; cancelled, it cancels the functions that run, whose messages come again."""
        try:
            while not self._stopping.is_set():
                await self._poll()
            if self._running:
                await asyncio.wait(self._running)
        finally:
            for task in self._running:
                task.cancel()

    async def _poll(self) -> None:
        messages = await self._receive()
        if not messages:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._backoff.next_seconds()):
                    await self._stopping.wait()
            return
        self._backoff.reset()
        for message in messages:
            task = asyncio.create_task(self._process(message))
            self._running.add(task)
            task.add_done_callback(self._ended)
        if len(self._running) > self._options.threshold and not self._stopping.is_set():
            self._room.clear()
            await self._room.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if len(self._running) <= self._options.threshold:
            self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s: a message was not dealt with; it comes again", self._function.name, exc_info=error)

    async def _receive(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=self._lease_seconds, retry_total=0
        ).by_page()
        try:
            # One request: iterating over the messages would ask again until the queue is empty.
            page = await anext(pages, None)
            messages = [message async for message in page] if page is not None else []
        except ResourceNotFoundError:
            await self._look_for_queue()
            return []
        except AzureError as exc:
            self._note(f"cannot be read ({type(exc).__name__}); waiting for it")
            return []
        self._note(None)
        self._was_there = True
        return messages

    async def _look_for_queue(self) -> None:
        # One that somebody deleted while the host runs stays deleted.
        if self._was_there:
            self._note("does not exist; waiting for it")
            return
        try:
            await self._make()
        except AzureError as exc:
            self._note(f"does not exist and cannot be created ({type(exc).__name__}); waiting for it")

    async def _make(self) -> None:
        await self._queue.create_queue(retry_total=0)
        self._was_there = True

    def _note(self, trouble: str | None) -> None:
        """Log what is wrong with the queue when that changes, not at every poll."""
        if trouble == self._trouble:
            return
        if trouble is not None:
            logger.warning("queue %s %s", self._queue.queue_name, trouble)
        else:
            logger.warning("queue %s is there again", self._queue.queue_name)
        self._trouble = trouble

    async def _process(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 0) > self._options.max_dequeue_count:
            await self._bury(message, message.pop_receipt or "", "was taken too often without an end")
            return
        try:
            body = decode(message.content or "", is_base64=self._options.base64)
        except UndecodableMessageError as exc:
            await self._bury(message, message.pop_receipt or "", f"cannot be decoded: {exc}")
            return
        async with Lease(message, queue=self._queue, seconds=self._lease_seconds) as lease:
            succeeded = await self._call(message, body)
        if succeeded:
            await self._delete(message, lease.pop_receipt)
        elif self._poison is None:
            logger.warning("message %s stays in %s until its lease ends", message.id, self._queue.queue_name)
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._bury(message, lease.pop_receipt, f"failed {message.dequeue_count} times")
        else:
            await self._release(message, lease.pop_receipt)

    async def _call(self, message: QueueMessage, body: bytes) -> bool:
        try:
            value = for_function(message, body, binary=self._binary)
            await self._invoker.call(self._function, value)
        except NotTextError as exc:
            logger.error("%s: message %s cannot be bound: %s", self._function.name, message.id, exc)  # noqa: TRY400 - it says it all
            return False
        except FunctionFailedError:
            return False
        return True

    async def _bury(self, message: QueueMessage, pop_receipt: str, why: str) -> None:
        if self._poison is None:
            return
        logger.warning("message %s %s; moving it to %s", message.id, why, self._poison.queue_name)
        text = message.content or ""
        try:
            await self._poison.send_message(text)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await self._poison.create_queue()
            await self._poison.send_message(text)
        await self._delete(message, pop_receipt)

    async def _delete(self, message: QueueMessage, pop_receipt: str) -> None:
        try:
            await self._queue.delete_message(message.id, pop_receipt)
        except HttpResponseError as exc:
            if exc.status_code not in LOST:
                raise
            logger.debug("message %s was not deleted: it is gone, or somebody else's", message.id)

    async def _release(self, message: QueueMessage, pop_receipt: str) -> None:
        try:
            await self._queue.update_message(
                message.id, pop_receipt, visibility_timeout=int(self._options.visibility_timeout)
            )
        except HttpResponseError as exc:
            if exc.status_code not in LOST:
                raise
            logger.debug("message %s was not released: it is gone, or somebody else's", message.id)
