import calendar
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar.ncrontab import Ncrontab, NcrontabInvalid

EVERY = ("*", "*", "*", "*", "*", "*")
BOUNDS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants naive bounds


def after(text: str, moment: str) -> str:
    found = Ncrontab.parse(text).next_after(datetime.fromisoformat(moment).replace(tzinfo=UTC))
    return found.replace(tzinfo=None).isoformat(sep=" ")


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("* * * * * *", "2026-01-01 00:00:00", "2026-01-01 00:00:01"),
        ("0 * * * * *", "2026-01-01 00:00:00", "2026-01-01 00:01:00"),
        ("0 */5 * * * *", "2026-01-01 00:59:59", "2026-01-01 01:00:00"),
        ("*/5 * * * *", "2026-01-01 00:01:00", "2026-01-01 00:05:00"),
        ("5/20 * * * * *", "2026-01-01 00:00:06", "2026-01-01 00:00:25"),
        ("0 0 9-17/4 * * *", "2026-01-01 10:00:00", "2026-01-01 13:00:00"),
        ("0 30 9 * * Mon-Fri", "2026-01-02 09:30:00", "2026-01-05 09:30:00"),
        ("0 0 0 1 Jan,July *", "2026-01-01 00:00:00", "2026-07-01 00:00:00"),
        ("0 0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00"),
        ("0 0 0 31 * *", "2026-01-31 00:00:00", "2026-03-31 00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31 23:59:59", "2027-12-31 23:59:59"),
        # Day and day of the week are both asked: a Friday the 13th.
        ("0 0 0 13 * Fri", "2026-03-14 00:00:00", "2026-11-13 00:00:00"),
        ("0 0 0 * * 0", "2026-01-01 00:00:00", "2026-01-04 00:00:00"),
    ],
)
def test_the_next_time_is_the_documented_one(text: str, moment: str, expected: str) -> None:
    assert after(text, moment) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "* * * *", "* * * * * * *", "@hourly", "00:05:00"),
        *(
            "60 * * * * *",
            "* * 24 * * *",
            "* * * 0 * *",
            "* * * * 13 *",
            "* * * * * 7",
            "0 61 * * * *",
            "0 0 0 31 Feb,Apr *",
        ),
        *("a * * * * *", "* * * * Foo *", "*/0 * * * * *", "*/x * * * * *", "5-1 * * * * *", "1,,2 * * * * *"),
        *("-1 * * * * *", "1- * * * * *", "*-5 * * * * *", "² * * * * *", "*/² * * * * *"),
        # Azure reads ASCII digits only.
        *("٣ * * * * *", "*/٣ * * * * *", "foo bar baz a b c", "*/99999 * * * * *"),
    ],
)
def test_what_is_no_ncrontab_is_refused(text: str) -> None:
    with pytest.raises(NcrontabInvalid):
        Ncrontab.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"0 * * * * *"', "without quotes around it"),
        ("'0 * * * * *'", "without quotes around it"),
        ("00:05:00", "got a time span, which Azure takes on App Service plans only"),
        ("1.00:00:00", "got a time span"),
        ("every-minute", "expected an NCRONTAB expression of five or six fields, got 1"),
        ("0 0 0 * * FRI-MON", "expected a range with the smaller day of the week first, got 'FRI-MON'"),
        ("0 0 22-4 * * *", "expected a range with the smaller hour first, got '22-4'"),
        ("0 61 * * * *", "expected a minute from 0 to 59, got '61'"),
        ("0 0 0 * * 7", "expected a day of the week from 0 to 6 or a name, got '7'"),
    ],
)
def test_a_refusal_says_what_is_expected(text: str, expected: str) -> None:
    with pytest.raises(NcrontabInvalid, match=re.escape(expected)):
        Ncrontab.parse(text)


def test_a_refusal_repeats_little_of_what_came() -> None:
    """Somebody may have pasted a secret into the wrong setting."""
    with pytest.raises(NcrontabInvalid) as caught:
        Ncrontab.parse(" ".join(["0123456789abcdef" * 4] * 6))
    assert "0123456789abcdef0123" in str(caught.value)
    assert "0123456789abcdef01234" not in str(caught.value)


@pytest.mark.parametrize("text", ["0 */5 * * * *", "*/5 * * * *"])
def test_white_space_between_the_fields_does_not_count(text: str) -> None:
    spaced = " \t " + text.replace(" ", " \t  ") + "\n"
    assert Ncrontab.parse(spaced) == Ncrontab.parse(text)
    assert Ncrontab.parse(spaced).text == text


@st.composite
def expressions(draw: st.DrawFn) -> tuple[str, tuple[set[int], ...]]:
    """An expression, and the values that each of its fields allows."""
    words: list[str] = []
    allowed: list[set[int]] = []
    for least, most in BOUNDS:
        # Days up to the 28th, so that every month has them.
        most = 28 if most == 31 else most  # noqa: PLW2901
        word, values = draw(fields(least, most))
        words.append(word)
        allowed.append(values)
    return " ".join(words), tuple(allowed)


@st.composite
def fields(draw: st.DrawFn, least: int, most: int) -> tuple[str, set[int]]:
    parts = draw(
        st.lists(st.tuples(st.integers(least, most), st.integers(least, most), st.integers(1, most)), max_size=3)
    )
    if not parts:
        return "*", set(range(least, 32 if most == 28 else most + 1))
    words = [f"{min(a, b)}-{max(a, b)}/{step}" for a, b, step in parts]
    return ",".join(words), {value for a, b, step in parts for value in range(min(a, b), max(a, b) + 1, step)}


def values(moment: datetime) -> tuple[int, ...]:
    weekday = (calendar.weekday(moment.year, moment.month, moment.day) + 1) % 7
    return (moment.second, moment.minute, moment.hour, moment.day, moment.month, weekday)


@given(expressions(), MOMENTS)
def test_the_next_time_is_later_and_matches_every_field(
    expression: tuple[str, tuple[set[int], ...]], moment: datetime
) -> None:
    text, allowed = expression
    found = Ncrontab.parse(text).next_after(moment)
    assert found > moment
    assert found.microsecond == 0
    assert all(value in field for value, field in zip(values(found), allowed, strict=True))


@given(expressions(), MOMENTS, st.data())
def test_no_time_in_between_matches(
    expression: tuple[str, tuple[set[int], ...]], moment: datetime, data: st.DataObject
) -> None:
    text, allowed = expression
    found = Ncrontab.parse(text).next_after(moment)
    seconds_between = int((found - moment).total_seconds()) - 1
    if seconds_between > 0:
        skipped = (moment + timedelta(seconds=data.draw(st.integers(1, seconds_between)))).replace(microsecond=0)
        assert not all(value in field for value, field in zip(values(skipped), allowed, strict=True))


@given(MOMENTS)
def test_six_stars_are_every_second(moment: datetime) -> None:
    assert Ncrontab.parse(" ".join(EVERY)).next_after(moment) == moment.replace(microsecond=0) + timedelta(seconds=1)
