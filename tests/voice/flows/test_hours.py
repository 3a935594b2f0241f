"""When somebody is there, by the clocks of a place."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.voice.flows.hours import day_of, read_holiday, read_span
from shared.voice.flows.model import Day, Hours, Span

BERLIN = ZoneInfo("Europe/Berlin")


def hours(*spans: str, holidays: tuple[str, ...] = (), zone: ZoneInfo = BERLIN) -> Hours:
    read = [read_holiday(each) for each in holidays]
    return Hours(
        open=tuple(read_span(each) for each in spans),
        holidays=frozenset(each for each in read if isinstance(each, date)),
        yearly=frozenset(each for each in read if isinstance(each, tuple)),
        zone=zone,
    )


def at(local: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 08:59:59", "closed"),
        ("2026-11-23 09:00", "open"),
        ("2026-11-27 16:59:59", "open"),
        ("2026-11-27 17:00", "closed"),
        ("2026-11-28 12:00", "open"),
        ("2026-11-28 14:00", "closed"),
        ("2026-11-29 12:00", "closed"),
        ("2026-12-24 12:00", "open"),
        ("2026-12-25 12:00", "holiday"),
        ("2026-12-25 23:59:59", "holiday"),
        ("2026-12-26 00:00", "holiday"),
        ("2027-12-26 12:00", "holiday"),
        ("2027-12-25 12:00", "open"),
    ],
)
def test_an_office_is_open_by_its_own_clocks(moment: str, expected: Day) -> None:
    office = hours("mon-fri 09:00-17:00", "sat 10:00-14:00", holidays=("2026-12-25", "12-26"))
    assert day_of(office, at(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-27 21:59", "closed"),
        ("2026-11-27 22:00", "open"),
        ("2026-11-28 05:59", "open"),
        ("2026-11-28 06:00", "closed"),
        ("2026-11-28 22:00", "closed"),
        ("2026-11-27 05:00", "closed"),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, expected: Day) -> None:
    assert day_of(hours("fri 22:00-06:00"), at(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-12-24 23:00", "open"),
        ("2026-12-25 05:00", "open"),
        ("2026-12-25 06:00", "holiday"),
        ("2026-12-25 23:00", "holiday"),
        ("2026-12-26 05:00", "holiday"),
        ("2026-12-26 06:00", "closed"),
        ("2026-12-26 23:00", "open"),
    ],
)
def test_so_does_the_holiday_that_takes_its_place(moment: str, expected: Day) -> None:
    assert day_of(hours("daily 22:00-06:00", holidays=("12-25",)), at(moment)) == expected


def test_the_night_of_a_holiday_does_not_close_the_day_after() -> None:
    both = hours("daily 22:00-06:00", "sat 00:00-10:00", holidays=("2026-12-25",))
    assert day_of(both, at("2026-12-26 05:00")) == "open"


def test_a_whole_day_and_an_evening_end_at_midnight() -> None:
    assert day_of(hours("sat 00:00-24:00"), at("2026-11-28 00:00")) == "open"
    assert day_of(hours("sat 00:00-24:00"), at("2026-11-28 23:59:59")) == "open"
    assert day_of(hours("sat 00:00-24:00"), at("2026-11-29 00:00")) == "closed"
    assert day_of(hours("sat 18:00-24:00"), at("2026-11-29 00:00")) == "closed"


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_comes_twice_is_open_twice(fold: int) -> None:
    assert day_of(hours("sun 02:00-03:00"), at("2026-10-25 02:30", fold)) == "open"
    assert day_of(hours("sun 03:00-04:00"), at("2026-10-25 02:30", fold)) == "closed"


def test_hours_that_begin_in_an_hour_that_is_skipped_begin_right_after_it() -> None:
    begun = hours("sun 02:30-04:00")
    last = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
    assert [day_of(begun, last), day_of(begun, last + timedelta(seconds=1))] == ["closed", "open"]


CLOCKS = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
SPANS = st.builds(
    lambda days, begin, end: Span(days=days, begin=begin, end=end),
    st.frozensets(st.integers(0, 6)),
    CLOCKS,
    CLOCKS,
)
DAYS = st.dates(date(2026, 3, 27), date(2026, 3, 31)) | st.dates(date(2026, 10, 23), date(2026, 10, 27))
MOMENTS = st.builds(
    lambda day, minutes: datetime.combine(day, time(), UTC) + timedelta(minutes=minutes), DAYS, st.integers(0, 1440)
)


@given(
    st.lists(SPANS, max_size=4),
    st.frozensets(DAYS, max_size=3),
    MOMENTS,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]),
)
def test_it_is_open_while_the_clocks_are_between_a_beginning_and_its_end(
    spans: list[Span], holidays: frozenset[date], now: datetime, zone: str
) -> None:
    """The oracle lays every span out as two moments of a clock that knows no daylight saving."""
    shown = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    covering = []
    for day in (shown.date() - timedelta(days=1), shown.date()):
        for span in spans:
            begin, end = datetime.combine(day, span.begin), datetime.combine(day, span.end)
            if day.weekday() in span.days and begin <= shown < (end if end > begin else end + timedelta(days=1)):
                covering.append(day)
    told = day_of(Hours(open=tuple(spans), holidays=holidays, zone=ZoneInfo(zone)), now)
    if any(day not in holidays for day in covering):
        assert told == "open"
    else:
        assert told == ("holiday" if covering or shown.date() in holidays else "closed")


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon 09:00-17:00", {0}),
        ("Mon-Fri 09:00-17:00", {0, 1, 2, 3, 4}),
        ("sat-mon 09:00-17:00", {5, 6, 0}),
        ("mon,wed-thu,sun  09:00-17:00", {0, 2, 3, 6}),
        ("sun-sun 09:00-17:00", {6}),
        ("daily 09:00-17:00", {0, 1, 2, 3, 4, 5, 6}),
    ],
)
def test_days_are_read(text: str, days: set[int]) -> None:
    assert read_span(text) == Span(days=frozenset(days), begin=time(9), end=time(17))


@pytest.mark.parametrize(
    "text",
    [
        *("", "mon", "mon 09:00", "mon 9:00-17:00", "mon- 09:00-17:00", "mon,,tue 09:00-17:00", "monday 09:00-17:00"),
        *("mon 09:00-17:60", "mon 24:00-06:00", "mon 09:00-09:00", "mon 00:00-00:00", "mon09:00-17:00"),
    ],
)
def test_hours_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected days and hours such as mon-fri 09:00-17:00"):
        read_span(text)
