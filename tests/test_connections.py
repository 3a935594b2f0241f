import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from azure.core.exceptions import ServiceResponseTimeoutError
from azure.storage.queue.aio import QueueClient

from shared.connections import Bounds, open_session, sdk_transport
from tests.servers import serve

NOWHERE = "http://storage.invalid/devstoreaccount1/queue"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def proxy() -> AsyncIterator[str]:
    """A proxy that answers everything itself, with the URL that it was asked for."""

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(text=request.raw_path)

    async with serve(answer) as url:
        yield url


async def test_without_a_proxy_no_request_looks_for_one() -> None:
    async with open_session(Bounds()) as session:
        assert not session.trust_env


async def test_a_proxy_of_the_environment_is_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    async with open_session(Bounds()) as session, session.get(NOWHERE) as answer:
        assert await answer.text() == NOWHERE


async def test_a_host_that_the_environment_excepts_is_reached_without_the_proxy(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # nobody listens on the first port there is
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with open_session(Bounds()) as session, session.get(f"{proxy}/direct") as answer:
        assert await answer.text() == "/direct"


async def test_a_client_of_an_sdk_keeps_the_bounds_and_leaves_the_session_open() -> None:
    async def never(_request: web.BaseRequest) -> web.Response:
        return await asyncio.Future()

    bounds = Bounds(read_seconds=0.05)
    async with serve(never) as url, open_session(bounds) as session:
        storage = f"AccountName=a;AccountKey=a2V5;QueueEndpoint={url}/a"
        transport = sdk_transport(session, bounds)
        async with QueueClient.from_connection_string(storage, "q", transport=transport, retry_total=0) as client:
            with pytest.raises(ServiceResponseTimeoutError):
                await client.create_queue()
        assert not session.closed


@pytest.mark.parametrize(("quiet", "connections"), [(0, 1), (3.5, 1), (4.5, 2), (60, 2)])
async def test_a_connection_that_idled_nearly_as_long_as_servers_allow_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch, quiet: float, connections: int
) -> None:
    """Node's servers, and so Azurite, close it after five seconds or six."""
    seen: set[object] = set()

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.add(request.transport)
        return web.Response()

    async with serve(answer) as url, open_session(Bounds()) as session:
        async with session.get(url):
            pass
        now = time.monotonic()
        monkeypatch.setattr("aiohttp.connector.monotonic", lambda: now + quiet)
        async with session.get(url):
            pass
    assert len(seen) == connections
