"""In which orders, over how many pages and how late the simulator lists what it has."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.lists import Lists
from local.twilio.store import Record
from tests.local.twilio.conftest import ACCOUNT_SID, client_of
from tests.local.twilio.receiver import AUTH_TOKEN, SAY_HELLO
from tests.local.twilio.test_lists import ANNA, BEN, LIST, US, text

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
async def slow() -> AsyncIterator[Simulator]:
    """A simulator in which nothing leaves its queue while a test lasts."""
    async with Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=100_000) as simulator:
        yield simulator


async def pages(http: aiohttp.ClientSession, path: str) -> list[dict[str, Any]]:
    """Every page of a list, from the first one's path on."""
    found = []
    uri: str | None = path
    while uri:
        async with http.get(uri) as response:
            found.append(await response.json())
        uri = found[-1]["next_page_uri"]
    return found


async def test_what_is_queued_has_no_date_sent_and_no_start_time(slow: Simulator) -> None:
    hour = timedelta(hours=1)
    async with client_of(slow) as client:
        await text(client, ANNA)
        await client.calls.create_async(to=ANNA, from_=US, twiml=SAY_HELLO)
        (message,) = await client.messages.list_async(to=ANNA)
        (call,) = await client.calls.list_async(to=ANNA)

        assert (message.status, message.date_sent) == ("queued", None)
        assert (call.status, call.start_time) == ("queued", None)
        assert message.date_created is not None
        assert await client.messages.list_async(to=ANNA, date_sent_after=datetime.now(UTC) - hour) == []
        assert await client.calls.list_async(to=ANNA, start_time_after=datetime.now(UTC) - hour) == []


@pytest.mark.parametrize("undated", ["first", "last"])
async def test_messages_come_by_date_sent_and_what_is_queued_stands_where_it_is_asked_to(
    slow: Simulator, undated: Literal["first", "last"]
) -> None:
    earlier = [slow.sent_before("sms", to=ANNA, from_=US, ago=timedelta(hours=hours)) for hours in (3, 1, 2)]
    slow.lists = Lists(undated=undated)
    async with client_of(slow) as client:
        (queued,) = await text(client, ANNA)
        found = [message.sid for message in await client.messages.list_async(to=ANNA, page_size=1)]

    dated = [earlier[1], earlier[2], earlier[0]]
    assert found == ([queued, *dated] if undated == "first" else [*dated, queued])


async def test_what_is_queued_stands_anywhere_by_the_seed(slow: Simulator) -> None:
    slow.sent_before("sms", to=ANNA, from_=US, ago=timedelta(hours=1))
    async with client_of(slow) as client:
        (queued,) = await text(client, ANNA)
        stands = []
        for seed in range(30):
            slow.lists = Lists(seed=seed)
            stands.append([message.sid for message in await client.messages.list_async(to=ANNA)].index(queued))

    assert set(stands) == {0, 1}


async def test_calls_come_in_no_order_but_in_the_same_one_twice(client: Client, simulator: Simulator) -> None:
    for _ in range(8):
        await client.calls.create_async(to=ANNA, from_=US, twiml=SAY_HELLO)
    await simulator.settled()
    orders = []
    for seed in range(3):
        simulator.lists = Lists(seed=seed)
        first, second = [[call.sid for call in await client.calls.list_async(page_size=3)] for _ in range(2)]
        assert first == second
        orders.append(first)

    assert orders[0] != orders[1] != orders[2]
    assert {frozenset(order) for order in orders} == {frozenset(call.sid for call in simulator.calls)}


async def test_an_adverse_look_has_an_order_of_its_own_and_short_pages_and_every_resource_once(
    client: Client, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    sids = await text(client, *[ANNA] * 12)
    await text(client, BEN)
    simulator.lists = Lists(order="adverse", seed=7)
    looks = [await pages(http, f"{LIST}?To=%2B14155550100&PageSize=1000") for _ in range(3)]
    orders = [[message["sid"] for page in look for message in page["messages"]] for look in looks]
    sizes = {len(page["messages"]) for look in looks for page in look}

    assert orders[0] != orders[1] != orders[2]
    assert all(sorted(order) == sorted(sids) for order in orders)
    assert sizes == {0, 1, 2, 3}, "an empty page is no end either"


async def test_a_seed_repeats_what_an_adverse_list_does(client: Client, simulator: Simulator) -> None:
    sids = await text(client, *[ANNA] * 12)

    async def looks() -> list[list[int]]:
        simulator.lists = Lists(order="adverse", seed=3)
        return [[sids.index(one.sid) for one in await client.messages.list_async()] for _ in range(3)]

    assert await looks() == await looks()


async def test_a_late_resource_is_fetched_at_once_and_listed_when_its_time_has_come(
    client: Client, simulator: Simulator
) -> None:
    simulator.lists = Lists(late=1, late_seconds=(3600, 3600))
    (sid,) = await text(client, ANNA)
    call = await client.calls.create_async(to=ANNA, from_=US, twiml=SAY_HELLO)
    old = simulator.sent_before("sms", to=ANNA, from_=US, ago=timedelta(hours=2))

    assert (await client.messages(sid).fetch_async()).sid == sid
    assert (await client.calls(call.sid).fetch_async()).sid == call.sid
    assert [message.sid for message in await client.messages.list_async(to=ANNA)] == [old]
    assert await client.calls.list_async(to=ANNA) == []
    simulator.lists = Lists(late=1, late_seconds=(0, 0))
    assert {message.sid for message in await client.messages.list_async(to=ANNA)} == {sid, old}


async def test_a_resource_that_is_late_by_looks_is_left_out_of_the_first_ones_however_long_they_take(
    client: Client, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.lists = Lists(late=1, late_looks=2)
    annas = await text(client, ANNA, ANNA)
    bens = await text(client, BEN)
    path = f"{LIST}?To=%2B14155550100&PageSize=1"

    assert [len(page["messages"]) for look in range(2) for page in await pages(http, path)] == [0, 0]
    (first, second) = await pages(http, path)
    assert {message["sid"] for page in (first, second) for message in page["messages"]} == set(annas)
    for listed in ([], [], bens):
        assert [message.sid for message in await client.messages.list_async(to=BEN)] == listed, "Anna's looks are hers"


async def test_a_resource_that_comes_between_two_pages_of_a_look_is_left_out_of_the_whole_look(
    client: Client, simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.lists = Lists(order="oldest-first", late=1, late_looks=1)
    early = await text(client, ANNA, ANNA)
    path = f"{LIST}?To=%2B14155550100&PageSize=1"
    assert await client.messages.list_async(to=ANNA) == []
    async with http.get(path) as response:
        page = await response.json()
    (late,) = await text(client, ANNA)
    rest = await pages(http, page["next_page_uri"])
    assert [message["sid"] for one in (page, *rest) for message in one["messages"]] == early[::-1]
    assert {message.sid for message in await client.messages.list_async(to=ANNA)} == {*early, late}


@given(seed=st.integers(), number=st.integers(0, 10**6), share=st.floats(0, 1), seconds=st.floats(1, 600))
def test_what_is_late_waits_at_least_the_least_and_at_most_the_most(
    seed: int, number: int, share: float, seconds: float
) -> None:
    lists = Lists(seed=seed, late=share, late_seconds=(seconds, 2 * seconds))
    record = Record(sid="SM1", to=ANNA, created=NOW)
    at = [
        lists.is_listed(number, record, NOW + timedelta(seconds=after))
        for after in (0, seconds - 0.001, 2 * seconds + 0.001)
    ]

    assert at[2]
    assert all(before <= later for before, later in pairwise(at)), "what was listed once stays listed"
    if share == 1:
        assert at == [False, False, True]


async def test_how_lists_come_is_set_and_shown_over_http_and_a_reset_restores_what_it_was_at_first() -> None:
    async with (
        Simulator.start(account_sid="AC1", auth_token="12345", lists=Lists(order="oldest-first")) as simulator,
        aiohttp.ClientSession(simulator.url) as http,
    ):
        asked = {"order": "adverse", "seed": 4, "undated": "last", "late": 0.5, "late_seconds": [1, 2], "late_looks": 0}
        assert (await http.put("/simulator/lists", json=asked)).status == 204
        async with http.get("/simulator/lists") as response:
            assert await response.json() == asked
        for wrong in (
            {"order": "alphabetical"},
            {"late": 2},
            {"late_seconds": [-1, 2]},
            {"late_looks": -1},
            {"typo": 1},
            "x",
        ):
            async with http.put("/simulator/lists", json=wrong) as response:
                assert response.status == 400
                assert (await response.json())["error"]
        adverse = Lists(order="adverse", seed=4, undated="last", late=0.5, late_seconds=(1, 2))
        assert simulator.lists == adverse
        await http.delete("/simulator/faults")
        assert simulator.lists == adverse, "an order is no fault that ends"
        await http.post("/simulator/reset")
        assert simulator.lists == Lists(order="oldest-first")
