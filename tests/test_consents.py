import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.consents import START, STOP, Consents, wish
from shared.deliveries.record import Delivery, Event
from shared.tables import Table
from tests.deliveries.samples import SID, a_delivery, an_event
from tests.fakes import SERVICE_SID
from tests.storage import open_table

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TO, FROM = "+14155550100", "+14155550199"


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[Table]:
    async with open_table(azurite) as made:
        yield made


@pytest.mark.parametrize("word", sorted(STOP))
def test_the_words_that_stop(word: str) -> None:
    assert {wish(text, None) for text in (word, word.lower(), f" {word.title()}\n")} == {False}


@pytest.mark.parametrize("word", sorted(START))
def test_the_words_that_start(word: str) -> None:
    assert {wish(text, None) for text in (word, word.lower(), f" {word.title()}\n")} == {True}


@pytest.mark.parametrize("text", ["", None, "STOP it", "please stop", "HELP", "INFO", "YES please", "stop.", "12"])
def test_only_a_whole_message_is_a_word(text: str | None) -> None:
    assert wish(text, None) is None


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [("Arrêt", "STOP", False), ("Hallo", "START", True), ("Hilfe", "HELP", None), ("STOP", "HELP", None)],
)
def test_what_advanced_opt_out_made_of_it_goes_before_the_text(body: str, kind: str, expected: object) -> None:
    assert wish(body, kind) is expected


async def test_nobody_opted_out_of_anything(table: Table) -> None:
    assert not await Consents(table).is_opted_out(TO, FROM)


async def test_who_opted_out_opted_out_of_that_sender_until_they_opt_in(table: Table) -> None:
    consents = Consents(table)
    for _ in range(2):
        await consents.opt_out(TO, FROM, at=NOW, by="SM1")
        assert await consents.is_opted_out(TO, FROM)
    assert not await consents.is_opted_out(TO, "+14155550198")
    assert not await consents.is_opted_out("+14155550101", FROM)
    await consents.opt_in(TO, FROM, at=NOW, by="SM2")
    assert not await consents.is_opted_out(TO, FROM)


async def test_who_said_so_and_when_is_on_record_and_no_key_shows_the_recipient(table: Table) -> None:
    await Consents(table).opt_out(TO, FROM, at=NOW, by="delivery order-1")
    [row] = [row async for row in table.query("PartitionKey ge @first", first="")]
    assert (row["By"], row["To"], row["State"]) == ("delivery order-1", TO, "out")
    assert datetime.fromisoformat(row["At"].isoformat()) == NOW
    assert "5550100" not in row["PartitionKey"] + row["RowKey"]


async def test_the_latest_word_holds_in_whichever_order_they_are_heard(table: Table) -> None:
    consents = Consents(table)
    await consents.opt_in(TO, FROM, at=NOW, by="SM1")
    await consents.opt_out(TO, FROM, at=NOW - SECOND, by="SM2")
    assert not await consents.is_opted_out(TO, FROM)
    await consents.opt_out(TO, FROM, at=NOW + SECOND, by="SM3")
    await consents.opt_in(TO, FROM, at=NOW, by="SM1")
    assert await consents.is_opted_out(TO, FROM)


async def test_of_many_words_at_once_the_latest_holds(table: Table) -> None:
    consents = Consents(table)
    words = [consents.opt_out(TO, FROM, at=NOW + n * SECOND, by=f"SM{n}") for n in range(5)]
    await asyncio.gather(consents.opt_in(TO, FROM, at=NOW + 9 * SECOND, by="SM9"), *words)
    assert not await consents.is_opted_out(TO, FROM)


@pytest.mark.parametrize("code", [21610, 63014])
@pytest.mark.parametrize("word", ["failed", "undelivered", "suppressed"])
async def test_an_event_that_says_so_holds_texts_from_that_sender_back(table: Table, word: str, code: int) -> None:
    await Consents(table).heed(a_delivery(), an_event(word, error_code=code))
    assert await Consents(table).is_opted_out(TO, FROM)


@pytest.mark.parametrize(
    ("delivery", "event"),
    [
        (a_delivery(), an_event("failed", error_code=30003)),
        (a_delivery(), an_event("delivered", error_code=21610)),
        (a_delivery(), an_event("retrying", sid=None, error_code=21610)),
        (a_delivery(past_sids=(SID,)), an_event("failed", error_code=21610)),
        (a_delivery(channel="call"), an_event("failed", error_code=21610)),
        (a_delivery(direction="inbound"), an_event("failed", error_code=21610)),
    ],
    ids=["another code", "a code of before", "a replay", "an earlier attempt", "a call", "what came in"],
)
async def test_other_events_hold_nothing_back(table: Table, delivery: Delivery, event: Event) -> None:
    await Consents(table).heed(delivery, event)
    assert [row async for row in table.query("PartitionKey ge @first", first="")] == []


@pytest.mark.parametrize("name", ["MessagingServiceSid", "messaging_service_sid"])
async def test_of_what_others_sent_through_a_service_the_service_is_held_back(table: Table, name: str) -> None:
    event = msgspec.structs.replace(an_event("failed", error_code=21610), raw={name: SERVICE_SID})
    await Consents(table).heed(a_delivery(request=None), event)
    assert await Consents(table).is_opted_out(TO, SERVICE_SID)
    assert not await Consents(table).is_opted_out(TO, FROM)


async def test_each_change_of_a_wish_is_told_once_and_shows_no_number(
    table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    consents = Consents(table)
    with caplog.at_level(logging.INFO, "shared"):
        for seconds in (0, 1):
            await consents.opt_out(TO, FROM, at=NOW + seconds * SECOND, by="SM1")
        await consents.opt_in(TO, FROM, at=NOW + 2 * SECOND, by="SM2")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.INFO, "texts to +141…00 from +141…99: opted out"),
        (logging.INFO, "texts to +141…00 from +141…99: opted in"),
    ]
