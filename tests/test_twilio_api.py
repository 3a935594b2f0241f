"""The client against the simulator, over real HTTP: each request is made once, in bounded time, with clear errors."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from local.twilio import Simulator
from local.twilio.messages import Message
from shared import twilio_api
from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.claim import ticks
from shared.outbound.provider import Provider
from shared.twilio_api import TwilioApi, _seconds
from tests.fakes import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, SERVICE_SID, a_sid, make_settings

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


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("²", None), ("٣", None), ("-1", None), ("soon", None)])
def test_how_long_to_wait_is_read_from_ascii_digits_only(text: str, seconds: float | None) -> None:
    assert _seconds(text) == seconds


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


async def test_the_messages_to_somebody_are_listed_newest_first_and_those_to_others_are_not(
    api: TwilioApi, simulator: Simulator
) -> None:
    sids = existing(simulator, 3)
    existing(simulator, 2, to="+14155550101")
    found = await api.messages_to(TO, since=LONG_AGO)
    assert [resource.sid for resource in found] == sids
    assert [resource.created_at for resource in found] == [LONG_AGO + timedelta(seconds=n) for n in (2, 1, 0)]
    assert [resource.body for resource in found] == ["Number 2", "Number 1", "Number 0"]


async def test_a_list_goes_on_over_twilios_pages(api: TwilioApi, simulator: Simulator) -> None:
    sids = existing(simulator, 250)
    assert [resource.sid for resource in await api.messages_to(TO, since=LONG_AGO)] == sids


async def test_a_list_ends_at_what_is_older(api: TwilioApi, simulator: Simulator) -> None:
    sids = existing(simulator, 150)
    found = await api.messages_to(TO, since=LONG_AGO + timedelta(seconds=30))
    assert [resource.sid for resource in found] == sids[:120], "the moment itself counts"


async def test_what_is_still_queued_is_listed_too(api: TwilioApi) -> None:
    created = await api.create_message(TEXT, not_after=soon())
    assert [resource.sid for resource in await api.messages_to(TO, since=LONG_AGO)] == [created.sid]


async def test_a_list_with_more_pages_than_can_be_looked_through_is_no_look(
    api: TwilioApi, simulator: Simulator
) -> None:
    existing(simulator, 2001)
    with pytest.raises(TwilioUnclear, match="20 pages"):
        await api.messages_to(TO, since=LONG_AGO)
    assert len(await api.messages_to(TO, since=LONG_AGO + timedelta(seconds=1900))) == 101


@pytest.mark.parametrize(
    ("fault", "error"),
    [("500-before", TwilioUnclear), ("429", TwilioUnavailable), ("401", TwilioRefused), ("garbage", TwilioUnclear)],
)
async def test_a_page_that_fails_fails_the_list(
    api: TwilioApi,
    simulator: Simulator,
    fault: Any,  # noqa: ANN401 - the name of a fault
    error: type[Exception],
) -> None:
    existing(simulator, 150)
    simulator.faults.add("slow", on="list", times=1, seconds=0)
    simulator.faults.add(fault, on="list")
    with pytest.raises(error):
        await api.messages_to(TO, since=LONG_AGO)


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


async def test_the_account_is_checked_with_what_it_sends_with(api: TwilioApi, simulator: Simulator) -> None:
    await api.check_account()
    simulator.faults.add("401", on="any")
    with pytest.raises(TwilioRefused) as caught:
        await api.check_account()
    assert (caught.value.status, caught.value.code) == (401, 20003)
