"""What the app put on record, read past it from the storage: docs/reference/tables.md has the layout."""

import base64
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

TABLES = ("Deliveries", "Lookups", "Consents")
STATE = "delivery"
SID = re.compile("[A-Z]{2}[0-9a-f]{32}:")
FINAL = frozenset(
    {
        *("delivered", "read", "undelivered", "failed", "completed", "busy", "no-answer", "canceled"),
        *("rejected", "suppressed", "expired"),
    }
)


class Records:
    """The storage of any number of hosts, as others see it."""

    def __init__(self, tables: TableServiceClient, queues: QueueServiceClient) -> None:
        self._deliveries = tables.get_table_client("Deliveries")
        self._tables = tables
        self._queues = queues

    @classmethod
    @asynccontextmanager
    async def open(cls, storage: str) -> AsyncIterator["Records"]:
        """Open it, and make the tables that are not there yet."""
        async with AsyncExitStack() as stack:
            tables = await stack.enter_async_context(TableServiceClient.from_connection_string(storage))
            queues = await stack.enter_async_context(QueueServiceClient.from_connection_string(storage))
            for name in TABLES:
                await tables.create_table_if_not_exists(name)
            yield cls(tables, queues)

    async def create_queue(self, name: str) -> None:
        """Make a queue, unless it is there."""
        try:
            await self._queues.create_queue(name)
        except ResourceExistsError:
            return

    async def enqueue(self, queue: str, request: Mapping[str, Any]) -> None:
        """Enqueue a request, as any other system would."""
        content = base64.b64encode(json.dumps(request).encode()).decode()
        await self._queues.get_queue_client(queue).send_message(content)

    async def clear(self, queue: str) -> None:
        """Remove every message of a queue."""
        await self._queues.get_queue_client(queue).clear_messages()

    async def waiting(self, queue: str) -> int:
        """How many messages there are, those included that are hidden now."""
        try:
            properties = await self._queues.get_queue_client(queue).get_queue_properties()
        except ResourceNotFoundError:
            return 0
        return int(properties.approximate_message_count or 0)

    async def status(self, delivery_id: str) -> str | None:
        """The status of a delivery, None where there is no such delivery."""
        try:
            row = await self._deliveries.get_entity(delivery_id, STATE, select=["Status"])
        except ResourceNotFoundError:
            return None
        return str(row["Status"])

    async def events(self, delivery_id: str) -> list[str]:
        """The keys of the events of a delivery, in no order."""
        found = self._deliveries.query_entities(
            "PartitionKey eq @id and RowKey ge 'event:'", parameters={"id": delivery_id}, select=["RowKey"]
        )
        return [str(row["RowKey"]).removeprefix("event:") async for row in found if row["RowKey"].startswith("event:")]

    async def sids(self, delivery_id: str) -> set[str]:
        """The SIDs that the events of a delivery name."""
        return {key.partition(":")[0] for key in await self.events(delivery_id) if SID.match(key)}

    async def owned(self, delivery_id: str) -> set[str]:
        """The SIDs whose owner rows name a delivery."""
        found = self._tables.get_table_client("Lookups").query_entities(
            "PartitionKey ge 'sid:' and PartitionKey lt 'sid;' and Delivery eq @id", parameters={"id": delivery_id}
        )
        return {str(row["PartitionKey"]).removeprefix("sid:") async for row in found}

    async def rejected(self) -> list[str]:
        """Everything that is on record as rejected: what each message was."""
        found = self._deliveries.query_entities("Status eq 'rejected' and RowKey eq 'delivery'")
        return [bytes(row.get("Request", b"")).decode(errors="replace") async for row in found]
