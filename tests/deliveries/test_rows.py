import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given

from shared.deliveries import rows
from shared.deliveries.record import Delivery, Event
from shared.queues import LARGEST
from shared.tables import Table
from tests.deliveries.samples import NOW, SID, a_delivery, deliveries, events

FULL = a_delivery(
    sid=SID,
    error_code=30005,
    error_message="Unknown destination handset",
    metadata={"order": "1", "name": "Zoë ✓"},
    reasons=("to: is required", "body: is required"),
    named="order-1",
    sequence=3,
    request=b"\xff\x00" * (LARGEST // 2),
    next_attempt_at=datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    claimed_at=datetime(2026, 3, 2, 11, 59, 59, 999999, tzinfo=UTC),
    deadline=datetime(2026, 3, 2, 12, 0, 0, 1, tzinfo=UTC),
    account="AC1",
    looked_at=datetime(2026, 3, 2, 12, 1, 20, 2, tzinfo=UTC),
    unowned_since=datetime(2026, 3, 2, 12, 1, 20, 3, tzinfo=UTC),
    left_at=datetime(2026, 3, 2, 12, 11, 20, 4, tzinfo=UTC),
    expires_at=datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    past_sids=("SM1", "SM2"),
    waits_for="quiet hours",
    origin="news",
    answers="order-0",
    fallback_at=datetime(2026, 3, 2, 12, 5, tzinfo=UTC),
    text="Good morning.",
    encoding="GSM-7",
    segments=1,
    answered_by="machine_end_beep",
    recording_url="https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1",
    recording_seconds=7,
    candidates=("SM3",),
    replayed_at=datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC),
    reopened_at=datetime(2026, 3, 2, 12, 0, 2, tzinfo=UTC),
    callback_form=2,
    cancel_asked_at=datetime(2026, 3, 2, 12, 0, 3, tzinfo=UTC),
    cancel_asked_by="Zoë of night shift",
    erased=True,
    erased_at=datetime(2026, 3, 2, 12, 0, 4, tzinfo=UTC),
    erased_by="privacy desk",
)


@given(deliveries)
def test_a_delivery_is_read_back_as_it_was(delivery: Delivery) -> None:
    assert rows.read_delivery(rows.delivery_row(delivery)) == delivery


@given(events)
def test_an_event_is_read_back_as_it_was(event: Event) -> None:
    assert rows.read_event(rows.event_row("order-1", event)) == event


@given(deliveries, deliveries)
def test_a_merge_of_what_differs_makes_one_delivery_the_other(before: Delivery, after: Delivery) -> None:
    after = msgspec.structs.replace(after, id=before.id)
    merged = rows.delivery_row(before) | rows.changed_row(before, after)
    assert rows.read_delivery(merged) == after


def test_a_change_of_nothing_merges_nothing() -> None:
    assert rows.changed_row(FULL, FULL) == {"PartitionKey": "order-1", "RowKey": "delivery"}


def test_the_layout_is_the_one_that_the_contract_promises() -> None:
    row = rows.delivery_row(FULL)
    promised = {
        "Status",
        "Channel",
        "To",
        "From",
        "Sid",
        "ErrorCode",
        "ErrorMessage",
        "Attempts",
        "CreatedAt",
        "UpdatedAt",
        "Metadata",
    }
    assert promised <= row.keys()
    assert (row["PartitionKey"], row["RowKey"]) == ("order-1", "delivery")
    event = Event(key=f"{SID}:failed", status="failed", at=NOW, sid=SID, error_code=1, error_message="x", raw={"a": 1})
    assert rows.event_row("order-1", event) == {
        "PartitionKey": "order-1",
        "RowKey": f"event:{SID}:failed",
        "Status": "failed",
        "At": NOW,
        "Sid": SID,
        "ErrorCode": 1,
        "ErrorMessage": "x",
        "Raw": '{"a":1}',
    }
    noted = rows.event_row("order-1", msgspec.structs.replace(event, kind="flow"))
    assert noted["Kind"] == "flow"


async def stored(table: Table, row: dict[str, Any]) -> Any:  # noqa: ANN401 - the SDK's own kind of row
    assert await table.insert(row) is not None
    return await table.get(row["PartitionKey"], row["RowKey"])


async def test_storage_gives_every_field_of_a_delivery_back_to_the_microsecond_and_the_byte(table: Table) -> None:
    delivery = msgspec.structs.replace(FULL, id=uuid.uuid4().hex)
    read = rows.read_delivery(await stored(table, rows.delivery_row(delivery)))
    assert read.version
    assert msgspec.structs.replace(read, version=None) == delivery
    assert [name for name, value in msgspec.structs.asdict(delivery).items() if value is None] == ["version"]


async def test_storage_gives_plain_values_back(table: Table) -> None:
    read = rows.read_delivery(await stored(table, rows.delivery_row(a_delivery(id=uuid.uuid4().hex))))
    assert type(read.created_at) is datetime
    assert read.created_at.tzinfo is UTC
    assert type(read.request) is bytes


@pytest.mark.parametrize("micro", [0, 1, 10, 100000, 999999])
async def test_storage_gives_the_moment_of_an_event_back_to_the_microsecond(table: Table, micro: int) -> None:
    event = Event(key="k", status="sent", at=NOW.replace(microsecond=micro), raw={"To": ["a", "b"], "n": None})
    assert rows.read_event(await stored(table, rows.event_row(uuid.uuid4().hex, event))) == event


async def test_a_merge_in_storage_clears_what_is_none_now(table: Table) -> None:
    before = msgspec.structs.replace(FULL, id=uuid.uuid4().hex)
    version = await table.insert(rows.delivery_row(before))
    assert version is not None
    after = Delivery(
        id=before.id,
        direction="outbound",
        status="expired",
        created_at=before.created_at,
        updated_at=NOW + timedelta(seconds=1),
    )
    await table.merge(rows.changed_row(before, after), version=version)
    row = await table.get(before.id, rows.STATE)
    assert row is not None
    read = rows.read_delivery(row)
    assert msgspec.structs.replace(read, version=None) == after


@pytest.mark.parametrize("length", [10, 15_990, 16_000, 60_000])
@pytest.mark.parametrize("letter", ["x", "ß", "語", "🎉", '"'])
async def test_however_much_twilio_said_all_of_it_is_kept(table: Table, length: int, letter: str) -> None:
    event = Event(key=f"{SID}:sent", status="sent", at=NOW, raw={"Body": letter * length, "To": "+1"})
    row = rows.event_row(uuid.uuid4().hex, event)
    assert rows.read_event(await stored(table, row)) == event
    assert all(len(value.encode("utf-16-le")) <= 64 * 1024 for value in row.values() if isinstance(value, str))


def test_what_fits_into_one_property_is_in_one() -> None:
    event = Event(key="k", status="sent", at=NOW, raw={"Body": "x" * 1000})
    assert not [name for name in rows.event_row("order-1", event) if name.startswith("Raw") and name != "Raw"]
