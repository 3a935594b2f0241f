"""The limits of a row: every writer keeps to them, whatever comes from outside, and no test writes a larger row."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agenda import Agenda, DeliveryDue, ScheduleDue
from shared.consents.consent import Consent, from_row, to_row
from shared.deliveries import keys, rows
from shared.deliveries.record import Delivery, Event
from shared.table_service import limits
from shared.table_service.limits import CUT, as_key, check, cut, units
from shared.table_service.rows import Entity, Row, encode
from shared.tables import Table
from tests.deliveries.samples import NOW, a_delivery
from tests.storage import open_table

# the values of a failing example are long on purpose
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
examples = settings(max_examples=40)
KEYS = {"PartitionKey": "p", "RowKey": "r"}
MANY = 70_000
pieces = st.sampled_from(["x", "é", "✓", "😀", '"', "\\", "\x01", "/", "#", "?", "-1 "])
lengths = st.sampled_from([0, 1, 40, 512, 3_993, 4_000, 16_000, 32_768, MANY])
texts = st.builds(lambda piece, length: piece * length, pieces, lengths)
filled = st.builds(lambda piece, length: piece * length, pieces, lengths.filter(bool))
ids = st.from_regex("[A-Za-z0-9][A-Za-z0-9._:~-]{0,199}", fullmatch=True)
moments = st.datetimes(timezones=st.just(UTC))
written_moments = st.datetimes(datetime(1970, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
numbers = st.integers(-(10**30), 10**30)
many = st.builds(lambda text, count: (text,) * count, texts, st.sampled_from([0, 1, 100]))
objects = st.dictionaries(texts, texts | numbers | st.lists(texts, max_size=3), max_size=3)

deliveries = st.builds(
    Delivery,
    id=ids,
    channel=st.sampled_from(["sms", "call", None]),
    direction=st.sampled_from(["outbound", "inbound"]),
    status=filled,
    created_at=written_moments,
    updated_at=written_moments,
    to=texts,
    from_=texts,
    sid=texts,
    error_code=numbers,
    error_message=texts,
    metadata=st.dictionaries(texts, texts, max_size=3),
    reasons=many,
    named=texts,
    request=st.binary(max_size=10) | st.just(b"x" * limits.LARGEST_PROPERTY),
    next_attempt_at=written_moments,
    waits_for=texts,
    origin=texts,
    answers=texts,
    text=texts,
    answered_by=ids,
    recording_url=texts,
    past_sids=many,
    candidates=many,
)
events = st.builds(
    Event,
    key=texts,
    status=filled,
    at=moments,
    sid=texts,
    error_code=numbers,
    error_message=texts,
    raw=objects,
)
consents = st.builds(
    Consent,
    to=texts,
    sender=texts,
    state=st.just("opted-out"),
    at=written_moments,
    by=ids,
    how=st.just("opt-out-type"),
    reason=texts,
)
LARGE = "x" * MANY
LARGEST_DELIVERY = msgspec.structs.replace(
    a_delivery(id="x" * 200, request=b"x" * limits.LARGEST_PROPERTY),
    **{
        field.name: LARGE
        for field in msgspec.structs.fields(Delivery)
        if "str | None" in str(field.type) or field.type == (str | None)
    },
    metadata={LARGE: LARGE},
    reasons=(LARGE,) * 100,
    past_sids=(LARGE,) * 100,
    candidates=(LARGE,) * 100,
)


def row_of(row: Entity) -> Row:
    return Row(row, etag=None)


@examples
@given(deliveries, deliveries)
def test_every_row_of_a_delivery_fits(before: Delivery, after: Delivery) -> None:
    check(rows.delivery_row(before))
    check(rows.changed_row(before, after))
    assert rows.read_delivery(rows.delivery_row(before)).request == before.request


@examples
@given(deliveries, deliveries)
def test_a_delivery_that_was_changed_is_read_as_one_that_was_written(before: Delivery, after: Delivery) -> None:
    after = msgspec.structs.replace(after, id=before.id)
    merged = {**rows.delivery_row(before), **rows.changed_row(before, after)}
    check(merged)
    assert rows.read_delivery(merged) == rows.read_delivery(rows.delivery_row(after))


def test_the_largest_delivery_fits() -> None:
    row = rows.delivery_row(LARGEST_DELIVERY)
    assert sum(isinstance(value, str) and value.endswith(CUT) for value in row.values()) > 10
    check(row)
    encode(row)


@examples
@given(deliveries, events)
def test_every_event_fits(delivery: Delivery, event: Event) -> None:
    row = rows.event_row(delivery.id, event)
    check(row)
    encode(row)
    rows.read_event(row)


@pytest.mark.parametrize("piece", ["x", '"', "\x01", "😀"])
def test_the_largest_event_fits_and_tells_its_beginning(piece: str) -> None:
    event = Event(key="k", status=LARGE, at=NOW, sid=LARGE, error_message=LARGE, raw={"Body": piece * 500_000})
    row = rows.event_row("order-1", event)
    check(row)
    assert rows.read_event(row).raw["cut"].endswith(CUT)


@pytest.mark.parametrize("piece", ["x", "é", "✓", "😀"])
def test_a_form_of_the_largest_size_is_kept_whole(piece: str) -> None:
    raw = {"Body": piece * (64 * 1024 // len(piece.encode()))}
    row = rows.event_row("order-1", Event(key="k", status="sent", at=NOW, raw=raw))
    check(row)
    assert rows.read_event(row).raw == raw


@examples
@given(deliveries, written_moments, texts)
def test_every_lookup_fits(delivery: Delivery, moment: datetime, sid: str) -> None:
    check(keys.owner_row(sid, delivery.id))
    for row_of in (keys.open_row, keys.day_row, keys.recipient_row):
        check(row_of(delivery))
    check(keys.late_row(delivery, moment))
    check(keys.reply_row(delivery.to or "", delivery.id, moment))
    check(keys.open_row(msgspec.structs.replace(delivery, reopened_at=moment)))


@examples
@given(consents)
def test_every_consent_fits_and_is_read_as_far_as_it_is_kept(consent: Consent) -> None:
    row = to_row(consent)
    check(row)
    read = from_row(row_of(row))
    assert read.sender == cut(consent.sender, 4_000)
    assert (read.to, read.state) == (cut(consent.to, 4_000), consent.state)


@pytest.mark.parametrize("due", [DeliveryDue("x" * 200), ScheduleDue("x" * 100, "0" * 32)])
async def test_every_row_of_the_agenda_fits(azurite: str, due: DeliveryDue | ScheduleDue) -> None:
    async with open_table(azurite) as table:
        await Agenda(table).put(due, NOW)
        later = NOW + timedelta(seconds=1)
        assert [entry.what async for entry in Agenda(table).due(later, limit=5)] == [due]


@examples
@given(texts, st.integers(10, 5_000))
def test_a_text_is_cut_to_utf_16_units_and_says_so(text: str, most: int) -> None:
    left = cut(text, most)
    assert units(left) <= most
    assert left == text or (left.endswith(CUT) and text.startswith(left.removesuffix(CUT)))
    left.encode()


@examples
@given(texts, texts)
def test_a_key_stands_for_one_text(one: str, other: str) -> None:
    check({"PartitionKey": as_key(one), "RowKey": as_key(other)})
    assert (as_key(one) == as_key(other)) == (one == other)
    assert as_key(as_key(one)) == as_key(one)


OVER = [
    ("a text of 64 KiB and two bytes", {"A": "x" * (32 * 1024 + 1)}, "A: expected at most 65536 bytes, got 65538"),
    ("a text of astral characters", {"A": "😀" * (16 * 1024 + 1)}, "A: expected at most 65536 bytes, got 65540"),
    ("bytes of more than 64 KiB", {"A": b"x" * (64 * 1024 + 1)}, "A: expected at most 65536 bytes, got 65537"),
    ("more than 1 MiB in all", {f"A{n}": "x" * 32_000 for n in range(17)}, "a row of at most 1048576 bytes"),
    ("more than 252 properties beside the keys", {f"A{n}": 1 for n in range(253)}, "at most 254 properties, got 255"),
    ("a long name", {"A" * 256: 1}, "a property name of at most 255 characters, got 256"),
    ("a long key", {"RowKey": "x" * 513}, "RowKey: expected at most 1024 bytes, got 1026"),
    *(
        (f"a key with {mark!r}", {"RowKey": f"a{mark}b"}, "RowKey: expected a key without")
        for mark in "/\\#?\x00\t\x7f\x9f"
    ),
    ("a moment before Azure's time", {"A": datetime(1600, 12, 31, tzinfo=UTC)}, "A: expected a moment from 1601 on"),
]


@pytest.mark.parametrize(("more", "problem"), [case[1:] for case in OVER], ids=[case[0] for case in OVER])
async def test_no_test_writes_what_azure_refuses(azurite: str, more: Entity, problem: str) -> None:
    row = {**KEYS, **more}
    async with open_table(azurite) as table:
        version = await table.insert(KEYS)
        assert version is not None
        writes: list[Callable[[Table], object]] = [
            lambda table: table.insert(row),
            lambda table: table.put(row),
            lambda table: table.merge(row, version=version),
            lambda table: table.replace(row, version=version),
        ]
        for write in writes:
            with pytest.raises(ValueError, match=problem):
                await write(table)  # type: ignore[misc]  # each is a coroutine


def test_a_row_at_every_limit_is_taken() -> None:
    check({**KEYS, "A": "x" * (32 * 1024), "B": b"x" * (64 * 1024), "C" * 255: 1, "D": limits.EARLIEST})
    check({**KEYS, **{f"A{n}": 1 for n in range(252)}})
    check({"PartitionKey": "x" * 512, "RowKey": "x" * 512})
    check({**KEYS, "A": None, "B": NOW + timedelta(days=1)})
