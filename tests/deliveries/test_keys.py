import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries import keys
from tests.deliveries.samples import SID, a_delivery, deliveries

moments = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
ids = st.from_regex("[A-Za-z0-9][A-Za-z0-9._:~-]{0,99}", fullmatch=True)


@given(moments, moments, ids, ids)
def test_the_newest_stands_first_and_the_id_decides_between_twins(
    one: datetime, other: datetime, id_: str, other_id: str
) -> None:
    positions = [
        (moment, name, keys.position(a_delivery(id=name, created_at=moment)))
        for moment, name in ((one, id_), (other, other_id))
    ]
    by_key = sorted(positions, key=lambda item: item[2])
    assert by_key == sorted(sorted(positions, key=lambda item: item[1]), key=lambda item: item[0], reverse=True)


@given(moments, ids)
def test_a_position_lies_between_the_bounds_of_its_own_moment_and_of_no_other(moment: datetime, id_: str) -> None:
    position = keys.position(a_delivery(id=id_, created_at=moment))
    tick = timedelta(microseconds=1)
    assert keys.before(moment) < position < keys.after(moment)
    assert position > keys.after(moment + tick)
    assert position < keys.before(moment - tick)


@given(moments, ids)
def test_a_position_says_whose_it_is_and_on_which_day(moment: datetime, id_: str) -> None:
    position = keys.position(a_delivery(id=id_, created_at=moment))
    assert keys.delivery_at(position) == id_
    assert keys.day_of(position) == moment.date()
    assert keys.day_of(keys.before(moment)) == moment.date()
    assert keys.day_of(keys.after(keys.midnight(moment.date()))) == moment.date()


@given(deliveries)
def test_each_row_stands_in_one_of_the_partitions_that_a_search_reads(delivery: object) -> None:
    assert isinstance(delivery, type(a_delivery()))
    day = delivery.created_at.date()
    assert keys.day_row(delivery)["PartitionKey"] in keys.day_partitions(day)
    assert keys.status_row(delivery)["PartitionKey"] in keys.status_partitions(delivery.status, day)
    assert keys.recipient_row(delivery)["PartitionKey"] == keys.recipient_partition(delivery.to or "")
    assert keys.delivery_at(keys.open_row(delivery)["RowKey"]) == delivery.id


def test_a_day_is_spread_over_several_partitions() -> None:
    rows = [keys.day_row(a_delivery(id=f"order-{n}")) for n in range(200)]
    assert {row["PartitionKey"] for row in rows} == set(keys.day_partitions(a_delivery().created_at.date()))


def test_no_number_stands_in_a_key() -> None:
    delivery = a_delivery()
    for row in (keys.day_row(delivery), keys.recipient_row(delivery), keys.status_row(delivery)):
        assert "4155550100" not in str(row)


def test_every_spelling_of_a_phone_has_one_partition_and_those_of_earlier_versions_are_read() -> None:
    one, other = "+525512345678", "+5215512345678"
    assert keys.recipient_partition(one) == keys.recipient_partition(other)
    before = [f"to:{hashlib.sha256(number.encode()).hexdigest()[:32]}" for number in (one, other)]
    assert keys.recipient_partitions(one) == keys.recipient_partitions(other) == before
    assert keys.recipient_partition(one) == before[0]
    assert keys.recipient_partitions("+14155550100") == [keys.recipient_partition("+14155550100")], (
        "nothing more is read"
    )


def test_a_key_holds_nothing_that_a_table_refuses() -> None:
    for address in ("+14155550100", "client:a/b#c?d\\e", "\x00", "O'Neill"):
        assert not set("/\\#?'\x00") & set(keys.recipient_partition(address))


def test_midnight_is_utc() -> None:
    assert keys.midnight(date(2026, 3, 2)) == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize("text", ["order-1", "a", "news~20260101T0900Z", SID, "a.b_c:d", "0" * 200])
def test_these_can_be_ids(text: str) -> None:
    assert keys.is_id(text)


@pytest.mark.parametrize("text", ["", "-a", "a/b", "a b", "a\n", "a#", "a?b", "a\\b", "é", "0" * 201, "a'b"])
def test_these_can_be_no_ids(text: str) -> None:
    assert not keys.is_id(text)
