from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.calendar.missed import DEFAULT, Missed, SendWithin, still_due

DUE = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
HALF_AN_HOUR = SendWithin(send_within_seconds=1800)


@pytest.mark.parametrize(
    ("missed", "late", "sent"),
    [
        ("skip", timedelta(minutes=5), True),
        ("skip", timedelta(minutes=5, seconds=1), False),
        (HALF_AN_HOUR, timedelta(minutes=30), True),
        (HALF_AN_HOUR, timedelta(minutes=30, seconds=1), False),
        (SendWithin(send_within_seconds=1), timedelta(minutes=5), True),
        (DEFAULT, timedelta(hours=1), True),
        (DEFAULT, timedelta(hours=1, seconds=1), False),
        ("skip", -timedelta(days=1), True),
    ],
)
def test_what_is_late_goes_out_by_its_rule_and_what_is_hardly_late_always(
    missed: Missed, late: timedelta, *, sent: bool
) -> None:
    assert still_due(DUE, DUE + late, missed) is sent


@pytest.mark.parametrize(("text", "missed"), [('"skip"', "skip"), ('{"send_within_seconds": 1800}', HALF_AN_HOUR)])
def test_json_says_what_becomes_of_it(text: str, missed: Missed) -> None:
    assert msgspec.json.decode(text, type=Missed) == missed


@pytest.mark.parametrize(
    "text", ['"send"', "{}", '{"send_within_seconds": 0}', '{"send_within_seconds": 3000000}', "3600", "null"]
)
def test_json_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Missed)
