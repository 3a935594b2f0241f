from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.lists import Lists
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import SAY_HELLO

ANNA, BEN, US = "+14155550100", "+14155550101", "+14155550199"
LIST = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"


async def text(client: Client, *recipients: str, from_: str = US) -> list[str]:
    """The SIDs of messages to these recipients, newest first."""
    sids = []
    for number, to in enumerate(recipients):
        created = await client.messages.create_async(to=to, from_=from_, body=f"No. {number}")
        sids.append(created.sid)
    return sids[::-1]


async def test_the_client_walks_all_pages(client: Client, simulator: Simulator) -> None:
    sids = await text(client, *[ANNA] * 7)
    await simulator.settled()
    found = await client.messages.list_async(page_size=3)

    assert sorted(message.sid for message in found) == sorted(sids)


async def test_messages_are_found_by_recipient_and_by_sender(client: Client) -> None:
    first, _, last = await text(client, ANNA, BEN, ANNA)
    (other,) = await text(client, ANNA, from_=BEN)

    assert {message.sid for message in await client.messages.list_async(to=ANNA)} == {other, first, last}
    assert [message.sid for message in await client.messages.list_async(from_=BEN)] == [other]
    assert [message.sid for message in await client.messages.list_async(to=ANNA, from_=BEN)] == [other]
    assert await client.messages.list_async(to="+14155550102") == []


async def test_a_page_names_its_neighbours(client: Client, simulator: Simulator, http: aiohttp.ClientSession) -> None:
    simulator.lists = Lists(order="oldest-first")
    sids = (await text(client, *[ANNA] * 5))[::-1]
    pages = []
    uri = f"{LIST}?To=%2B14155550100&PageSize=2"
    while uri:
        async with http.get(uri) as response:
            pages.append(await response.json())
        uri = pages[-1]["next_page_uri"]

    assert [[message["sid"] for message in page["messages"]] for page in pages] == [sids[:2], sids[2:4], sids[4:]]
    assert [(page["page"], page["start"], page["end"]) for page in pages] == [(0, 0, 1), (1, 2, 3), (2, 4, 4)]
    assert [page["page_size"] for page in pages] == [2, 2, 2]
    assert pages[0]["previous_page_uri"] is None
    assert pages[0]["next_page_uri"].startswith(f"{LIST}?To=%2B14155550100&PageSize=2&Page=1&PageToken=PA")
    async with http.get(pages[2]["previous_page_uri"]) as response:
        assert (await response.json())["messages"] == pages[1]["messages"]


async def test_what_is_created_between_two_pages_shifts_nothing(client: Client, simulator: Simulator) -> None:
    sids = await text(client, *[ANNA] * 4)
    await simulator.settled()
    page = await client.messages.page_async(page_size=2)
    await text(client, BEN)
    await simulator.settled()
    found = {message.sid for message in page}
    found |= {message.sid for message in await page.next_page_async()}

    assert len(found) == 4
    assert found <= {*sids, simulator.messages[-1].sid}


async def test_deleting_while_paging_loses_nothing(client: Client, simulator: Simulator) -> None:
    sids = await text(client, *[ANNA] * 5)
    await simulator.settled()
    deleted = []
    async for message in await client.messages.stream_async(to=ANNA, page_size=2):
        await message.delete_async()
        deleted.append(message.sid)

    assert sorted(deleted) == sorted(sids)
    assert simulator.messages == []


async def test_a_page_holds_at_most_a_thousand(http: aiohttp.ClientSession) -> None:
    async with http.get(LIST, params={"PageSize": "5000"}) as response:
        assert (await response.json())["page_size"] == 1000
    async with http.get(LIST) as response:
        assert (await response.json())["page_size"] == 50


async def test_date_filters_miss_what_is_not_sent_yet(client: Client, simulator: Simulator) -> None:
    (sent,) = await text(client, ANNA)
    await simulator.settled()
    waiting = await client.messages.create_async(
        to=ANNA,
        messaging_service_sid="MG" + "0" * 32,
        body="Later",
        schedule_type="fixed",
        send_at=datetime.now(UTC) + timedelta(hours=1),
    )
    today, hour = datetime.now(UTC).date(), timedelta(hours=1)

    async def found(**filters: object) -> list[str]:
        return [message.sid for message in await client.messages.list_async(to=ANNA, **filters)]

    assert sorted(await found()) == sorted([waiting.sid, sent])
    assert await found(date_sent=today) == [sent]
    assert await found(date_sent=today - timedelta(days=2)) == []
    assert await found(date_sent_after=datetime.now(UTC) - hour, date_sent_before=datetime.now(UTC) + hour) == [sent]
    assert await found(date_sent_after=datetime.now(UTC) + hour) == []
    assert await found(date_sent_before=datetime.now(UTC) - hour) == []


async def test_calls_are_found_by_number_status_and_start(client: Client, simulator: Simulator) -> None:
    answered = await client.calls.create_async(to=ANNA, from_=US, twiml=SAY_HELLO)
    busy = await client.calls.create_async(to="+15005550101", from_=BEN, twiml=SAY_HELLO)
    await simulator.settled()
    hour = timedelta(hours=1)

    async def found(**filters: object) -> set[str]:
        return {call.sid for call in await client.calls.list_async(**filters)}

    assert await found() == {busy.sid, answered.sid}
    assert await found(to=ANNA) == {answered.sid}
    assert await found(from_=BEN) == {busy.sid}
    assert await found(status="completed") == {answered.sid}
    assert await found(start_time_after=datetime.now(UTC) - hour) == {busy.sid, answered.sid}
    assert await found(start_time_before=datetime.now(UTC) - hour) == set()
    assert await found(page_size=1) == {busy.sid, answered.sid}


@pytest.mark.parametrize("token", ["PASMnothing", "PA", "", "PAe30=", "PAé"])
async def test_a_page_token_that_was_never_given_is_refused(
    client: Client, http: aiohttp.ClientSession, token: str
) -> None:
    await text(client, ANNA)
    async with http.get(LIST, params={"PageToken": token, "Page": "1"}) as response:
        assert (response.status, (await response.json())["code"]) == (400, 20001)
