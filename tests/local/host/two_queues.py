"""A queue and its poison queue, as a test sees them from outside."""

import base64
from dataclasses import dataclass

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient


@dataclass(frozen=True)
class TwoQueues:
    """A queue of one test's own, the poison queue beside it, and the settings of an app that uses them."""

    settings: dict[str, str]
    main: QueueClient
    poison: QueueClient

    @property
    def name(self) -> str:
        return str(self.main.queue_name)

    async def put(self, text: str) -> None:
        await self.main.send_message(base64.b64encode(text.encode()).decode())

    async def count(self) -> int:
        """How many messages there are, visible or not."""
        return int((await self.main.get_queue_properties()).approximate_message_count or 0)

    async def visible(self) -> int:
        return len(await self.main.peek_messages(max_messages=32))

    async def poisoned(self) -> list[QueueMessage]:
        try:
            return list(await self.poison.peek_messages(max_messages=32))
        except ResourceNotFoundError:
            return []
