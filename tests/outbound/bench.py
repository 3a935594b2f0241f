"""A sender, and all that it works with."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from azure.storage.queue.aio import QueueClient

from shared.agenda import Agenda
from shared.consents import Consents
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.outbound.checks import Rules
from shared.outbound.gate import Gate
from shared.outbound.rights import Rights
from shared.outbound.send import Sender
from shared.outbound.wakes import Wakes
from shared.queues import Queue
from shared.settings import Settings
from shared.tables import Entity, Table
from shared.text.templates.library import Templates
from tests.fakes import Clock, DiedError, FakeProvider, die, make_settings
from tests.storage import Storage, open_queue, open_storage, open_table

Journal = list[str]
"""what was written, in order: a queue's message, or the partition and the row of a table"""


class RememberingQueue(Queue):
    """A real queue, and what was put into it with which delay."""

    def __init__(self, client: QueueClient, journal: Journal | None = None) -> None:
        super().__init__(lambda: client)
        self.client = client
        self.puts: list[tuple[bytes, timedelta]] = []
        self.journal = [] if journal is None else journal

    async def put(self, message: bytes, *, delay: timedelta = timedelta(0)) -> str:
        message_id = await super().put(message, delay=delay)
        self.puts.append((message, delay))
        self.journal.append("queue")
        return message_id


class RememberingTable(Table):
    """A real table, and which of its rows were written; a property that is named there is told as well."""

    def __init__(self, table: Table, journal: Journal) -> None:
        super().__init__(table._client)
        self._journal = journal

    async def _write(self, operation: Callable[[Entity], Awaitable[str]], entity: Entity) -> str:
        written = await super()._write(operation, entity)
        self._note(entity)
        return written

    async def merge(self, entity: Entity, *, version: str) -> str:
        written = await super().merge(entity, version=version)
        self._note(entity)
        return written

    def _note(self, entity: Entity) -> None:
        row = entity["RowKey"] if entity["RowKey"] == "delivery" else entity["RowKey"].partition(":")[0]
        kind = entity["PartitionKey"].partition(":")[0]
        self._journal.append(f"{row} {entity.get('Status', '')}".strip() if "Status" in entity else kind)


@dataclass
class Bench:
    """A sender with real storage and a real queue, a Twilio that answers as told, and a clock in hand."""

    storage: Storage
    queue: RememberingQueue
    consents: Consents
    gate: Gate
    rights: Rights
    agenda: Agenda
    settings: Settings = field(default_factory=make_settings)
    templates: Templates = field(default_factory=Templates)
    provider: FakeProvider = field(default_factory=FakeProvider)
    clock: Clock = field(default_factory=Clock)

    @property
    def sender(self) -> Sender:
        return Sender(
            rules=Rules(self.settings, self.templates),
            log=self.storage.log,
            queue=self.queue,
            wakes=self.wakes,
            provider=self.provider,
            consents=self.consents,
            gate=self.gate,
            rights=self.rights,
            clock=self.clock,
        )

    @property
    def wakes(self) -> Wakes:
        return Wakes(queue=self.queue, agenda=self.agenda, clock=self.clock)

    @property
    def journal(self) -> Journal:
        return self.queue.journal

    async def take(self, message: bytes, *, message_id: str = "message-1") -> None:
        await self.sender.take(message_id, message)

    async def look_twice(self, message: bytes) -> None:
        """Take a message for the first look, and its own next message for the second, when that is due."""
        await self.take(message)
        self.clock.advance(self.queue.puts[-1][1])
        await self.take(message)

    async def die_sending(self, message: bytes) -> None:
        """Take a message in a process that dies between the claim and the send."""
        provider, self.provider = self.provider, FakeProvider(meanwhile=die)
        with pytest.raises(DiedError):
            await self.take(message)
        self.provider = provider

    async def delivery(self, delivery_id: str = "order-1") -> Delivery:
        found = await self.storage.log.get(delivery_id)
        assert found is not None
        return found

    async def timeline(self, delivery_id: str = "order-1") -> list[Event]:
        return await self.storage.log.timeline(delivery_id)

    async def statuses(self, delivery_id: str = "order-1") -> list[str]:
        return [event.status for event in await self.timeline(delivery_id)]


@asynccontextmanager
async def open_bench(azurite: str) -> AsyncIterator[Bench]:
    """A sender for one test."""
    journal: Journal = []
    async with (
        open_storage(azurite) as plain,
        open_table(azurite) as consents,
        open_table(azurite) as schedules,
        open_queue(azurite) as (_, client),
    ):
        deliveries, lookups = (RememberingTable(table, journal) for table in (plain.deliveries, plain.lookups))
        queue = RememberingQueue(client, journal)
        agenda = Agenda(RememberingTable(schedules, journal))
        clock = Clock()
        ended = Wakes(queue=queue, agenda=agenda, clock=clock).ended
        log = DeliveryLog(deliveries, lookups, on_end=ended)
        storage = Storage(log=log, deliveries=deliveries, lookups=lookups)
        yield Bench(
            storage=storage,
            queue=queue,
            consents=Consents(consents),
            gate=Gate(lookups),
            rights=Rights(lookups),
            agenda=agenda,
            clock=clock,
        )
