"""Tables and queues of real storage that one test has for itself, and what else it asks of them."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.storage.queue.aio import QueueClient

from shared.deliveries.log import DeliveryLog
from shared.queues import Queue
from shared.table_service.service import TableService
from shared.tables import Table


@dataclass(frozen=True)
class Storage:
    """The log of deliveries, and the clients that look at its tables from outside."""

    log: DeliveryLog
    deliveries: Table
    lookups: Table

    async def rows(self, table: Table, *, since: str = "", before: str = "~") -> list[dict[str, Any]]:
        """The rows of one of the tables whose partitions lie between these keys, for a test to look at."""
        found = table.query("PartitionKey ge @since and PartitionKey lt @before", since=since, before=before)
        return [dict(row) async for row in found]


def a_name() -> str:
    """A name that no other table or queue has."""
    return "t" + uuid.uuid4().hex


@asynccontextmanager
async def open_table(azurite: str) -> AsyncIterator[Table]:
    """A table that isn't there yet."""
    async with TableService.open(azurite) as service:
        yield Table(service.table(a_name()))


@asynccontextmanager
async def open_storage(azurite: str) -> AsyncIterator[Storage]:
    """A log of deliveries whose tables aren't there yet."""
    async with open_table(azurite) as deliveries, open_table(azurite) as lookups:
        yield Storage(log=DeliveryLog(deliveries, lookups), deliveries=deliveries, lookups=lookups)


@asynccontextmanager
async def open_queue(azurite: str) -> AsyncIterator[tuple[Queue, QueueClient]]:
    """A queue that isn't there yet, and the client that looks at it from outside."""
    async with QueueClient.from_connection_string(azurite, a_name()) as client:
        yield Queue(lambda: client), client
