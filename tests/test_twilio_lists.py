"""Reading a list of Twilio's over real HTTP: whole, in whatever order and over whatever pages, or not at all."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.provider import Resource
from shared.twilio_api import TwilioApi
from tests.fakes import ACCOUNT_SID, FROM_NUMBER, a_sid, make_settings

TO = "+14155550100"
SINCE = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ACCOUNT = f"/2010-04-01/Accounts/{ACCOUNT_SID}"

Item = dict[str, Any]


def an_item(seconds: float | None = 0, **changes: object) -> Item:
    """A message as Twilio lists it, created so many seconds after SINCE; None: it does not say when."""
    created = None if seconds is None else format_datetime(SINCE + seconds * SECOND)
    return {"sid": a_sid(), "status": "sent", "to": TO, "from": FROM_NUMBER, "date_created": created, **changes}


@dataclass
class Listing:
    """A Twilio that lists what a test wants, page by page."""

    pages: Sequence[Sequence[Any]] = ((),)
    links: dict[int, object] = field(default_factory=dict)
    """of a page: its next_page_uri, where that is not the one of the next page"""
    answers: dict[int, web.Response] = field(default_factory=dict)
    """of a page: what comes instead of it"""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.query)))
        number = int(request.query.get("Page", 0))
        if number in self.answers:
            return self.answers[number]
        name = request.path.rpartition("/")[2].removesuffix(".json").lower()
        more = f"{request.path}?To=%2B14155550100&PageSize=1000&Page={number + 1}&PageToken=PA{number}"
        following = self.links.get(number, more if number + 1 < len(self.pages) else None)
        items = [_as_call(item) for item in self.pages[number]] if name == "calls" else list(self.pages[number])
        return web.json_response({name: items, "next_page_uri": following, "page": number})


def _as_call(item: Item) -> Item:
    return {**item, "sid": "CA" + item["sid"][2:]}


@asynccontextmanager
async def a_listing(listing: Listing, **options: float) -> AsyncIterator[TwilioApi]:
    app = web.Application()
    app.router.add_get("/{path:.*}", listing.answer)
    async with TestServer(app) as server:
        listing.url = str(server.make_url("")).rstrip("/")
        api = TwilioApi(make_settings(TWILIO_API_BASE_URL=listing.url), **options)
        try:
            yield api
        finally:
            await api.close()


def sids(found: Sequence[Resource] | Sequence[Item]) -> set[str]:
    """Return what tells them apart, whether they are listed as messages or as calls."""
    return {(one.sid if isinstance(one, Resource) else one["sid"])[2:] for one in found}


@settings(max_examples=25)
@given(st.data())
async def test_in_any_order_and_over_any_pages_everything_of_the_time_is_found_and_nothing_else(
    data: st.DataObject,
) -> None:
    """Twilio sorts messages by DateSent and calls by nothing that it documents; a queued message has no DateSent."""
    inside = [an_item(seconds) for seconds in data.draw(st.lists(st.integers(0, 30), max_size=4))]
    unknown = [an_item(None), an_item(date_created="yesterday")]
    outside = [
        an_item(seconds) for seconds in data.draw(st.lists(st.sampled_from([-86_400, -1, 31, 3600]), max_size=9))
    ]
    order = data.draw(st.permutations([*inside, *unknown, *outside]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(order)), max_size=4)))
    listing = Listing([order[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(order)], strict=True)])
    async with a_listing(listing) as api:
        for look in (api.messages_to, api.calls_to):
            found = await look(TO, since=SINCE, until=SINCE + 30 * SECOND)
            assert sids(found) == sids([*inside, *unknown])
    assert len(listing.asked) == 2 * len(listing.pages), "an empty page in between ends nothing"


async def test_a_recipient_is_listed_by_number_alone_in_pages_as_large_as_there_are() -> None:
    listing = Listing([[an_item()], []])
    async with a_listing(listing) as api:
        await api.messages_to(TO, since=SINCE)
        await api.calls_to(TO, since=SINCE)
    assert [path for path, _ in listing.asked] == [
        f"{ACCOUNT}/{name}.json" for name in ("Messages", "Calls") for _ in "12"
    ]
    for _, query in listing.asked:
        assert (query["To"], query["PageSize"]) == (TO, "1000")
        assert not {name for name in query if "Date" in name or name in {"From", "Status", "StartTime"}}


async def test_a_date_without_a_zone_is_utc() -> None:
    async with a_listing(Listing([[an_item(date_created="Mon, 02 Mar 2026 12:00:05 -0000")]])) as api:
        [found] = await api.messages_to(TO, since=SINCE, until=SINCE + 10 * SECOND)
    assert found.created_at == SINCE + 5 * SECOND


ELSEWHERE = [
    "https://example.com/2010-04-01/Messages.json?Page=1",
    "@example.com/2010-04-01/Messages.json?Page=1",
    "//example.com/Messages.json?Page=1",
    f"{ACCOUNT}/Calls.json?Page=1",
    "/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json?Page=1",
    f"{ACCOUNT}/Messages.json/../Calls.json?Page=1",
    7,
    {"Page": 1},
]


@pytest.mark.parametrize("link", ELSEWHERE, ids=str)
async def test_a_link_that_leads_elsewhere_fails_the_list_and_is_not_followed(link: object) -> None:
    """The credentials go with each request."""
    listing = Listing([[an_item()], [an_item()]], links={0: link})
    async with a_listing(listing) as api:
        with pytest.raises(TwilioUnclear, match=r"leads elsewhere|expected a page of a list"):
            await api.messages_to(TO, since=SINCE)
    assert len(listing.asked) == 1


@pytest.mark.parametrize("back_to", [1, 2])
async def test_links_that_lead_in_a_circle_fail_the_list(back_to: int) -> None:
    link = f"{ACCOUNT}/Messages.json?To=%2B14155550100&PageSize=1000&Page={back_to}&PageToken=PA{back_to - 1}"
    listing = Listing([[an_item()]] * 4, links={2: link})
    async with a_listing(listing) as api:
        with pytest.raises(TwilioUnclear, match=r"leads elsewhere|expected a page of a list"):
            await api.messages_to(TO, since=SINCE)
    assert len(listing.asked) <= 4


def _page(**fields: object) -> web.Response:
    return web.json_response(fields)


BROKEN: dict[str, tuple[Callable[[], web.Response], type[Exception]]] = {
    "no list": (lambda: _page(next_page_uri=None), TwilioUnclear),
    "no list but an object": (lambda: _page(messages={}, next_page_uri=None), TwilioUnclear),
    "one without a SID": (lambda: _page(messages=[{"status": "sent"}], next_page_uri=None), TwilioUnclear),
    "one that is no object": (lambda: _page(messages=["SM1"], next_page_uri=None), TwilioUnclear),
    "half a page": (lambda: web.Response(text=json.dumps({"messages": []})[:-3]), TwilioUnclear),
    "a list": (lambda: web.json_response([]), TwilioUnclear),
    "a server error": (lambda: web.json_response({"code": 20500}, status=500), TwilioUnclear),
    "a rate limit": (lambda: web.json_response({"code": 20429}, status=429), TwilioUnavailable),
    "a refusal": (lambda: web.json_response({"code": 20003}, status=401), TwilioRefused),
}


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(("make", "error"), BROKEN.values(), ids=BROKEN.keys())
async def test_a_page_that_can_not_be_read_fails_the_list(
    make: Callable[[], web.Response], error: type[Exception], number: int
) -> None:
    listing = Listing([[an_item()]] * 3, answers={number: make()})
    async with a_listing(listing) as api:
        with pytest.raises(error):
            await api.messages_to(TO, since=SINCE)
    assert len(listing.asked) == number + 1


async def test_a_list_that_can_not_be_read_in_time_fails_and_says_so() -> None:
    listing = Listing([[an_item()]] * 3)
    async with a_listing(listing, list_seconds=0.0) as api:
        with pytest.raises(TwilioUnclear, match="more messages at Twilio than could be read in 0 s"):
            await api.messages_to(TO, since=SINCE)
    assert len(listing.asked) == 1


async def test_a_list_of_one_page_needs_no_time_for_another() -> None:
    async with a_listing(Listing([[an_item()]]), list_seconds=0.0) as api:
        assert len(await api.messages_to(TO, since=SINCE)) == 1


async def test_tens_of_thousands_of_messages_are_read_and_only_what_may_be_it_is_kept() -> None:
    page = [an_item(-3600) for _ in range(1000)]
    it = an_item(1)
    listing = Listing([*[page] * 19, [*page[1:], it]])
    async with a_listing(listing) as api:
        assert sids(await api.messages_to(TO, since=SINCE)) == sids([it])
    assert len(listing.asked) == 20


@pytest.mark.parametrize("look", ["messages_to", "calls_to"])
async def test_nothing_there_is_an_empty_list(look: str) -> None:
    async with a_listing(Listing()) as api:
        read: Callable[..., Awaitable[list[Resource]]] = getattr(api, look)
        assert await read(TO, since=SINCE) == []
