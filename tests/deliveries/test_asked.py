"""What somebody asks a search for."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from shared.deliveries.asked import read_search
from shared.deliveries.search import Search
from shared.errors import RequestInvalid


def read(wanted: Mapping[str, object], *, region: str | None = None) -> Search:
    return read_search(json.dumps(wanted).encode(), region=region)


def test_a_date_is_the_whole_day_in_utc() -> None:
    found = read({"since": "2026-10-01", "until": "2026-10-01"})
    assert found.since == datetime(2026, 10, 1, tzinfo=UTC)
    assert found.until == datetime(2026, 10, 1, 23, 59, 59, 999999, tzinfo=UTC)


def test_a_time_stays_as_it_is() -> None:
    found = read({"since": "2026-10-01T08:00:00+02:00"})
    assert found.since == datetime(2026, 10, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize("value", ["2026-02-30", "2026-13-01", "0000-01-01", "2026-1-1", "20261001", "2026-10-01 ", 5])
@pytest.mark.parametrize("field", ["since", "until"])
def test_what_is_no_date_is_refused(field: str, value: object) -> None:
    with pytest.raises(RequestInvalid, match=field):
        read({field: value})


def test_a_number_is_found_however_it_is_written_at_each_end() -> None:
    found = read(
        {"to": "(415) 555-0100", "address": "+1 415 555 0101", "from": "whatsapp:+1 415 555 0102"}, region="US"
    )
    assert (found.to, found.address, found.from_) == ("+14155550100", "+14155550101", "whatsapp:+14155550102")


@pytest.mark.parametrize("sender", ["MG" + "0" * 32, "Zeus", "12345"])
def test_a_sender_that_is_no_number_is_searched_as_it_is(sender: str) -> None:
    assert read({"from": sender}).from_ == sender


def test_every_field_is_read() -> None:
    wanted = {"direction": "inbound", "channel": "call", "error_code": 30003, "origin": "schedule:news", "limit": 5}
    found = read(wanted)
    assert {name: getattr(found, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    "wanted",
    [{"direction": "sideways"}, {"channel": "fax"}, {"error_code": "30003"}, {"origin": 5}, {"from_": "+14155550100"}],
    ids=str,
)
def test_what_a_field_cannot_be_is_refused_and_named(wanted: dict[str, object]) -> None:
    with pytest.raises(RequestInvalid) as refused:
        read(wanted)
    assert [fault.field for fault in refused.value.faults] == list(wanted)
