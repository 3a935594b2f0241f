"""Searches by sender, by either end, and by what else a delivery is: the same answer with the index and without."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import pytest

from shared.deliveries import keys, rows
from shared.deliveries.address_index import AddressIndex
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.deliveries.search import Page, Search, held_by, search
from tests.deliveries.samples import NOW, a_delivery, an_event
from tests.fakes import a_sid
from tests.storage import Storage, open_storage

ALICE, BOB, OURS, OTHER_OF_OURS = "+14155550100", "+14155550101", "+14155550199", "+14155550198"
WEEK: Final = NOW - timedelta(days=7)
UPDATED_AT: Final = NOW - timedelta(days=3)
"""the rows of what is older are those of an earlier version"""


def an_outbound(number: int, **more: Any) -> Delivery:  # noqa: ANN401 - as of a delivery
    plain = a_delivery(id=f"order-{number}", from_=OURS, status="delivered")
    return msgspec.structs.replace(plain, **more)


def an_inbound(number: int, **more: Any) -> Delivery:  # noqa: ANN401 - as of a delivery
    told: dict[str, Any] = {"to": OURS, "from_": ALICE, "status": "received", "direction": "inbound", **more}
    sid = f"SM{number:032x}"
    return a_delivery(id=sid, sid=sid, request=None, request_hash=None, attempt=None, **told)


def a_refused(number: int, **more: Any) -> Delivery:  # noqa: ANN401 - as of a delivery
    told: dict[str, Any] = {"to": ALICE, "from_": None, **more}
    plain = an_outbound(number, id=f"message-{number}", status="rejected", request_hash=None, named="wanted", **told)
    return msgspec.structs.replace(plain, request=b'{"to": "%s"}' % (plain.to or "").encode())


def a_population() -> list[Delivery]:
    chance = random.Random(11)  # noqa: S311 - the same ones each time
    made: list[Delivery] = []
    for n in range(90):
        person = chance.choice([ALICE, BOB, f"whatsapp:{ALICE}"])
        at = NOW - timedelta(hours=chance.randrange(160))
        more: dict[str, Any] = {"created_at": at, "channel": chance.choice(["sms", "call"])}
        match chance.randrange(4):
            case 0:
                made.append(an_inbound(n, from_=person, **more))
            case 1:
                made.append(a_refused(n, to=person, **more))
            case 2:
                more |= {"status": "failed", "error_code": chance.choice([30003, 30005])}
                made.append(an_outbound(n, to=person, from_=OTHER_OF_OURS, **more))
            case _:
                made.append(an_outbound(n, to=person, origin=chance.choice([None, "schedule:news"]), **more))
    return made


POPULATION: Final = a_population()


async def as_an_earlier_version(storage: Storage, delivery: Delivery) -> None:
    """Put a delivery on record as it was before there was an index of senders and of rejected messages."""
    if delivery.is_refused:
        delivery = msgspec.structs.replace(delivery, to=None, from_=None)
    listed = [keys.day_row(delivery), keys.status_row(delivery)]
    for row in [*listed, *([keys.recipient_row(delivery)] if delivery.to else [])]:
        await storage.lookups.put(row)
    await storage.deliveries.insert(rows.delivery_row(delivery))


async def put(storage: Storage, deliveries: list[Delivery]) -> None:
    log = DeliveryLog(storage.deliveries, storage.lookups, index=AddressIndex(storage.lookups, own=[OURS]))
    for delivery in deliveries:
        if delivery.created_at < UPDATED_AT:
            await as_an_earlier_version(storage, delivery)
        elif delivery.direction == "outbound" and not delivery.is_refused:
            await log.claim(delivery)
        else:
            await log.file(delivery, an_event(delivery.status))


@pytest.fixture(scope="module", params=["in the index", "day by day", "of two versions"])
async def populated(azurite: str, request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """The same deliveries, with an index that is complete, with none that is known to be, and with one since then."""
    async with open_storage(azurite) as storage:
        if request.param == "of two versions":
            await put(storage, POPULATION)
            await AddressIndex(storage.lookups).begin(UPDATED_AT - timedelta(hours=1))
        else:
            later = [each for each in POPULATION if each.created_at >= UPDATED_AT]
            earlier = [each for each in POPULATION if each.created_at < UPDATED_AT]
            await put(storage, later)
            await asyncio.gather(*(storage.log.file(each, an_event(each.status)) for each in earlier))
        if request.param == "in the index":
            await AddressIndex(storage.lookups).begin(WEEK - timedelta(days=1))
        yield storage


async def look(storage: Storage, **wanted: Any) -> Page:  # noqa: ANN401 - a search's fields
    index = AddressIndex(storage.lookups, own=[OURS])
    return await search(Search(**wanted), lookups=storage.lookups, log=storage.log, now=NOW, oldest=WEEK, index=index)


async def all_found(storage: Storage, **wanted: Any) -> list[str]:  # noqa: ANN401 - a search's fields
    found: list[str] = []
    cursor: str | None = None
    for _ in range(100):
        page = await look(storage, cursor=cursor, limit=7, **wanted)
        found += [delivery.id for delivery in page.deliveries]
        cursor = page.cursor
        if cursor is None:
            return found
    pytest.fail("the search never ends")


def expected(wanted: dict[str, Any]) -> list[str]:
    def matches(delivery: Delivery) -> bool:
        ends = {delivery.to, delivery.from_}
        by_address = {
            "to": {delivery.to},
            "from_": {delivery.from_},
            "address": ends,
        }
        return all(
            value in by_address[name] if name in by_address else getattr(delivery, name) == value
            for name, value in wanted.items()
        )

    found = sorted(filter(matches, POPULATION), key=lambda each: (-each.created_at.timestamp(), each.id))
    return [delivery.id for delivery in found]


@pytest.mark.parametrize(
    "wanted",
    [
        {"address": ALICE},
        {"address": f"whatsapp:{ALICE}"},
        {"address": ALICE, "status": "rejected"},
        {"address": OURS},
        {"address": OTHER_OF_OURS},
        {"from_": ALICE},
        {"from_": BOB, "direction": "inbound"},
        {"from_": OURS},
        {"from_": BOB},
        {"from_": OTHER_OF_OURS, "to": ALICE},
        {"from_": OTHER_OF_OURS, "error_code": 30003},
        {"direction": "inbound"},
        {"direction": "outbound", "channel": "call"},
        {"channel": "sms"},
        {"error_code": 30005},
        {"error_code": 30005, "status": "failed", "to": BOB},
        {"origin": "schedule:news"},
        {"origin": "schedule:news", "address": BOB},
    ],
    ids=str,
)
async def test_a_search_finds_what_matches_and_all_of_it(populated: Storage, wanted: dict[str, Any]) -> None:
    assert expected(wanted), "there is something to find"
    assert await all_found(populated, **wanted) == expected(wanted)


async def test_all_that_a_person_has_is_found_on_every_channel(populated: Storage) -> None:
    digests = (*keys.digests(ALICE), *keys.digests(f"whatsapp:{ALICE}"))
    found: list[str] = []
    cursor: str | None = None
    for _ in range(100):
        page = await held_by(
            digests,
            lookups=populated.lookups,
            log=populated.log,
            index=AddressIndex(populated.lookups),
            region=None,
            until=NOW,
            oldest=WEEK,
            cursor=cursor,
            limit=7,
        )
        found += [delivery.id for delivery in page.deliveries]
        cursor = page.cursor
        if cursor is None:
            break
    both = {*expected({"address": ALICE}), *expected({"address": f"whatsapp:{ALICE}"})}
    assert sorted(found) == sorted(both)


@pytest.mark.parametrize("age", [timedelta(days=8), timedelta(days=400)])
async def test_what_is_older_than_the_days_that_are_kept_is_found_by_its_recipient(
    azurite: str, age: timedelta
) -> None:
    """A delivery without a final status stays for longer than its day is listed."""
    async with open_storage(azurite) as storage:
        old = an_outbound(1, to=ALICE, created_at=NOW - age)
        await storage.log.claim(old)
        for partition in keys.day_partitions(old.created_at.date()):
            await storage.lookups.delete(partition, keys.position(old))
        cursor, found = None, []
        while True:
            page = await held_by(
                keys.digests(ALICE),
                lookups=storage.lookups,
                log=storage.log,
                index=AddressIndex(storage.lookups),
                region=None,
                until=NOW,
                oldest=WEEK,
                cursor=cursor,
                limit=10,
            )
            found += [delivery.id for delivery in page.deliveries]
            cursor = page.cursor
            if cursor is None:
                break
        assert found == [old.id]


async def listed(storage: Storage, *kinds: str) -> list[str]:
    found = [row for kind in kinds for row in await storage.rows(storage.lookups, since=f"{kind}:", before=f"{kind};")]
    return [row["PartitionKey"] for row in found]


async def test_a_request_has_no_row_for_its_sender_and_a_new_sender_is_remembered_once(azurite: str) -> None:
    async with open_storage(azurite) as storage:
        index = AddressIndex(storage.lookups, own=[OURS])
        log = DeliveryLog(storage.deliveries, storage.lookups, index=index)
        for number, sender in enumerate([OURS, OTHER_OF_OURS, OTHER_OF_OURS, f"whatsapp:{OURS}"]):
            await log.claim(an_outbound(number, from_=sender))
        assert await listed(storage, "from") == []
        assert len(await storage.rows(storage.lookups, since="sender", before="sendes")) == 1
        another_process = AddressIndex(storage.lookups)
        assert await another_process.is_ours(f"whatsapp:{OTHER_OF_OURS}")
        assert not await another_process.is_ours(ALICE)


async def test_a_reply_has_no_row_for_its_sender_which_is_ours(azurite: str) -> None:
    async with open_storage(azurite) as storage:
        reply = an_inbound(1, direction="outbound", to=ALICE, from_=OURS, answers=a_sid(), status="sent")
        await storage.log.file(reply, an_event("sent", sid=reply.sid))
        assert await listed(storage, "from") == []


@pytest.mark.parametrize(
    "delivery", [an_inbound(1), a_refused(2, mentions=(BOB,)), an_outbound(3)], ids=["inbound", "rejected", "outbound"]
)
async def test_an_erasure_takes_out_every_row_that_finds_by_an_address_or_by_a_named_id(
    azurite: str, delivery: Delivery
) -> None:
    async with open_storage(azurite) as storage:
        filed = await storage.log.file(delivery, an_event(delivery.status))
        assert await listed(storage, "from", "to", "about", "named") != []
        await storage.log.erase(filed, now=NOW)
        assert await listed(storage, "from", "to", "about", "named") == []


async def test_what_comes_again_later_leaves_no_second_row(azurite: str) -> None:
    async with open_storage(azurite) as storage:
        for delivery in (an_inbound(1), a_refused(2)):
            for seconds in (0, 5):
                again = msgspec.structs.replace(delivery, created_at=delivery.created_at + timedelta(seconds=seconds))
                await storage.log.file(again, an_event(delivery.status))
        assert len(await listed(storage, "from")) == len(await listed(storage, "about")) == 1
        assert len(await listed(storage, "named")) == 1


async def test_the_rejections_of_an_id_come_newest_first_and_end_with_their_erasure(azurite: str) -> None:
    async with open_storage(azurite) as storage:
        filed = [
            await storage.log.file(a_refused(number, created_at=NOW + timedelta(seconds=number)), an_event("rejected"))
            for number in range(3)
        ]
        assert await storage.log.rejections_of("wanted") == ["message-2", "message-1", "message-0"]
        await storage.log.erase(filed[1], now=NOW)
        assert await storage.log.rejections_of("wanted") == ["message-2", "message-0"]
        assert await storage.log.rejections_of("unwanted") == []


async def test_the_index_is_complete_from_an_hour_after_the_first_run_on(azurite: str) -> None:
    async with open_storage(azurite) as storage:
        index = AddressIndex(storage.lookups)
        assert await index.complete_since() is None
        for days in (0, 1, 2):
            await AddressIndex(storage.lookups).begin(NOW + timedelta(days=days))
        since: datetime | None = await index.complete_since()
        assert since == NOW + timedelta(hours=1)
