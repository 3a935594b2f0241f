from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from shared.consents import START, STOP, Consents, wish
from shared.tables import Table
from tests.storage import open_table

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
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
