import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from shared.deliveries import keys
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.deliveries.search import Page, Search, search
from shared.documents import read_document
from shared.errors import RequestInvalid
from shared.tables import Table
from tests.deliveries.samples import NOW, SID, a_delivery, an_event
from tests.storage import Storage, open_storage

WEEK, QUARTER = NOW - timedelta(days=7), NOW - timedelta(days=90)
ALICE, BOB = "+14155550100", "+14155550101"
QUOTED = "client:' or PartitionKey ge '"


def a_population() -> list[Delivery]:
    """Sixty deliveries of two recipients over six days, some at the same instant, and one that ends a day."""
    chance = random.Random(7)  # noqa: S311 - the same ones each time
    statuses = ["delivered", "sent", "failed", "undelivered", "rejected"]
    made = [
        a_delivery(
            id=f"order-{n}",
            to=chance.choice([ALICE, BOB]),
            status=chance.choice(statuses),
            created_at=NOW - timedelta(hours=chance.randrange(140)),
        )
        for n in range(58)
    ]
    midnight = datetime(2026, 3, 1, tzinfo=UTC)
    edges = [midnight, midnight - timedelta(microseconds=1)]
    return made + [a_delivery(id=f"edge-{n}", to=BOB, status="failed", created_at=at) for n, at in enumerate(edges)]


POPULATION = a_population()


async def put(log: DeliveryLog, deliveries: Sequence[Delivery]) -> None:
    await asyncio.gather(*(log.file(delivery, an_event(delivery.status)) for delivery in deliveries))


@pytest.fixture(scope="module")
async def populated(azurite: str) -> AsyncIterator[Storage]:
    async with open_storage(azurite) as storage:
        await put(storage.log, POPULATION)
        yield storage


async def look(storage: Storage, *, now: datetime = NOW, oldest: datetime = WEEK, **wanted: Any) -> Page:  # noqa: ANN401 - a search's fields
    return await search(Search(**wanted), lookups=storage.lookups, log=storage.log, now=now, oldest=oldest)


async def all_pages(storage: Storage, **wanted: Any) -> list[list[str]]:  # noqa: ANN401 - a search's fields
    pages, cursor = [], None
    while True:
        page = await look(storage, cursor=cursor, **wanted)
        pages.append([delivery.id for delivery in page.deliveries])
        cursor = page.cursor
        if cursor is None:
            return pages
        assert len(pages) < 100


def expected(
    *, to: str | None = None, status: str | None = None, since: datetime = WEEK, until: datetime = NOW
) -> list[str]:
    matching = [
        delivery
        for delivery in POPULATION
        if to in {None, delivery.to} and status in {None, delivery.status} and since <= delivery.created_at <= until
    ]
    return [delivery.id for delivery in sorted(matching, key=lambda d: (-d.created_at.timestamp(), d.id))]


CRITERIA: list[dict[str, Any]] = [
    {},
    {"to": ALICE},
    {"status": "delivered"},
    {"status": "failed"},
    {"to": BOB, "status": "failed"},
    {"to": BOB, "status": "sent"},
    {"since": datetime(2026, 2, 28, 6, tzinfo=UTC)},
    {"until": datetime(2026, 2, 28, 6, tzinfo=UTC)},
    {"since": datetime(2026, 2, 28, tzinfo=UTC), "until": datetime(2026, 3, 1, tzinfo=UTC)},
    {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 3, 1, tzinfo=UTC)},
    {"until": datetime(2026, 3, 1, tzinfo=UTC) - timedelta(microseconds=1)},
    {"to": ALICE, "status": "sent", "since": datetime(2026, 2, 27, tzinfo=UTC), "until": NOW - timedelta(days=1)},
    {"status": "undelivered", "since": datetime(2026, 2, 26, tzinfo=UTC), "until": NOW},
]


@pytest.mark.parametrize("limit", [4, 100])
@pytest.mark.parametrize("criteria", CRITERIA, ids=str)
async def test_the_pages_together_hold_each_match_exactly_once_newest_first(
    populated: Storage, criteria: dict[str, Any], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # so few at a time that no partition is read at once: what one holds back must not be passed over
    monkeypatch.setattr("shared.deliveries.search._BATCH", 5)
    pages = await all_pages(populated, limit=limit, **criteria)
    found = [id_ for page in pages for id_ in page]
    assert found == expected(**criteria)
    assert found
    assert all(len(page) <= limit for page in pages)


SPELLINGS = ["whatsapp:+525512345678", "whatsapp:+5215512345678"]


async def as_before(storage: Storage, delivery: Delivery) -> None:
    """List a delivery as earlier versions did, by the address as it was written."""
    row = keys.recipient_row(delivery)
    plain = f"to:{hashlib.sha256((delivery.to or '').encode()).hexdigest()[:32]}"
    await storage.lookups.delete(row["PartitionKey"], row["RowKey"])
    await storage.lookups.put({**row, "PartitionKey": plain})


@pytest.mark.parametrize("asked", SPELLINGS)
async def test_a_search_finds_every_spelling_of_a_phone_and_what_earlier_versions_listed(
    storage: Storage, asked: str
) -> None:
    made = [a_delivery(id=f"order-{n}", to=SPELLINGS[n % 2], created_at=NOW - timedelta(minutes=n)) for n in range(6)]
    await put(storage.log, [*made, a_delivery(id="other", to="whatsapp:+525512345679")])
    for delivery in made[2:]:
        await as_before(storage, delivery)
    assert await all_pages(storage, to=asked, limit=4) == [
        ["order-0", "order-1", "order-2", "order-3"],
        ["order-4", "order-5"],
    ]


async def test_a_delivery_that_is_listed_under_two_spellings_is_found_once(storage: Storage) -> None:
    delivery = a_delivery(to=SPELLINGS[1])
    await put(storage.log, [delivery])
    await as_before(storage, delivery)
    await storage.lookups.put(keys.recipient_row(delivery))
    assert await all_pages(storage, to=SPELLINGS[0]) == [["order-1"]]


async def test_a_search_over_rcs_finds_the_texts_to_the_phone(storage: Storage) -> None:
    await put(storage.log, [a_delivery(id="one", to=ALICE), a_delivery(id="two", to=f"rcs:{ALICE}")])
    found = [sorted(page) for page in await all_pages(storage, to=f"rcs:{ALICE}")]
    assert found == [["one", "two"]] == [sorted(page) for page in await all_pages(storage, to=ALICE)]


async def test_a_page_is_full_while_there_is_more(populated: Storage) -> None:
    page = await look(populated, limit=7)
    assert len(page.deliveries) == 7
    assert page.cursor


async def test_a_page_holds_whole_deliveries(populated: Storage) -> None:
    (found,) = (await look(populated, limit=1)).deliveries
    assert found == await populated.log.get(found.id)


async def test_a_new_delivery_between_two_pages_neither_repeats_nor_hides_one(storage: Storage) -> None:
    old = [a_delivery(id=f"order-{n}", created_at=NOW - timedelta(minutes=n + 1)) for n in range(4)]
    await put(storage.log, old)
    first = await look(storage, limit=2)
    await put(storage.log, [a_delivery(id="newer", created_at=NOW)])
    second = await look(storage, limit=100, cursor=first.cursor, now=NOW + timedelta(minutes=1))
    assert [delivery.id for delivery in (*first.deliveries, *second.deliveries)] == [d.id for d in old]


async def test_nothing_is_found_where_nothing_was_written(storage: Storage) -> None:
    assert await look(storage, to=ALICE) == Page((), None)


async def test_nothing_is_found_from_later_until_earlier(populated: Storage) -> None:
    for to in (None, ALICE):
        assert await look(populated, since=NOW, until=NOW - timedelta(days=1), to=to) == Page((), None)


async def test_a_search_goes_back_no_further_than_the_oldest_unless_it_is_asked_to(storage: Storage) -> None:
    await put(storage.log, [a_delivery(id="ancient", status="failed", created_at=WEEK - timedelta(hours=1))])
    assert await all_pages(storage) == [[]]
    assert await all_pages(storage, status="failed", to=ALICE) == [[]]
    assert await all_pages(storage, since=WEEK - timedelta(days=1)) == [["ancient"]]


async def test_a_page_looks_at_a_month_at_most_and_its_cursor_goes_on(storage: Storage) -> None:
    await put(storage.log, [a_delivery(id="old", created_at=NOW - timedelta(days=40))])
    assert await all_pages(storage, oldest=QUARTER) == [[], ["old"], []]


async def test_a_search_until_the_end_of_time_is_one_until_now(storage: Storage) -> None:
    await put(storage.log, [a_delivery(id="recent", created_at=NOW - timedelta(hours=1))])
    until = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    assert await all_pages(storage, until=until) == await all_pages(storage) == [["recent"]]


@pytest.mark.parametrize("to", [None, ALICE])
@pytest.mark.parametrize("offset", [-14, 0, 14])
async def test_the_strangest_dates_can_be_searched(storage: Storage, to: str | None, offset: int) -> None:
    zone = timezone(timedelta(hours=offset))
    first, last = datetime.min.replace(tzinfo=zone), datetime.max.replace(tzinfo=zone)
    await put(storage.log, [a_delivery(id="recent", created_at=NOW)])
    assert await all_pages(storage, to=to, since=first, until=first) == [[]]
    assert await all_pages(storage, to=to, since=last, until=last) == [[]]
    assert (await look(storage, to=to, since=first, until=last)).deliveries
    beyond = base64.urlsafe_b64encode(b"999999999999999999~x").decode()
    assert await look(storage, to=to, cursor=beyond) == Page((), None)


async def test_a_page_examines_a_bounded_number_of_deliveries(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.deliveries.search._EXAMINED", 4)
    monkeypatch.setattr("shared.deliveries.search._BATCH", 2)
    others = [a_delivery(id=f"order-{n}", status="sent", created_at=NOW - timedelta(minutes=n)) for n in range(6)]
    wanted = a_delivery(id="wanted", status="delivered", created_at=NOW - timedelta(minutes=9))
    await put(storage.log, [*others, wanted])
    first = await look(storage, to=ALICE, status="delivered")
    assert first.deliveries == ()
    assert first.cursor
    second = await look(storage, to=ALICE, status="delivered", cursor=first.cursor)
    assert [delivery.id for delivery in second.deliveries] == ["wanted"]


async def test_a_delivery_is_found_under_its_present_status_only(storage: Storage) -> None:
    delivery = await storage.log.claim(a_delivery())
    assert delivery is not None
    after = msgspec.structs.replace(delivery, status="retrying")
    delivery = await storage.log.change(delivery, after)
    assert (await look(storage, status="retrying")).deliveries == (delivery,)
    delivery = await storage.log.record(delivery, an_event("failed"))
    assert (await look(storage, status="retrying")).deliveries == ()
    assert (await look(storage, status="failed")).deliveries == (delivery,)


async def test_a_row_that_leads_nowhere_or_to_another_time_is_not_shown(storage: Storage) -> None:
    await storage.lookups.put(keys.day_row(a_delivery(id="never-written")))
    delivery = await storage.log.claim(a_delivery())
    assert await storage.log.claim(a_delivery(attempt="token-2", created_at=NOW - timedelta(hours=1))) is None
    assert await storage.log.claim(a_delivery(attempt="token-3", to=BOB, created_at=NOW)) is None
    assert (await look(storage)).deliveries == (delivery,)
    assert (await look(storage, to=ALICE)).deliveries == (delivery,)
    assert (await look(storage, to=BOB)).deliveries == ()


async def test_a_recipient_that_looks_like_a_filter_is_only_a_recipient(populated: Storage, storage: Storage) -> None:
    assert (await look(populated, to=QUOTED)).deliveries == ()
    await put(storage.log, [a_delivery(id="quoted", to=QUOTED), a_delivery(id="other")])
    assert [delivery.id for delivery in (await look(storage, to=QUOTED)).deliveries] == ["quoted"]


async def test_a_cursor_that_looks_like_a_filter_is_only_a_cursor(populated: Storage) -> None:
    row_key = keys.position(a_delivery(id="x")) + "' or RowKey gt '"
    cursor = base64.urlsafe_b64encode(row_key.encode()).decode()
    assert [delivery.id for delivery in (await look(populated, limit=100, cursor=cursor)).deliveries] == expected()


async def test_values_never_become_part_of_the_filter(storage: Storage) -> None:
    asked: list[str] = []

    class Listening(Table):
        def query(
            self, text: str, *, limit: int | None = None, select: str | None = None, **parameters: object
        ) -> AsyncIterator[Any]:
            asked.append(text)
            return super().query(text, limit=limit, select=select, **parameters)

    lookups = Listening(storage.lookups._client)
    for wanted in (Search(to=QUOTED), Search(status="failed"), Search(since=NOW - timedelta(days=1))):
        await search(wanted, lookups=lookups, log=storage.log, now=NOW, oldest=WEEK)
    assert set(asked) == {"PartitionKey eq @partition and RowKey gt @position and RowKey lt @stop"}


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!", "\u00e9", "Zm9v", base64.urlsafe_b64encode(b"\xff" * 18).decode(), "A" * 9000],
)
async def test_a_cursor_that_is_none_of_ours_is_refused(storage: Storage, cursor: str) -> None:
    with pytest.raises(RequestInvalid, match="cursor"):
        await look(storage, cursor=cursor)


async def test_a_word_that_is_no_status_is_refused(storage: Storage) -> None:
    with pytest.raises(RequestInvalid, match="status: expected one of accepted, busy"):
        await look(storage, status="exploded")


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        (b'{"limit":0}', {"limit"}),
        (b'{"limit":101}', {"limit"}),
        (b'{"limit":"5"}', {"limit"}),
        (b'{"since":"2026-01-01T00:00:00","until":"yesterday","too":"+1"}', {"since", "until", "too"}),
        (b'{"to":5,"status":[],"cursor":{}}', {"to", "status", "cursor"}),
        (b"[]", {"request"}),
    ],
)
def test_a_search_that_can_not_be_read_names_every_fault(document: bytes, faults: set[str]) -> None:
    with pytest.raises(RequestInvalid) as caught:
        read_document(document, Search, longest=10_000)
    assert {fault.field for fault in caught.value.faults} == faults


def test_a_search_is_read_with_its_defaults_and_its_bounds() -> None:
    assert read_document(b"{}", Search, longest=10) == Search(limit=50)
    assert read_document(b'{"limit":100}', Search, longest=100).limit == 100
    assert read_document(b'{"limit":1}', Search, longest=100).limit == 1


async def test_an_inbound_text_is_found_by_the_number_that_it_came_to(storage: Storage) -> None:
    inbound = a_delivery(id=SID, direction="inbound", status="received", sid=SID, to=BOB, from_=ALICE)
    await put(storage.log, [inbound])
    assert [delivery.id for delivery in (await look(storage, to=BOB, status="received")).deliveries] == [SID]
