import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from local.twilio import Simulator
from tests.local.twilio.receiver import AUTH_TOKEN, Receiver

ACCOUNT_SID = "AC" + "0" * 32
KEY_SID, KEY_SECRET = "SK" + "0" * 32, "a made-up secret"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The official client (9.13) authenticates in a way that aiohttp 3.14 deprecates, with two warnings."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for words in ("BasicAuth is deprecated", "The 'auth' parameter is deprecated"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{words}:DeprecationWarning"))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver.start() as receiver:
        yield receiver
        forged = [request.path for request in receiver.received if not request.genuine]
        assert not forged, "every request of Twilio is signed"


@pytest.fixture
async def simulator(receiver: Receiver) -> AsyncIterator[Simulator]:
    async with Simulator.start(
        account_sid=ACCOUNT_SID,
        auth_token=AUTH_TOKEN,
        api_key_sid=KEY_SID,
        api_key_secret=KEY_SECRET,
        pace=0,
        webhooks=receiver.url,
    ) as simulator:
        yield simulator


@asynccontextmanager
async def client_of(simulator: Simulator) -> AsyncIterator[Client]:
    """The official client, unchanged, pointed at a simulator."""
    http = AsyncTwilioHttpClient()
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http)
    client.api.base_url = simulator.url
    try:
        yield client
    finally:
        await http.close()


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    async with client_of(simulator) as client:
        yield client


@pytest.fixture
async def http(simulator: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    """What is not the official client: the control endpoints, and requests that it would not make."""
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    async with aiohttp.ClientSession(simulator.url, headers={"Authorization": f"Basic {credentials}"}) as session:
        yield session
