"""The client against the simulator, over real HTTP: each request is made once, in bounded time, with clear errors."""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.connector import Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.twilio import Simulator
from local.twilio.messages import Message
from shared import twilio_api
from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.claim import ticks
from shared.outbound.provider import Provider
from shared.twilio_api import TwilioApi
from tests.fakes import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, SERVICE_SID, a_sid, make_settings
from tests.servers import serve

TO = "+14155550100"
TEXT: dict[str, Any] = {"to": TO, "from_": FROM_NUMBER, "body": "Grüße 🎉"}
CALL: dict[str, Any] = {"to": TO, "from_": FROM_NUMBER, "twiml": "<Response><Pause/></Response>"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=0) as simulator:
        yield simulator


@asynccontextmanager
async def api_of(simulator: Simulator, **settings: str) -> AsyncIterator[TwilioApi]:
    """A client of a simulator."""
    made = TwilioApi(make_settings(TWILIO_API_BASE_URL=simulator.url, **settings))
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def api(simulator: Simulator) -> AsyncIterator[TwilioApi]:
    async with api_of(simulator) as api:
        yield api


def soon() -> float:
    """A deadline with time for everything."""
    return ticks() + 100


def existing(simulator: Simulator, count: int, *, to: str = TO, created: datetime = LONG_AGO) -> list[str]:
    """Let Twilio have so many messages, one a second; return their SIDs, the newest first."""
    sids = []
    for second in range(count):
        moment = created + timedelta(seconds=second)
        message = Message(
            sid=a_sid(),
            to=to,
            account_sid=ACCOUNT_SID,
            from_=FROM_NUMBER,
            body=f"Number {second}",
            media=(),
            direction="outbound-api",
            status="delivered",
            history=(("delivered", moment),),
            created=moment,
            updated=moment,
        )
        sids.append(simulator._network.messages.add(message).sid)
    return sids[::-1]


async def test_it_is_what_sending_needs(api: TwilioApi) -> None:
    def needs(provider: Provider) -> Provider:
        return provider

    assert needs(api) is api


async def test_a_message_is_created_and_all_that_twilio_said_is_there(api: TwilioApi, simulator: Simulator) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    created = await api.create_message({**TEXT, "validity_period": 60}, not_after=soon())
    [message] = simulator.messages
    assert (created.sid, created.status, message.body) == (message.sid, "queued", "Grüße 🎉")
    assert (created.from_, created.service, created.body, created.direction) == (
        FROM_NUMBER,
        None,
        "Grüße 🎉",
        "outbound-api",
    )
    assert created.created_at is not None
    assert before <= created.created_at <= datetime.now(UTC)
    assert created.answer["num_segments"] == "1"


async def test_a_messaging_service_is_told_by_its_sid(api: TwilioApi) -> None:
    parameters = {"to": TO, "body": "x", "messaging_service_sid": SERVICE_SID}
    created = await api.create_message(parameters, not_after=soon())
    assert (created.status, created.service) == ("accepted", SERVICE_SID)


async def test_a_call_is_created(api: TwilioApi, simulator: Simulator) -> None:
    created = await api.create_call(CALL, not_after=soon())
    assert [call.sid for call in simulator.calls] == [created.sid]
    assert (created.status, created.body) == ("queued", None)
    await simulator.settled()


async def test_an_api_key_is_used_where_there_is_one(simulator: Simulator) -> None:
    async with (
        api_of(simulator, TWILIO_API_KEY_SID="SK" + "0" * 32, TWILIO_API_KEY_SECRET="nobody knows it") as api,
        Simulator.start(
            account_sid=ACCOUNT_SID,
            auth_token="another",
            api_key_sid="SK" + "0" * 32,
            api_key_secret="nobody knows it",
            pace=0,
        ) as other,
    ):
        with pytest.raises(TwilioRefused) as caught:
            await api.create_message(TEXT, not_after=soon())
        assert (caught.value.status, caught.value.code) == (401, 20003)
        async with api_of(
            other, TWILIO_API_KEY_SID="SK" + "0" * 32, TWILIO_API_KEY_SECRET="nobody knows it"
        ) as welcome:
            assert await welcome.create_message(TEXT, not_after=soon())


async def test_nothing_is_sent_that_could_end_after_the_deadline(api: TwilioApi, simulator: Simulator) -> None:
    for left in (-1, 0, 9):
        with pytest.raises(TooLate):
            await api.create_message(TEXT, not_after=ticks() + left)
    assert simulator.messages == []
    await api.create_message(TEXT, not_after=ticks() + 11)
    assert len(simulator.messages) == 1


async def test_how_long_a_send_may_take_is_a_setting(simulator: Simulator) -> None:
    async with api_of(simulator, TWILIO_TIMEOUT_SECONDS="1") as api:
        with pytest.raises(TooLate):
            await api.create_message(TEXT, not_after=ticks() + 0.5)
        assert simulator.messages == []
        simulator.faults.add("never-after")
        with pytest.raises(TwilioUnclear):
            await api.create_message(TEXT, not_after=ticks() + 1.9)
    assert len(simulator.messages) == 1


@pytest.mark.parametrize("fault", ["drop-after", "500-after", "garbage"])
async def test_where_twilio_may_have_it_it_is_asked_once_and_the_outcome_is_unclear(
    api: TwilioApi,
    simulator: Simulator,
    fault: Any,  # noqa: ANN401 - the name of a fault
) -> None:
    simulator.faults.add(fault)
    with pytest.raises(TwilioUnclear) as caught:
        await api.create_message(TEXT, not_after=soon())
    assert len(simulator.messages) == 1
    assert not [part for part in (TO, "5550100", "Grüße", AUTH_TOKEN) if part in str(caught.value)]


@pytest.mark.parametrize(("retry_after", "expected"), [(None, None), (7, 7.0)])
async def test_a_rate_limit_says_that_nothing_was_processed_and_how_long_to_wait(
    api: TwilioApi, simulator: Simulator, retry_after: int | None, expected: float | None
) -> None:
    simulator.faults.add("429", retry_after=retry_after)
    with pytest.raises(TwilioUnavailable) as caught:
        await api.create_message(TEXT, not_after=soon())
    assert (caught.value.code, caught.value.retry_after) == (20429, expected)
    assert simulator.messages == []


async def test_where_nobody_answers_nothing_was_processed() -> None:
    api = TwilioApi(make_settings(TWILIO_API_BASE_URL="http://127.0.0.1:1"))
    with pytest.raises(TwilioUnavailable):
        await api.create_message(TEXT, not_after=soon())
    await api.close()


@pytest.mark.parametrize(
    ("change", "code"),
    [({"to": "+15005550001"}, 21211), ({"to": "+15005550004"}, 21610), ({"body": "x" * 1601}, 21617)],
)
async def test_a_refusal_carries_twilios_code_and_words(api: TwilioApi, change: dict[str, str], code: int) -> None:
    with pytest.raises(TwilioRefused) as caught:
        await api.create_message({**TEXT, **change}, not_after=soon())
    assert (caught.value.status, caught.value.code) == (400, code)
    assert caught.value.explanation
    assert caught.value.explanation not in str(caught.value)


async def test_the_messages_to_somebody_are_listed_and_those_to_others_are_not(
    api: TwilioApi, simulator: Simulator
) -> None:
    sids = existing(simulator, 3)
    existing(simulator, 2, to="+14155550101")
    found = await api.messages_to(TO, since=LONG_AGO)
    assert {resource.sid: (resource.created_at, resource.body) for resource in found} == {
        sid: (LONG_AGO + timedelta(seconds=n), f"Number {n}") for sid, n in zip(sids, (2, 1, 0), strict=True)
    }


async def test_what_is_still_queued_is_listed_too(api: TwilioApi) -> None:
    created = await api.create_message(TEXT, not_after=soon())
    assert [resource.sid for resource in await api.messages_to(TO, since=LONG_AGO)] == [created.sid]


async def test_calls_are_listed(api: TwilioApi, simulator: Simulator) -> None:
    created = [await api.create_call(CALL, not_after=soon()) for _ in range(2)]
    await api.create_call({**CALL, "to": "+14155550101"}, not_after=soon())
    found = await api.calls_to(TO, since=LONG_AGO)
    assert {resource.sid for resource in found} == {resource.sid for resource in created}
    assert await api.calls_to(TO, since=datetime.now(UTC) + timedelta(hours=1)) == []
    await simulator.settled()


async def test_one_is_fetched_as_it_is_now_and_what_is_not_there_is_none(api: TwilioApi, simulator: Simulator) -> None:
    text = await api.create_message({**TEXT, "to": "+15005550101"}, not_after=soon())
    call = await api.create_call(CALL, not_after=soon())
    await simulator.settled()
    found = await api.message(text.sid)
    assert found is not None
    assert (found.sid, found.status, found.error_code) == (text.sid, "undelivered", 30003)
    assert found.error_message
    ended = await api.call(call.sid)
    assert ended is not None
    assert ended.status == "completed"
    assert await api.message(a_sid()) is None
    assert await api.call(a_sid("CA")) is None


async def test_a_fetch_that_fails_is_not_none(api: TwilioApi, simulator: Simulator) -> None:
    fetches: tuple[Callable[[str], Awaitable[object]], ...] = (api.message, api.call)
    for fetch in fetches:
        simulator.faults.clear()
        simulator.faults.add("500-before", on="fetch")
        with pytest.raises(TwilioUnclear):
            await fetch(a_sid())


async def test_an_erased_message_is_gone_at_twilio_and_may_be_erased_again(
    api: TwilioApi, simulator: Simulator
) -> None:
    created, kept = [await api.create_message(TEXT, not_after=soon()) for _ in range(2)]
    await simulator.settled()
    for _ in range(2):
        await api.erase_message(created.sid)
    assert [message.sid for message in simulator.messages] == [kept.sid]


async def test_what_twilio_will_not_erase_yet_is_told(api: TwilioApi, simulator: Simulator) -> None:
    [sid] = existing(simulator, 1)
    simulator._network.messages.change(sid, status="sent")
    with pytest.raises(TwilioRefused):
        await api.erase_message(sid)
    assert len(simulator.messages) == 1


async def test_the_recordings_of_a_call_are_erased_and_those_of_others_stay(
    api: TwilioApi, simulator: Simulator
) -> None:
    calls = [await api.create_call({**CALL, "record": True}, not_after=soon()) for _ in range(2)]
    await simulator.settled()
    assert len(simulator.recordings) == 2
    for _ in range(2):
        await api.erase_recordings(calls[0].sid)
    assert [recording.call_sid for recording in simulator.recordings] == [calls[1].sid]
    await api.erase_recordings(a_sid("CA"))


async def test_all_recordings_of_a_call_are_erased_however_many_there_are(api: TwilioApi, simulator: Simulator) -> None:
    call = await api.create_call({**CALL, "record": True}, not_after=soon())
    await simulator.settled()
    [first] = simulator.recordings
    for _ in range(220):
        simulator._network.recordings.add(msgspec.structs.replace(first, sid=a_sid("RE")))
    await api.erase_recordings(call.sid)
    assert list(simulator.recordings) == []


async def test_many_at_once_each_get_their_own_answer(api: TwilioApi, simulator: Simulator) -> None:
    async def create(number: int) -> tuple[int, str | None]:
        created = await api.create_message({**TEXT, "body": f"Number {number}"}, not_after=soon())
        return number, created.body

    created = await asyncio.gather(*(create(number) for number in range(50)))
    assert [body for _, body in created] == [f"Number {number}" for number, _ in created]
    assert len(simulator.messages) == 50


@dataclass
class Silent:
    """A Twilio that takes everything in and never answers."""

    url: str = ""
    has_come: asyncio.Event = field(default_factory=asyncio.Event)
    was_reset: asyncio.Queue[bool] = field(default_factory=asyncio.Queue)
    """of each connection that ended"""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(1 << 16):
                self.has_come.set()
        except ConnectionResetError:
            await self.was_reset.put(True)
        else:
            await self.was_reset.put(False)
        writer.close()


@asynccontextmanager
async def a_silent_twilio() -> AsyncIterator[Silent]:
    silent = Silent()
    async with await asyncio.start_server(silent.serve, "127.0.0.1", 0) as server:
        # by name: an address that nobody listens at, such as ::1, may come first
        silent.url = f"http://localhost:{server.sockets[0].getsockname()[1]}"
        yield silent


async def test_a_send_that_is_given_up_is_reset_so_that_nothing_of_it_is_sent_afterwards() -> None:
    async with a_silent_twilio() as silent:
        api = TwilioApi(make_settings(TWILIO_API_BASE_URL=silent.url, TWILIO_TIMEOUT_SECONDS="1"))
        with pytest.raises(TwilioUnclear):
            await api.create_message(TEXT, not_after=soon())
        assert await silent.was_reset.get()
        await api.close()


async def test_a_send_that_is_cancelled_is_reset_too() -> None:
    async with a_silent_twilio() as silent:
        api = TwilioApi(make_settings(TWILIO_API_BASE_URL=silent.url))
        sending = asyncio.create_task(api.create_message(TEXT, not_after=soon()))
        await silent.has_come.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert await silent.was_reset.get()
        await api.close()


async def test_what_waits_to_be_written_is_dropped_with_a_send_that_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To close a connection alone would first write what is left of it, however long that takes."""
    length = 900_000

    def of_little_room(address: tuple[Any, ...]) -> socket.socket:
        made = socket.socket(*address[:3])
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return made

    def read_all() -> int:
        peer, _ = server.accept()
        count = 0
        with peer, contextlib.suppress(ConnectionResetError):
            while data := peer.recv(1 << 16):
                count += len(data)
        return count

    monkeypatch.setattr(twilio_api, "bounded", lambda _: of_little_room)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        api = TwilioApi(make_settings(TWILIO_API_BASE_URL=url, TWILIO_TIMEOUT_SECONDS="1"))
        with pytest.raises(TwilioUnclear):
            await api.create_message({**TEXT, "body": "x" * length}, not_after=soon())
        assert await asyncio.wait_for(asyncio.to_thread(read_all), 10) < length / 3
        await api.close()


async def test_a_connection_is_used_again_and_bounded(api: TwilioApi, simulator: Simulator) -> None:
    for _ in range(3):
        await api.create_message(TEXT, not_after=soon())
    connector = api._http._session.connector
    assert connector is not None
    [[(connection, _)]] = connector._conns.values()
    assert connection.transport is not None
    made = connection.transport.get_extra_info("socket")
    assert made.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
    assert len(simulator.messages) == 3


@pytest.mark.parametrize(("quiet", "is_reused"), [(3.5, True), (4.5, False)])
async def test_a_connection_that_idled_for_long_is_not_used_again(
    api: TwilioApi, monkeypatch: pytest.MonkeyPatch, quiet: float, *, is_reused: bool
) -> None:
    """Where the server closes it just then, nobody knows whether it read the request."""

    def idle() -> object:
        connector = api._http._session.connector
        assert connector is not None
        [[(connection, _)]] = connector._conns.values()
        return connection

    await api.create_message(TEXT, not_after=soon())
    first = idle()
    now = time.monotonic()
    monkeypatch.setattr("aiohttp.connector.monotonic", lambda: now + quiet)
    await api.create_message(TEXT, not_after=soon())
    assert (idle() is first) is is_reused


async def test_a_create_that_the_server_closes_its_connection_on_is_unclear_and_not_made_again() -> None:
    requests = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length is not None
            await reader.readexactly(int(length[1]))
            requests += 1
            if requests == 1:
                body = msgspec.json.encode({"sid": SID, "status": "queued"})
                writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        api = TwilioApi(make_settings(TWILIO_API_BASE_URL=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        await api.create_message(TEXT, not_after=soon())
        with pytest.raises(TwilioUnclear, match="ServerDisconnectedError"):
            await api.create_message(TEXT, not_after=soon())
        await api.close()
    assert requests == 2


async def test_a_create_whose_connection_was_closed_before_its_first_byte_was_not_processed(
    api: TwilioApi, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.create_message(TEXT, not_after=soon())
    send = twilio_api._Request.send

    async def closed_just_then(request: aiohttp.ClientRequest, connection: Connection) -> aiohttp.ClientResponse:
        assert connection.transport is not None
        connection.transport.close()
        return await send(request, connection)  # type: ignore[arg-type]  # it is one

    monkeypatch.setattr(twilio_api._Request, "send", closed_just_then)
    with pytest.raises(TwilioUnavailable, match="ClientConnectionResetError"):
        await api.create_message(TEXT, not_after=soon())
    assert len(simulator.messages) == 1


async def test_the_account_is_checked_with_what_it_sends_with(api: TwilioApi, simulator: Simulator) -> None:
    await api.check_account()
    simulator.faults.add("401", on="any")
    with pytest.raises(TwilioRefused) as caught:
        await api.check_account()
    assert (caught.value.status, caught.value.code) == (401, 20003)


@dataclass
class Impostor:
    """Whoever answers in Twilio's place: the answers come one after the other, the last one again and again."""

    answers: list[web.Response] = field(default_factory=list)
    asked: list[web.BaseRequest] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        await request.read()
        self.asked.append(request)
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=given.status, headers=given.headers, body=given.body)

    @asynccontextmanager
    async def start(self) -> AsyncIterator[TwilioApi]:
        async with serve(self.answer) as url:
            api = TwilioApi(make_settings(TWILIO_API_BASE_URL=url))
            yield api
            await api.close()


SID = a_sid()
CALL_SID = a_sid("CA")
CALLS: dict[str, Callable[[TwilioApi], Awaitable[object]]] = {
    "create a message": lambda api: api.create_message(TEXT, not_after=soon()),
    "create a call": lambda api: api.create_call(CALL, not_after=soon()),
    "list messages": lambda api: api.messages_to(TO, since=LONG_AGO),
    "list calls": lambda api: api.calls_to(TO, since=LONG_AGO),
    "fetch a message": lambda api: api.message(SID),
    "fetch a call": lambda api: api.call(CALL_SID),
    "check the account": lambda api: api.check_account(),
    "erase a message": lambda api: api.erase_message(SID),
    "erase recordings": lambda api: api.erase_recordings(CALL_SID),
}
every_call = pytest.mark.parametrize("ask", CALLS.values(), ids=CALLS)
PAGE = "<html><body>SECRET: no way through</body></html>"
EMPTY_LIST: dict[str, Any] = {"messages": [], "calls": [], "recordings": [], "next_page_uri": None}


@every_call
@pytest.mark.parametrize("status", [302, 307, 400, 401, 403, 404, 407, 408, 413, 425, 429, 451, 500, 502, 503, 504])
async def test_a_proxys_page_is_no_word_of_twilios_whatever_was_asked(
    ask: Callable[[TwilioApi], Awaitable[object]], status: int
) -> None:
    impostor = Impostor([web.Response(status=status, text=PAGE, headers={"Retry-After": "9"})])
    async with impostor.start() as api:
        with pytest.raises(TwilioUnclear, match=f"HTTP {status} without Twilio's error body") as caught:
            await ask(api)
    assert caught.value.retry_after == 9
    assert "SECRET" not in str(caught.value)
    assert len(impostor.asked) == 1


@every_call
async def test_a_redirect_is_not_followed_anywhere(ask: Callable[[TwilioApi], Awaitable[object]]) -> None:
    elsewhere = Impostor([web.json_response(EMPTY_LIST)])
    async with serve(elsewhere.answer) as url:
        for status in (301, 302, 303, 307, 308):
            impostor = Impostor([web.Response(status=status, headers={"Location": f"{url}/x.json"})])
            async with impostor.start() as api:
                with pytest.raises(TwilioUnclear, match=f"HTTP {status}"):
                    await ask(api)
    assert elsewhere.asked == [], "and nobody else sees the credentials"


@pytest.mark.parametrize(
    "second",
    [
        web.Response(status=302, headers={"Location": "/other.json"}),
        web.Response(status=404, text=PAGE),
        web.json_response({"code": "20404"}, status=404),
        web.Response(text=PAGE),
        web.json_response([]),
        web.json_response({"messages": None, "calls": 5}),
        web.json_response({"messages": [{"sid": SID, "status": None}], "calls": [None]}),
        web.json_response({"messages": ["x"], "calls": [[]]}),
    ],
    ids=["redirect", "404", "a code in text", "HTML", "a list", "no items", "a status of null", "no resource"],
)
@pytest.mark.parametrize("name", ["list messages", "list calls"])
async def test_a_page_that_is_not_twilios_fails_the_list(name: str, second: web.Response) -> None:
    """To go on without it would be to find nothing where something is."""
    path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/{name.removeprefix('list ').capitalize()}.json?Page=1"
    first = web.json_response(EMPTY_LIST | {"next_page_uri": path})
    impostor = Impostor([first, second])
    async with impostor.start() as api:
        with pytest.raises(TwilioUnclear):
            await CALLS[name](api)
    assert len(impostor.asked) == 2


@pytest.mark.parametrize("name", ["fetch a message", "fetch a call", "erase a message"])
@pytest.mark.parametrize(
    "body",
    ["", PAGE, "{}", '{"status": 404, "message": "Not Found"}', '{"code": 404}', '{"code": "20404"}'],
    ids=["empty", "HTML", "an object", "no code", "the status as a code", "a code in text"],
)
async def test_a_404_without_twilios_body_does_not_say_that_twilio_has_none(name: str, body: str) -> None:
    async with Impostor([web.Response(status=404, text=body)]).start() as api:
        with pytest.raises(TwilioUnclear, match="HTTP 404 without"):
            await CALLS[name](api)


@pytest.mark.parametrize("name", ["fetch a message", "fetch a call", "erase a message"])
async def test_only_the_code_of_a_missing_resource_says_that_twilio_has_none(name: str) -> None:
    async with Impostor([web.json_response({"code": 20404, "message": "No"}, status=404)]).start() as api:
        assert await CALLS[name](api) is None
    async with Impostor([web.json_response({"code": 20003, "message": "No"}, status=404)]).start() as api:
        with pytest.raises(TwilioRefused, match="code 20003"):
            await CALLS[name](api)


async def test_a_create_that_twilio_answers_with_404_is_refused_with_its_code() -> None:
    """The account of the URL is not there: the table has 20404 among what is to be configured."""
    async with Impostor([web.json_response({"code": 20404, "message": "No"}, status=404)]).start() as api:
        with pytest.raises(TwilioRefused) as caught:
            await api.create_message(TEXT, not_after=soon())
    assert (caught.value.status, caught.value.code) == (404, 20404)


@pytest.mark.parametrize("status", [200, 202])
async def test_a_page_does_not_say_that_something_was_erased(status: int) -> None:
    impostor = Impostor([web.Response(status=status, text=PAGE)])
    async with impostor.start() as api:
        with pytest.raises(TwilioUnclear, match="expected HTTP 204"):
            await api.erase_message(SID)
    impostor = Impostor(
        [
            web.json_response({"recordings": [{"sid": a_sid("RE"), "call_sid": CALL_SID}]}),
            web.Response(status=status, text=PAGE),
        ]
    )
    async with impostor.start() as api:
        with pytest.raises(TwilioUnclear, match="expected HTTP 204"):
            await api.erase_recordings(CALL_SID)


async def test_recordings_of_another_call_are_not_erased() -> None:
    impostor = Impostor([web.json_response({"recordings": [{"sid": a_sid("RE"), "call_sid": a_sid("CA")}]})])
    async with impostor.start() as api:
        with pytest.raises(TwilioUnclear, match="of the call that was asked for"):
            await api.erase_recordings(CALL_SID)
    assert [request.method for request in impostor.asked] == ["GET"]


async def test_another_message_than_the_one_that_was_asked_for_is_unclear() -> None:
    async with Impostor([web.json_response({"sid": a_sid(), "status": "sent"})]).start() as api:
        with pytest.raises(TwilioUnclear, match="got another"):
            await api.message(SID)


@every_call
async def test_an_answer_that_is_too_long_is_not_read_to_its_end(
    ask: Callable[[TwilioApi], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_api, "LARGEST", 1000)
    for status in (200, 400):
        async with Impostor([web.Response(status=status, body=b" " * 1001)]).start() as api:
            with pytest.raises(TwilioUnclear, match="1000 bytes at most"):
                await ask(api)


json_text = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=5,
)
resources = st.fixed_dictionaries(
    {},
    optional={
        "sid": st.sampled_from([SID, CALL_SID]) | json_text,
        "status": st.sampled_from(["queued", "sent"]) | json_text,
        "date_created": st.just("Mon, 02 Mar 2026 12:00:00 +0000") | json_text,
        "code": st.sampled_from([20404, 21211]) | json_text,
        "error_code": st.integers() | json_text,
        "messages": st.lists(json_text, max_size=2) | json_text,
        "calls": st.lists(st.just({"sid": CALL_SID, "status": "queued"}) | json_text, max_size=2),
        "recordings": st.lists(st.just({"sid": a_sid("RE"), "call_sid": CALL_SID}) | json_text, max_size=2),
        "next_page_uri": st.sampled_from(["/next", "/next.json?Page=1", None]) | json_text,
    },
)
answers = st.builds(
    lambda status, body, headers: web.Response(status=status, body=body, headers=headers),
    st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 404, 429, 500, 503]),
    st.binary(max_size=20) | (resources | json_text).map(msgspec.json.encode),
    st.dictionaries(
        st.sampled_from(["Retry-After", "Location", "Set-Cookie", "ETag"]),
        st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=9),
        max_size=2,
    ),
)


@every_call
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_answers=st.lists(answers, min_size=1, max_size=3))
async def test_whatever_is_answered_it_is_an_answer_or_one_of_the_errors_of_a_send(
    ask: Callable[[TwilioApi], Awaitable[object]], given_answers: list[web.Response]
) -> None:
    async with Impostor(given_answers).start() as api:
        with contextlib.suppress(TwilioRefused, TwilioUnavailable, TwilioUnclear):
            await ask(api)


@every_call
@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200",
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=nothing\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    ],
    ids=["cut off", "no HTTP", "odd", "short", "no gzip", "no chunk", "no charset", "upgrade", "long header"],
)
async def test_bytes_that_are_no_answer_are_unclear(ask: Callable[[TwilioApi], Awaitable[object]], raw: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        api = TwilioApi(make_settings(TWILIO_API_BASE_URL=url))
        with pytest.raises(TwilioUnclear):
            await ask(api)
        await api.close()
