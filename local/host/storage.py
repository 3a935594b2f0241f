"""From the name of a connection to a client of its queues.

https://learn.microsoft.com/azure/azure-functions/functions-reference#connections
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.errors import HostError
from shared.credentials import open_credential
from shared.settings_reader import Reader
from shared.settings_storage import Credential, read_credential

# Azure's own clients retry quickly; Python's default waits 15 s before its first retry.
_PATIENCE: dict[str, Any] = {
    "retry_total": 3,
    "initial_backoff": 1,
    "increment_base": 2,
    "connection_timeout": 10,
    "read_timeout": 30,
}


class Storage:
    """The queue services that an app's connections lead to; one client, and one pool of connections, for each."""

    def __init__(self, settings: Mapping[str, str], *, clients: AsyncExitStack) -> None:
        """Take the settings; the clients made live as long as `clients`."""
        self._settings = settings
        self._clients = clients
        self._services: dict[str, QueueServiceClient] = {}

    async def queue(self, name: str, *, connection: str) -> QueueClient:
        """Return the client of a queue; raises HostError where the connection is not set or malformed."""
        if connection not in self._services:
            self._services[connection] = await self._connect(connection)
        return self._services[connection].get_queue_client(name)

    async def _connect(self, connection: str) -> QueueServiceClient:
        text = self._find(connection)
        if text:
            try:
                service = QueueServiceClient.from_connection_string(text, **_PATIENCE)
            except ValueError as exc:
                raise HostError(f"the setting {connection} is no connection string of a storage account") from exc
        else:
            credential = open_credential(self._described(connection))
            self._clients.push_async_callback(credential.close)
            service = QueueServiceClient(self._service_uri(connection), credential=credential, **_PATIENCE)
        return await self._clients.enter_async_context(service)

    def _described(self, connection: str) -> Credential:
        read = Reader(self._settings)
        described = read_credential(read, connection)
        if read.faults:
            raise HostError("; ".join(map(str, read.faults)))
        return described

    def _service_uri(self, connection: str) -> str:
        if uri := self._find(f"{connection}__queueServiceUri"):
            return uri
        if account := self._find(f"{connection}__accountName"):
            return f"https://{account}.queue.core.windows.net"
        raise HostError(
            f"the setting {connection} is missing: expected a connection string there, "
            f"or {connection}__queueServiceUri or {connection}__accountName"
        )

    def _find(self, name: str) -> str | None:
        return self._settings.get(f"AzureWebJobs{name}") or self._settings.get(name)
