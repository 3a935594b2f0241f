"""A sender, and all that it works with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from azure.storage.queue.aio import QueueClient

from shared.deliveries.record import Delivery, Event
from shared.outbound.send import Sender
from shared.queues import Queue
from shared.settings import Settings
from tests.fakes import Clock, FakeProvider, make_settings
from tests.storage import Storage, open_queue, open_storage


class RememberingQueue(Queue):
    """A real queue, and what was put into it with which delay."""

    def __init__(self, client: QueueClient) -> None:
        super().__init__(client)
        self.client = client
        self.puts: list[tuple[bytes, timedelta]] = []

    async def put(self, message: bytes, *, delay: timedelta = timedelta(0)) -> None:
        await super().put(message, delay=delay)
        self.puts.append((message, delay))


@dataclass
class Bench:
    """A sender with real storage and a real queue, a Twilio that answers as told, and a clock in hand."""

    storage: Storage
    queue: RememberingQueue
    settings: Settings = field(default_factory=make_settings)
    provider: FakeProvider = field(default_factory=FakeProvider)
    clock: Clock = field(default_factory=Clock)

    @property
    def sender(self) -> Sender:
        return Sender(
            settings=self.settings,
            log=self.storage.log,
            queue=self.queue,
            provider=self.provider,
            clock=self.clock,
        )

    async def take(self, message: bytes, *, message_id: str = "message-1") -> None:
        await self.sender.take(message_id, message)

    async def delivery(self, delivery_id: str = "order-1") -> Delivery:
        found = await self.storage.log.get(delivery_id)
        assert found is not None
        return found

    async def timeline(self, delivery_id: str = "order-1") -> list[Event]:
        return await self.storage.log.timeline(delivery_id)


@asynccontextmanager
async def open_bench(azurite: str) -> AsyncIterator[Bench]:
    """A sender for one test."""
    async with open_storage(azurite) as storage, open_queue(azurite) as (_, client):
        yield Bench(storage=storage, queue=RememberingQueue(client))
