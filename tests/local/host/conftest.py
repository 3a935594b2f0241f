"""What the tests of the host share."""

import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest
from azure.storage.queue.aio import QueueServiceClient

from tests.local.host.two_queues import TwoQueues


@pytest.fixture
async def queues(azurite: str) -> AsyncIterator[TwoQueues]:
    name = f"host-{uuid.uuid4().hex}"
    async with QueueServiceClient.from_connection_string(azurite) as service:
        main, poison = service.get_queue_client(name), service.get_queue_client(f"{name}-poison")
        await main.create_queue()
        yield TwoQueues(settings={"AzureWebJobsStorage": azurite, "QUEUE": name}, main=main, poison=poison)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
