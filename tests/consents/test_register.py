"""What each recipient agreed to, in a real table: found again, by sender, the latest word first."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from shared.consents import Consent, Consents
from shared.consents.consent import State
from shared.deliveries.record import Delivery, Event
from shared.tables import Table
from tests.consents.samples import FROM, MESSAGE, NOW, TO, a_consent
from tests.deliveries.samples import SID, a_delivery, an_event
from tests.fakes import SERVICE_SID
from tests.storage import open_table

SECOND = timedelta(seconds=1)
OTHER = "+14155550198"


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[Table]:
    async with open_table(azurite) as made:
        yield made


async def test_nobody_opted_out_of_anything(table: Table) -> None:
    assert not await Consents(table).is_opted_out(TO, FROM)


async def test_who_opted_out_opted_out_of_that_sender_until_they_opt_in(table: Table) -> None:
    consents = Consents(table)
    for _ in range(2):
        await consents.record(a_consent("opted-out"))
        assert await consents.is_opted_out(TO, FROM)
    assert not await consents.is_opted_out(TO, OTHER)
    assert not await consents.is_opted_out("+14155550101", FROM)
    await consents.record(a_consent("opted-in"))
    assert not await consents.is_opted_out(TO, FROM)


@pytest.mark.parametrize(
    "consent",
    [
        a_consent("opted-out"),
        a_consent("opted-in", how="api", by=None, reason="Asked for it on the phone: “yes, please” 🎉"),
        a_consent("opted-out", to=f"whatsapp:{TO}", sender=SERVICE_SID, how="error-63014", by="delivery order-1"),
    ],
    ids=["by a word", "over HTTP", "by an error"],
)
async def test_when_how_and_by_which_message_it_was_said_is_found_again(table: Table, consent: Consent) -> None:
    assert await Consents(table).record(consent) == consent
    assert await Consents(table).find(consent.to, consent.sender) == [consent]
    assert await Consents(table).find(consent.to) == [consent]


async def test_what_somebody_agreed_to_is_found_for_every_sender_or_one(table: Table) -> None:
    consents = Consents(table)
    said = [a_consent("opted-out"), a_consent("opted-in", sender=OTHER), a_consent("opted-out", sender=SERVICE_SID)]
    for consent in (*said, a_consent("opted-out", to="+14155550101")):
        await consents.record(consent)
    found = await consents.find(TO)
    assert sorted(found, key=lambda consent: consent.sender) == sorted(said, key=lambda consent: consent.sender)
    assert await consents.find(TO, OTHER) == [said[1]]
    assert await consents.find("+14155550102") == await consents.find(TO, "+14155550102") == []


async def test_a_row_of_before_is_read_and_gives_way_to_a_new_one(table: Table) -> None:
    partition = hashlib.sha256(TO.encode()).hexdigest()[:32]
    before = {"PartitionKey": partition, "RowKey": FROM, "To": TO, "State": "out", "At": NOW, "By": "SM1"}
    await table.insert(before)
    consents = Consents(table)
    assert await consents.is_opted_out(TO, FROM)
    assert await consents.find(TO) == [a_consent("opted-out", by="SM1", how=None)]
    await consents.record(a_consent("opted-in", at=NOW + SECOND))
    assert not await consents.is_opted_out(TO, FROM)


SPELLINGS = [
    ("whatsapp:+525512345678", "whatsapp:+5215512345678"),
    ("whatsapp:+5531988887777", "whatsapp:+553188887777"),
    ("whatsapp:+541123456789", "whatsapp:+5491123456789"),
    ("+525512345678", "+5215512345678"),
]
ONE_AND_OTHER = [pair for one, other in SPELLINGS for pair in ((one, other), (other, one))]


@pytest.mark.parametrize(("one", "other"), [*ONE_AND_OTHER, ("rcs:+14155550100", TO), (TO, "rcs:+14155550100")])
async def test_every_spelling_of_a_phone_is_one_recipient(table: Table, one: str, other: str) -> None:
    consents = Consents(table)
    said = await consents.record(a_consent("opted-out", to=one))
    assert await consents.is_opted_out(other, FROM)
    assert await consents.find(other) == await consents.find(one, FROM) == [said]
    again = await consents.record(a_consent("opted-in", to=other, at=NOW + SECOND))
    assert await consents.find(one) == await consents.find(other) == [again]
    assert not await consents.is_opted_out(one, FROM)


@pytest.mark.parametrize(("one", "other"), ONE_AND_OTHER)
async def test_an_own_number_is_one_sender_in_every_spelling(table: Table, one: str, other: str) -> None:
    consents = Consents(table)
    said = await consents.record(a_consent("opted-out", sender=one))
    assert await consents.is_opted_out(TO, other)
    assert await consents.find(TO) == [said]
    assert said.sender == one, "it is shown as it was written"


@pytest.mark.parametrize(("one", "other"), ONE_AND_OTHER)
async def test_a_row_of_before_holds_for_every_spelling_until_something_later_is_said(
    table: Table, one: str, other: str
) -> None:
    partition = hashlib.sha256(one.encode()).hexdigest()[:32]
    await table.insert({"PartitionKey": partition, "RowKey": FROM, "To": one, "State": "out", "At": NOW, "By": "SM1"})
    consents = Consents(table)
    assert await consents.is_opted_out(other, FROM)
    assert await consents.find(other) == [a_consent("opted-out", to=one, by="SM1", how=None)]
    before = a_consent("opted-in", to=other, at=NOW - SECOND)
    assert await consents.record(before) != before
    assert await consents.is_opted_out(other, FROM)
    await consents.record(a_consent("opted-in", to=other, at=NOW + SECOND))
    assert not await consents.is_opted_out(one, FROM)
    assert [consent.state for consent in await consents.find(one)] == ["opted-in"]


async def test_of_two_rows_of_before_the_later_one_holds_and_an_opt_out_of_the_same_moment(table: Table) -> None:
    for number, (state, at) in {"+525512345678": ("in", NOW), "+5215512345678": ("out", NOW)}.items():
        partition = hashlib.sha256(number.encode()).hexdigest()[:32]
        await table.insert({"PartitionKey": partition, "RowKey": FROM, "To": number, "State": state, "At": at})
    [consent] = await Consents(table).find("+525512345678")
    assert consent.state == "opted-out"


async def test_whatsapp_and_texts_are_two_ways_with_a_consent_each(table: Table) -> None:
    await Consents(table).record(a_consent("opted-out", to="whatsapp:+5215512345678"))
    assert not await Consents(table).is_opted_out("+5215512345678", FROM)


async def test_its_columns_are_these_and_no_key_shows_the_recipient(table: Table) -> None:
    await Consents(table).record(a_consent("opted-out", reason="Said so"))
    [row] = [row async for row in table.query("PartitionKey ge @first", first="")]
    assert set(row) == {"PartitionKey", "RowKey", "To", "State", "At", "By", "How", "Reason"}
    assert (row["By"], row["To"], row["State"], row["How"]) == (MESSAGE, TO, "out", "keyword")
    assert "5550100" not in row["PartitionKey"] + row["RowKey"]


async def test_the_latest_word_holds_in_whichever_order_they_are_heard(table: Table) -> None:
    consents = Consents(table)
    first = await consents.record(a_consent("opted-in"))
    assert await consents.record(a_consent("opted-out", at=NOW - SECOND)) == first
    assert not await consents.is_opted_out(TO, FROM)
    await consents.record(a_consent("opted-out", at=NOW + SECOND))
    await consents.record(a_consent("opted-in"))
    assert await consents.is_opted_out(TO, FROM)


async def test_of_many_words_at_once_the_latest_holds(table: Table) -> None:
    consents = Consents(table)
    words = [a_consent("opted-out", at=NOW + n * SECOND, by=f"SM{n}") for n in range(5)]
    latest = a_consent("opted-in", at=NOW + 9 * SECOND)
    await asyncio.gather(*map(consents.record, [latest, *words]))
    assert await consents.find(TO) == [latest]


async def test_the_word_that_began_a_state_is_kept_while_the_state_stays(table: Table) -> None:
    consents = Consents(table)
    said: list[tuple[int, State, str, str]] = [
        (0, "opted-out", "SM1", "SM1"),
        (1, "opted-out", "SM2", "SM1"),
        (1, "opted-out", "SM2", "SM1"),
        (2, "opted-out", "SM3", "SM1"),
        (3, "opted-in", "SM4", "SM4"),
        (4, "opted-out", "SM5", "SM5"),
    ]
    for seconds, state, by, began_by in said:
        held = await consents.record(a_consent(state, at=NOW + seconds * SECOND, by=by))
        assert (held.by, held.began_by) == (by, began_by)
        assert await consents.find(TO, FROM) == [held]


async def test_a_word_after_a_row_of_before_does_not_begin_its_state(table: Table) -> None:
    partition = hashlib.sha256(TO.encode()).hexdigest()[:32]
    await table.insert({"PartitionKey": partition, "RowKey": FROM, "To": TO, "State": "out", "At": NOW, "By": "SM1"})
    held = await Consents(table).record(a_consent("opted-out", at=NOW + SECOND, by="SM2"))
    assert (held.by, held.began_by) == ("SM2", "SM1")


@pytest.mark.parametrize("code", [21610, 63014])
@pytest.mark.parametrize("word", ["failed", "undelivered", "suppressed"])
async def test_an_event_that_says_so_holds_texts_from_that_sender_back(table: Table, word: str, code: int) -> None:
    await Consents(table).heed(a_delivery(), an_event(word, error_code=code))
    assert await Consents(table).is_opted_out(TO, FROM)
    [consent] = await Consents(table).find(TO)
    assert (consent.how, consent.by) == (f"error-{code}", "delivery order-1")


async def test_a_refusal_counts_from_when_the_text_was_sent_and_not_from_when_it_began_to_wait(table: Table) -> None:
    consents = Consents(table)
    await consents.record(a_consent("opted-in"))
    waited = a_delivery(created_at=NOW - SECOND, claimed_at=NOW + SECOND)
    await consents.heed(waited, an_event("failed", error_code=21610))
    assert await consents.is_opted_out(TO, FROM)


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
            await consents.record(a_consent("opted-out", at=NOW + seconds * SECOND))
        await consents.record(a_consent("opted-in", at=NOW + 2 * SECOND))
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.INFO, f"texts to +141…00 from +141…99: opted-out, by {SID}, how: keyword"),
        (logging.INFO, f"texts to +141…00 from +141…99: opted-in, by {SID}, how: keyword"),
    ]


async def test_the_name_of_who_sets_a_wish_over_http_is_in_no_log_line(
    table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "shared"):
        await Consents(table).record(Consent(to=TO, sender=FROM, state="opted-out", at=NOW, by="Ada", how="api"))
    assert [record.getMessage() for record in caplog.records] == ["texts to +141…00 from +141…99: opted-out, how: api"]


@pytest.mark.parametrize(
    "sender",
    ["sip:desk@example.com/a?b#c", "a\\b", "messenger:\x01", "x" * 3_000, "sip:" + "😀" * 600],
    ids=["marks", "backslash", "control", "long", "astral"],
)
async def test_a_sender_that_no_key_can_hold_is_opted_out_of_like_any_other(table: Table, sender: str) -> None:
    consents = Consents(table)
    said = Consent(to=TO, sender=sender, state="opted-out", at=NOW, by="SM1", how="keyword")
    assert await consents.record(said) == said
    assert await consents.is_opted_out(TO, sender)
    assert not await consents.is_opted_out(TO, sender[:-1])
    assert await consents.find(TO) == [said] == await consents.find(TO, sender)


async def test_a_recipient_of_any_length_opts_out(table: Table) -> None:
    consents = Consents(table)
    recipient = "sip:" + "✓" * 40_000
    await consents.record(Consent(to=recipient, sender=FROM, state="opted-out", at=NOW))
    assert await consents.is_opted_out(recipient, FROM)
