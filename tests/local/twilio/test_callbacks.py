import aiohttp
import pytest

from local.twilio import Simulator
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import SAY_HELLO, Receiver

TO, FROM = "+15005550106", "+14155550199"
BASE = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
IN_ORDER = ["sent", "delivered", "read"]


async def text(http: aiohttp.ClientSession, receiver: Receiver) -> str:
    """Send a text, whose callbacks are kept by the receiver; returns its SID."""
    fields = {"To": TO, "From": FROM, "Body": "Hello", "StatusCallback": f"{receiver.url}/status"}
    async with http.post(f"{BASE}/Messages.json", data=fields) as response:
        assert response.status == 201
        created = await response.json()
        assert created["status"] == "queued"
        return str(created["sid"])


def told(receiver: Receiver, sid: str) -> list[str]:
    return [form["MessageStatus"] for form in receiver.forms("/status") if form["MessageSid"] == sid]


async def test_callbacks_can_come_twice(http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver) -> None:
    simulator.faults.callbacks(duplicate=1.0)
    sid = await text(http, receiver)
    await simulator.settled()

    assert told(receiver, sid) == [status for status in IN_ORDER for _ in range(2)]


async def test_callbacks_can_get_lost(http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver) -> None:
    simulator.faults.callbacks(lose=1.0)
    sid = await text(http, receiver)
    await simulator.settled()

    assert told(receiver, sid) == []
    assert simulator.messages[0].status == "read"


async def test_callbacks_can_come_in_reverse(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.faults.callbacks(reverse=True)
    sid = await text(http, receiver)
    await simulator.settled()

    assert told(receiver, sid) == IN_ORDER[::-1]


async def shuffled(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver, *, seed: int
) -> list[list[str]]:
    simulator.faults.callbacks(seed=seed, shuffle=True)
    orders = []
    for _ in range(20):
        sid = await text(http, receiver)
        await simulator.settled()
        orders.append(told(receiver, sid))
    return orders


async def test_callbacks_can_come_in_any_order_which_the_seed_decides(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    first, again = [await shuffled(http, simulator, receiver, seed=3) for _ in range(2)]

    assert first == again
    assert {tuple(sorted(order)) for order in first} == {tuple(sorted(IN_ORDER))}
    assert len({tuple(order) for order in first}) > 3


async def test_a_late_callback_holds_nothing_up(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.faults.callbacks(delay=0.05)
    sid = await text(http, receiver)
    await simulator.settled()

    history = [status for status, _ in simulator.messages[0].history]
    assert history == ["queued", *IN_ORDER]
    assert sorted(told(receiver, sid)) == sorted(IN_ORDER)


async def test_the_callbacks_of_a_share_of_messages_can_be_late(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.faults.callbacks(delay=0.5, delayed=0.5, before_answer=1.0, seed=1)
    at_once = [bool(told(receiver, await text(http, receiver))) for _ in range(12)]
    await simulator.settled()

    assert set(at_once) == {True, False}
    assert all(sorted(told(receiver, message.sid)) == sorted(IN_ORDER) for message in simulator.messages)


async def test_callbacks_can_come_before_the_answer_of_the_create(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.faults.callbacks(before_answer=1.0)
    sid = await text(http, receiver)

    assert told(receiver, sid) == IN_ORDER


async def test_an_answer_that_is_dropped_can_have_its_callbacks_all_the_same(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.faults.callbacks(before_answer=1.0)
    simulator.faults.add("drop-after")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await text(http, receiver)

    assert told(receiver, simulator.messages[0].sid) == IN_ORDER


async def test_the_callbacks_of_calls_are_disordered_too(
    http: aiohttp.ClientSession, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.faults.callbacks(reverse=True, before_answer=1.0)
    fields = [
        ("To", "+14155550100"),
        ("From", FROM),
        ("Twiml", SAY_HELLO),
        ("StatusCallback", f"{receiver.url}/status"),
        *(("StatusCallbackEvent", event) for event in ("initiated", "ringing", "answered", "completed")),
    ]
    async with http.post(f"{BASE}/Calls.json", data=fields) as response:
        assert (await response.json())["status"] == "queued"

    assert [form["SequenceNumber"] for form in receiver.forms("/status")] == ["3", "2", "1", "0"]
