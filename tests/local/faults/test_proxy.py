import asyncio
import base64
import contextlib
import socket
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from local.faults import DROP, NEVER, Answer, Do, Proxy, StandIn
from local.twilio import Simulator
from tests.local.faults.hooks import Faulty, Recorder

ACCOUNT_SID, AUTH_TOKEN = "AC" + "0" * 32, "12345"
BASE = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
TEXT = {"To": "+14155550100", "From": "+14155550199", "Body": "Hello"}
CREDENTIALS = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()


@pytest.fixture
def hook() -> Recorder:
    return Recorder()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=0) as simulator:
        yield simulator


@pytest.fixture
async def http(simulator: Simulator, hook: Recorder) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the simulator, through a proxy."""
    async with (
        Proxy.start(target=simulator.url, service="twilio", hook=hook) as proxy,
        aiohttp.ClientSession(proxy.url, headers={"Authorization": f"Basic {CREDENTIALS}"}) as http,
    ):
        yield http


async def create(http: aiohttp.ClientSession) -> int:
    async with http.post(f"{BASE}/Messages.json", data=TEXT, timeout=aiohttp.ClientTimeout(total=0.5)) as response:
        await response.read()
        return response.status


async def test_twilio_is_used_through_a_proxy_and_every_request_has_its_words(
    http: aiohttp.ClientSession, hook: Recorder
) -> None:
    async with http.post(f"{BASE}/Messages.json", data=TEXT) as response:
        created = await response.json()
    for path in (f"{BASE}/Messages.json?To=%2B14155550100", created["uri"], f"{BASE}.json", "/simulator/messages"):
        async with http.get(URL(path, encoded=True)) as response:
            assert response.status == 200
    async with http.get(f"{BASE}/Calls/CA{'0' * 32}/Recordings.json") as response:
        assert response.status == 404

    assert hook.operations == [
        "twilio POST Messages",
        "twilio GET Messages",
        "twilio GET Messages/SID",
        "twilio GET Account",
        "twilio GET /simulator/messages",
        "twilio GET Calls/SID/Recordings",
    ]
    assert [status for _, status in hook.answered] == [201, 200, 200, 200, 200, 404]
    assert b"To=%2B14155550100" in hook.seen[0].body


@pytest.mark.parametrize(("status", "code"), [(500, 20500), (503, 20503), (429, 20429), (401, 20003)])
async def test_answers_instead_of_twilio_have_its_shape(
    http: aiohttp.ClientSession, simulator: Simulator, hook: Recorder, *, status: int, code: int
) -> None:
    hook.do_before("twilio POST Messages", Answer(status))
    async with http.post(f"{BASE}/Messages.json", data=TEXT) as response:
        body = await response.json()

    assert (response.status, body["status"], body["code"]) == (status, status, code)
    assert simulator.messages == []


async def test_what_was_accepted_can_be_kept_from_the_client(
    http: aiohttp.ClientSession, simulator: Simulator, hook: Recorder
) -> None:
    hook.do_after("twilio POST Messages", DROP, NEVER, Answer(500))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await create(http)
    with pytest.raises(TimeoutError):
        await create(http)
    assert [await create(http) for _ in range(2)] == [500, 201]
    assert len(simulator.messages) == 4


async def test_something_can_be_done_before_the_connection_is_closed(
    http: aiohttp.ClientSession, simulator: Simulator, hook: Recorder
) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)

    async def kill() -> None:
        process.kill()
        await process.wait()

    hook.do_before("twilio POST Messages", Do(kill))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await create(http)

    assert process.returncode
    assert simulator.messages == []


async def test_a_service_that_drops_the_connection_is_seen_to_do_so_and_is_asked_but_once(
    http: aiohttp.ClientSession, simulator: Simulator, hook: Recorder
) -> None:
    simulator.faults.add("refuse", on="any")
    hook.seen.clear()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await create(http)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        async with http.delete(f"{BASE}/Messages/SM1.json"):
            pass

    assert simulator.faults.made["refuse"] == len(hook.seen)
    assert hook.answered == []


async def test_a_kept_connection_that_breaks_makes_no_request_twice(hook: Recorder) -> None:
    asked: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                asked.append(len(asked))
                if len(asked) > 1:
                    break
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    target = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with (
        server,
        Proxy.start(target=target, service="queue", hook=hook) as proxy,
        aiohttp.ClientSession(proxy.url) as http,
    ):
        async with http.delete("/account/queue/messages/1") as response:
            assert response.status == 204
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await http.delete("/account/queue/messages/2")

    # aiohttp's own client makes the second request twice, which is not the proxy's doing.
    assert len(asked) == len(hook.seen)


async def test_nobody_at_the_target_is_a_dropped_connection(hook: Recorder, unused_tcp_port: int) -> None:
    target = f"http://127.0.0.1:{unused_tcp_port}"
    async with (
        Proxy.start(target=target, service="twilio", hook=hook) as proxy,
        aiohttp.ClientSession(proxy.url) as http,
    ):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await create(http)

    assert hook.operations == ["twilio POST Messages"]


async def test_a_proxy_that_has_ended_refuses_connections_and_comes_back_on_its_port(
    simulator: Simulator, hook: Recorder
) -> None:
    async with Proxy.start(target=simulator.url, service="twilio", hook=hook) as proxy:
        port = proxy.port
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}", headers={"Authorization": f"Basic {CREDENTIALS}"}
    ) as http:
        with pytest.raises(aiohttp.ClientConnectorError):
            await create(http)
        async with Proxy.start(target=simulator.url, service="twilio", hook=hook, port=port):
            assert await create(http) == 201


@pytest.mark.parametrize("on", ["before", "after"])
async def test_what_a_hook_raises_is_raised_where_the_proxy_ends(simulator: Simulator, on: str) -> None:
    async def dropped() -> None:
        hook = Faulty(fault=lambda: LookupError("a mistake in a test"), on=on)
        async with (
            Proxy.start(target=simulator.url, service="twilio", hook=hook) as proxy,
            aiohttp.ClientSession(proxy.url) as http,
        ):
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await create(http)

    with pytest.raises(LookupError, match="a mistake in a test"):
        await dropped()


async def test_a_request_reaches_the_service_byte_for_byte(hook: Recorder) -> None:
    got: list[tuple[str, list[tuple[bytes, bytes]], bytes]] = []

    async def serve(request: web.BaseRequest) -> web.Response:
        got.append((request.raw_path, list(request.raw_headers), await request.read()))
        return web.Response(status=207, body=b"\x1f\x8b not gzip", headers={"Content-Encoding": "gzip", "x-ms-a": "b"})

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        target = f"http://127.0.0.1:{listener.getsockname()[1]}/path/does/not/matter"
        async with Proxy.start(target=target, service="table", hook=hook) as proxy:
            path = "/account/T(PartitionKey='a%3A1%20%25+',RowKey='')?%24filter=a%20eq+%27b%27&x=&x"
            head = f"PUT {path} HTTP/1.1\r\nHost: some.host:1\r\nAuthorization: SharedKey a:b=\r\nX-Odd: a,%20;b\r\n"
            body = b"\x00\xffbody"
            request = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(request)
            answer = await reader.read()
            writer.close()
        await runner.cleanup()

    ((raw_path, headers, received),) = got
    assert (raw_path, received) == (path, body)
    assert headers == [
        (b"Host", b"some.host:1"),
        (b"Authorization", b"SharedKey a:b="),
        (b"X-Odd", b"a,%20;b"),
        (b"Content-Length", b"6"),
    ]
    assert answer.startswith(b"HTTP/1.1 207")
    assert b"x-ms-a: b\r\n" in answer
    assert answer.endswith(b"\x1f\x8b not gzip")


async def test_connections_are_kept_on_both_sides(hook: Recorder) -> None:
    clients: set[object] = set()

    async def serve(request: web.BaseRequest) -> web.Response:
        clients.add(request.transport)
        return web.Response(status=204)

    runner = web.ServerRunner(web.Server(serve))
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await web.SockSite(runner, listener).start()
        async with Proxy.start(
            target=f"http://127.0.0.1:{listener.getsockname()[1]}", service="table", hook=hook
        ) as proxy:
            connector = aiohttp.TCPConnector(limit=8)
            async with aiohttp.ClientSession(proxy.url, connector=connector) as http:

                async def get() -> int:
                    async with http.get("/account/Deliveries()") as response:
                        return response.status

                assert set(await asyncio.gather(*(get() for _ in range(200)))) == {204}
        await runner.cleanup()

    assert len(hook.answered) == 200
    assert len(clients) <= 8


@pytest.mark.parametrize("when", ["before", "after"])
async def test_something_else_can_answer_in_the_place_of_a_service(
    http: aiohttp.ClientSession, simulator: Simulator, hook: Recorder, when: str
) -> None:
    page = StandIn(status=403, body="html", retry_after=3)
    (hook.do_before if when == "before" else hook.do_after)("twilio POST Messages", page)
    async with http.post(f"{BASE}/Messages.json", data=TEXT) as response:
        body = await response.text()

    assert (response.status, response.headers["Retry-After"], body[:6]) == (403, "3", "<html>")
    assert len(simulator.messages) == (0 if when == "before" else 1)
