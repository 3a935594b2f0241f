"""The only place that builds clients and hands them to use-cases. Built inside the event loop, once per process."""

from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from shared.deliveries import search
from shared.deliveries.log import DeliveryLog
from shared.health import Health
from shared.outbound.send import Sender
from shared.queues import Queue
from shared.settings import ConnectionString, Settings
from shared.tables import Table

# A storage call that takes longer than this is better made again: seconds, for the SDKs' own retries too.
_BOUNDED: Final[dict[str, Any]] = {
    "connection_timeout": 3,
    "read_timeout": 5,
    "retry_total": 2,
    "retry_backoff_factor": 0.4,
}
# The queue's client knows no backoff factor: by itself it waits 15 s before its first retry, and 18 before the next.
_QUEUE_BOUNDED: Final[dict[str, Any]] = {
    **_BOUNDED,
    "initial_backoff": 0,
    "increment_base": 1,
    "random_jitter_range": 1,
}


def clock() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


class Wiring:
    """Everything that the functions need, made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._open = AsyncExitStack()

    async def close(self) -> None:
        """Close every connection; the functions host never asks for it, it ends the process."""
        await self._open.aclose()

    @cached_property
    def log(self) -> DeliveryLog:
        """The log of deliveries."""
        return DeliveryLog(self._deliveries, self._lookups)

    @cached_property
    def outbound(self) -> Queue:
        """The queue of send requests."""
        return Queue(self._queue_client(self.settings.outbound_queue))

    @cached_property
    def sender(self) -> Sender:
        """What takes the messages of that queue."""
        # Twilio's REST client is the largest import there is: a webhook must not pay for it
        from shared.twilio_api import TwilioApi  # noqa: PLC0415

        provider = TwilioApi(self.settings)
        self._open.push_async_callback(provider.close)
        return Sender(settings=self.settings, log=self.log, queue=self.outbound, provider=provider, clock=clock)

    @cached_property
    def health(self) -> Health:
        """Whether the app can do its work."""
        return Health({"tables": self._deliveries.check, "queue": self.outbound.check})

    async def search(self, wanted: search.Search) -> search.Page:
        """Return one page of a search."""
        now = clock()
        oldest = now - timedelta(days=self.settings.retention_days)
        return await search.search(wanted, lookups=self._lookups, log=self.log, now=now, oldest=oldest)

    @cached_property
    def _deliveries(self) -> Table:
        return Table(self._table_client("Deliveries"))

    @cached_property
    def _lookups(self) -> Table:
        return Table(self._table_client("Lookups"))

    def _table_client(self, name: str) -> TableClient:
        match self.settings.storage:
            case ConnectionString(value):
                client = TableClient.from_connection_string(value.reveal(), name, **_BOUNDED)
            case identity:
                client = TableClient(identity.table_url, name, credential=self._credential, **_BOUNDED)
        self._open.push_async_callback(client.close)
        return client

    def _queue_client(self, name: str) -> QueueClient:
        match self.settings.storage:
            case ConnectionString(value):
                client = QueueClient.from_connection_string(value.reveal(), name, **_QUEUE_BOUNDED)
            case identity:
                client = QueueClient(identity.queue_url, name, credential=self._credential, **_QUEUE_BOUNDED)
        self._open.push_async_callback(client.close)
        return client

    @cached_property
    def _credential(self) -> AsyncTokenCredential:
        from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415 - costs 0.3 s

        client_id = getattr(self.settings.storage, "client_id", None)
        credential = ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()
        self._open.push_async_callback(credential.close)
        return credential
