from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.calendar import cron
from shared.calendar.faults import faults
from shared.calendar.recurrence import coming, following
from shared.calendar.timing import WEEKDAYS, Every, Timing
from shared.documents import check_fields, convert
from shared.errors import RequestInvalid


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


# zones and years in which their clocks did something odd
ODD = [
    ("Europe/Berlin", 2026),
    ("Australia/Lord_Howe", 2018),  # half an hour
    ("America/Sao_Paulo", 2018),  # at midnight
    ("Africa/Casablanca", 2019),  # for Ramadan, backwards
    ("Asia/Kathmandu", 2020),  # UTC+05:45, never
    ("Pacific/Apia", 2011),  # without 30 December
    ("Antarctica/Troll", 2021),  # two hours
    ("Asia/Pyongyang", 2015),  # half an hour back, and forth in 2018
    ("America/Scoresbysund", 2024),  # a new zone and summer time in one night
    ("Asia/Beirut", 2023),
]
zones = st.sampled_from([name for name, _ in ODD])
moments = st.datetimes(
    min_value=local("1999-01-01T00:00:00"), max_value=local("2100-01-01T00:00:00"), timezones=st.just(UTC)
)
times_of_day = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
crons = st.one_of(
    st.sampled_from(["* * * * *", "*/7 * * * *", "30 2,3 * * *", "0 0 L * *", "0 9 * * mon#1", "15 0 13 * fri"]),
    st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)),
    st.builds("{} {} {} * {}".format, st.integers(0, 59), st.integers(0, 23), st.integers(1, 31), st.integers(0, 7)),
)


@st.composite
def everys(draw: st.DrawFn) -> Every:
    at = f"{draw(times_of_day):%H:%M}"
    kind = draw(st.sampled_from(["days", "weeks", "months"]))
    if kind == "days":
        return Every(at=at, days=draw(st.integers(1, 40)))
    if kind == "weeks":
        on = draw(st.none() | st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7).map(tuple))
        return Every(at=at, weeks=draw(st.integers(1, 5)), on=on)
    return Every(at=at, months=draw(st.integers(1, 14)), day=draw(st.none() | st.integers(1, 31)))


@st.composite
def timings(draw: st.DrawFn) -> Timing:
    start = draw(moments)
    by_cron = draw(st.booleans())
    timing = Timing(
        cron=draw(crons) if by_cron else None,
        every=None if by_cron else draw(everys()),
        time_zone=draw(zones),
        start=start,
        end=draw(st.none() | st.just(start + draw(st.timedeltas(timedelta(days=30), timedelta(days=4000))))),
    )
    assume(not faults(timing))
    return timing


def shown(timing: Timing, count: int, *, after: datetime | None = None) -> list[str]:
    zone = ZoneInfo(timing.time_zone or "UTC")
    return [f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in coming(timing, after, count)]


# The oracle: every local date, one after the other, placed by trying out the offsets that the zone had around it.


def placed(moment: datetime, zone: ZoneInfo) -> datetime:
    days = timedelta(days=2)
    around = [datetime.combine(moment, moment.time(), UTC) + shift for shift in (-days, -days / 4, days / 4, days)]
    offsets = [found for found in (there.astimezone(zone).utcoffset() for there in around) if found is not None]
    fitting = {moment.replace(tzinfo=UTC) - offset for offset in offsets}
    real = [there for there in fitting if there.astimezone(zone).replace(tzinfo=None) == moment]
    return min(real) if real else moment.replace(tzinfo=UTC) - offsets[0]


def expected(
    zone: ZoneInfo, first: date, last: date, matches: Callable[[date], bool], times: list[time]
) -> list[datetime]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return sorted({placed(datetime.combine(day, at), zone) for day in days if matches(day) for at in times})


@pytest.mark.parametrize(("name", "year"), ODD)
@settings(max_examples=5)
@given(
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=2),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=2),
    days=st.none() | st.sets(st.integers(1, 31), min_size=1, max_size=9),
    weekdays=st.none() | st.sets(st.integers(0, 6), min_size=1, max_size=5),
)
@example(hours={0, 2}, minutes={0, 30}, days=None, weekdays=None)
@example(hours={2, 3}, minutes={15, 30}, days=None, weekdays=None)
@example(hours={9}, minutes={0}, days=None, weekdays=None)
def test_every_local_date_that_cron_matches_comes_exactly_once_in_two_odd_years(  # noqa: PLR0917 - a parametrized rule
    name: str, year: int, hours: set[int], minutes: set[int], days: set[int] | None, weekdays: set[int] | None
) -> None:
    zone = ZoneInfo(name)
    fields = [",".join(map(str, sorted(values))) if values else "*" for values in (minutes, hours, days, weekdays)]

    def matches(day: date) -> bool:
        by_day, by_week = day.day in (days or ()), day.isoweekday() % 7 in (weekdays or ())
        return (by_day or by_week) if days or weekdays else True

    first, last = date(year, 1, 1), date(year + 1, 12, 31)
    oracle = expected(zone, first, last, matches, [time(hour, minute) for hour in hours for minute in minutes])
    timing = Timing(
        cron=f"{fields[0]} {fields[1]} {fields[2]} * {fields[3]}",
        time_zone=name,
        start=datetime.combine(first, time()),
        end=datetime.combine(last, time(23, 59)),
    )
    assert coming(timing, None, len(oracle) + 1) == oracle


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("Australia/Lord_Howe", "2018-04-01"),
        ("Australia/Lord_Howe", "2018-10-07"),
        ("America/Sao_Paulo", "2018-02-17"),
        ("America/Sao_Paulo", "2018-11-04"),
        ("Africa/Casablanca", "2019-05-05"),
        ("Africa/Casablanca", "2019-06-09"),
        ("Pacific/Apia", "2011-12-30"),
        ("America/Scoresbysund", "2024-03-31"),
    ],
)
@pytest.mark.parametrize("step", [1, 15])
def test_around_a_change_every_local_minute_comes_once_and_two_that_meet_come_once(
    name: str, day: str, step: int
) -> None:
    first, last = date.fromisoformat(day) - timedelta(days=1), date.fromisoformat(day) + timedelta(days=1)
    times = [time(hour, minute) for hour in range(24) for minute in range(0, 60, step)]
    pairs = list(pairwise(expected(ZoneInfo(name), first, last, lambda _: True, times)))
    far = [pair for pair in pairs if pair[1] - pair[0] != timedelta(minutes=step)]
    timing = Timing(cron=f"*/{step} * * * *", time_zone=name)
    for before, after in far + pairs[:: len(pairs) // 100 + 1]:
        assert following(timing, before) == after


@settings(max_examples=60)
@given(name=zones, every=everys(), start=st.datetimes(local("2009-01-01T00:00:00"), local("2024-01-01T00:00:00")))
@example(name="Pacific/Apia", every=Every(at="09:00", days=1), start=local("2011-12-01T00:00:00"))
@example(name="Europe/Berlin", every=Every(at="02:30", weeks=2, on=("sun",)), start=local("2026-03-15T00:00:00"))
@example(name="UTC", every=Every(at="12:00", months=1, day=31), start=local("2024-01-31T12:00:00"))
def test_every_so_often_is_what_counting_the_dates_one_by_one_finds(name: str, every: Every, start: datetime) -> None:
    zone = ZoneInfo(name)
    begin = placed(start.replace(fold=0), zone)
    first = begin.astimezone(zone).date()
    monday = first - timedelta(days=first.weekday())

    def matches(day: date) -> bool:
        if every.days:
            return (day - first).days % every.days == 0
        if every.weeks:
            on = every.on or (WEEKDAYS[first.weekday()],)
            return WEEKDAYS[day.weekday()] in on and (day - monday).days // 7 % every.weeks == 0
        wanted = min(every.day or first.day, monthrange(day.year, day.month)[1])
        months = (day.year - first.year) * 12 + day.month - first.month
        return day.day == wanted and months % (every.months or 1) == 0

    last = first + timedelta(days=730)
    oracle = [
        moment for moment in expected(zone, first, last, matches, [time.fromisoformat(every.at)]) if moment >= begin
    ]
    timing = Timing(every=every, time_zone=name, start=start)
    assert coming(timing, None, len(oracle)) == oracle
    beyond = following(timing, oracle[-1] if oracle else None)
    assert beyond is not None
    assert beyond.astimezone(zone).date() >= last - timedelta(days=1)


@given(timing=timings(), after=moments)
def test_the_next_one_is_strictly_later_within_the_bounds_and_nothing_lies_between(
    timing: Timing, after: datetime
) -> None:
    found = following(timing, after)
    assert timing.start is not None
    if found is None:
        assert timing.end is not None
        return
    assert found > after
    assert found >= timing.start
    assert timing.end is None or found <= timing.end
    assert found.utcoffset() == timedelta(0)
    between = max(after, timing.start) + (found - max(after, timing.start)) / 2
    assert following(timing, between) == found or between >= found
    assert following(timing, found - timedelta(microseconds=1)) == found


@settings(max_examples=50)
@given(timing=timings(), count=st.integers(0, 12))
def test_what_is_coming_is_the_next_one_again_and_again(timing: Timing, count: int) -> None:
    folded: list[datetime] = []
    after = None
    while len(folded) < count and (after := following(timing, after)) is not None:
        folded.append(after)
    assert coming(timing, None, count) == folded
    assert folded == sorted(set(folded))


@settings(max_examples=60)
@given(timing=timings(), by_date=st.booleans(), data=st.data())
def test_an_exception_leaves_out_itself_and_nothing_else(timing: Timing, *, by_date: bool, data: st.DataObject) -> None:
    timing = replace(timing, time_zone="Asia/Kathmandu")  # where clocks never change
    zone = ZoneInfo("Asia/Kathmandu")
    spelling = "%Y-%m-%d" if by_date else "%Y-%m-%dT%H:%M"
    written = {moment: f"{moment.astimezone(zone):{spelling}}" for moment in coming(timing, None, 12)}
    assume(written)
    left_out = data.draw(st.sets(st.sampled_from(sorted(written.values())), max_size=len(set(written.values())) - 1))
    excepting = replace(timing, end=max(written), exceptions=tuple(left_out))
    assert coming(excepting, None, 13) == [moment for moment, text in written.items() if text not in left_out]


def test_a_skipped_local_time_comes_later_by_what_was_skipped() -> None:
    timing = Timing(cron="30 2 * * *", time_zone="Europe/Berlin", start=local("2026-03-28T00:00:00"))
    assert shown(timing, 3) == ["2026-03-28 02:30", "2026-03-29 03:30", "2026-03-30 02:30"]


def test_a_repeated_local_time_comes_the_first_time_only() -> None:
    timing = Timing(cron="30 2 * * *", time_zone="Europe/Berlin", start=local("2026-10-24T12:00:00"))
    assert coming(timing, None, 2) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]


def test_a_skipped_time_and_the_one_it_falls_on_come_once() -> None:
    timing = Timing(cron="30 2,3 * * *", time_zone="Europe/Berlin", start=local("2026-03-29T00:00:00"))
    assert shown(timing, 3) == ["2026-03-29 03:30", "2026-03-30 02:30", "2026-03-30 03:30"]


def test_a_day_that_a_zone_never_had_brings_no_second_message_on_the_next() -> None:
    timing = Timing(cron="0 9 * * *", time_zone="Pacific/Apia", start=local("2011-12-29T00:00:00"))
    assert shown(timing, 3) == ["2011-12-29 09:00", "2011-12-31 09:00", "2012-01-01 09:00"]


@pytest.mark.parametrize("written", ["2026-03-29", "2026-03-29T02:30", "2026-03-29T02:30:00", "2026-03-29T03:30"])
def test_a_skipped_time_is_left_out_by_what_was_asked_and_by_what_the_clock_shows(written: str) -> None:
    timing = Timing(
        cron="30 2 * * *", time_zone="Europe/Berlin", start=local("2026-03-28T12:00:00"), exceptions=(written,)
    )
    assert shown(timing, 1) == ["2026-03-30 02:30"]


def test_start_and_end_themselves_are_within() -> None:
    timing = Timing(cron="0 9 * * *", start=local("2026-01-01T09:00:00"), end=local("2026-01-02T09:00:00"))
    assert shown(timing, 5) == ["2026-01-01 09:00", "2026-01-02 09:00"]


def test_a_month_that_is_too_short_has_its_last_day_and_the_next_one_its_own_again() -> None:
    timing = Timing(every=Every(at="08:00", months=1), start=local("2024-01-31T00:00:00"))
    assert shown(timing, 4) == ["2024-01-31 08:00", "2024-02-29 08:00", "2024-03-31 08:00", "2024-04-30 08:00"]


def test_every_second_week_on_two_weekdays_counts_weeks_from_monday() -> None:
    timing = Timing(every=Every(at="08:00", weeks=2, on=("fri", "mon")), start=local("2026-01-07T00:00:00"))
    assert shown(timing, 4) == ["2026-01-09 08:00", "2026-01-19 08:00", "2026-01-23 08:00", "2026-02-02 08:00"]


def test_once_comes_once_at_its_local_time() -> None:
    timing = Timing(at=local("2026-07-01T09:00:00"), time_zone="Europe/Berlin")
    assert coming(timing, None, 3) == [datetime(2026, 7, 1, 7, tzinfo=UTC)]
    assert following(timing, datetime(2026, 7, 1, 7, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("0 0 L * *", ["2026-01-31 00:00", "2026-02-28 00:00"]),
        ("0 9 * * MON#1", ["2026-01-05 09:00", "2026-02-02 09:00"]),
        ("0 9 * * 5L", ["2026-01-30 09:00", "2026-02-27 09:00"]),
        ("0 9 1 * mon", ["2026-01-01 09:00", "2026-01-05 09:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("5-10/5 8 1 jan *", ["2026-01-01 08:05", "2026-01-01 08:10"]),
    ],
)
def test_cron_is_read_as_cron_has_it(expression: str, found: list[str]) -> None:
    assert shown(Timing(cron=expression, start=local("2026-01-01T00:00:00")), 2) == found


JANUARY = local("2026-01-01T00:00:00")


@pytest.mark.parametrize(
    ("timing", "fields"),
    [
        (Timing(), ["at"]),
        (Timing(at=JANUARY, cron="* * * * *"), ["at"]),
        (Timing(at=JANUARY, start=JANUARY, end=JANUARY, exceptions=("2026-01-01",)), ["start", "end", "exceptions"]),
        (Timing(cron="0 0 30 2 *"), ["cron"]),
        (Timing(cron="* * */20 * 1L"), ["cron"]),
        (Timing(cron="0 9 * *"), ["cron"]),
        (Timing(cron="0 0 9 * * *"), ["cron"]),
        (Timing(cron="@daily"), ["cron"]),
        (Timing(cron="60 9 * * *"), ["cron"]),
        (Timing(cron="0 9 * * fri-mon"), ["cron"]),
        (Timing(cron="0 9 * * 2#1/2"), ["cron"]),
        (Timing(cron="*/0 9 * * *"), ["cron"]),
        (Timing(cron="* * * * *", time_zone="Europe/Nowhere"), ["time_zone"]),
        (Timing(cron="* * * * *", time_zone="../../etc/passwd"), ["time_zone"]),
        (Timing(cron="* * * * *", time_zone="Europe"), ["time_zone"]),
        (Timing(cron="* * * * *", start=JANUARY, end=JANUARY - timedelta(days=1)), ["end"]),
        (Timing(cron="0 9 * * *", start=JANUARY, end=JANUARY + timedelta(hours=1)), ["cron"]),
        (Timing(cron="0 9 1 1 *", start=JANUARY, end=JANUARY.replace(month=2), exceptions=("2026-01-01",)), ["cron"]),
        (Timing(cron="* * * * *", start=datetime.max.replace(tzinfo=UTC)), ["start"]),
        (Timing(at=local("0001-01-01T00:00:00")), ["at"]),
        (Timing(cron="* * * * *", exceptions=("2026-02-30", "2026-W01-1", "2026-01-01T09:00Z")), ["exceptions[0]", "exceptions[1]", "exceptions[2]"]),  # noqa: E501 - one line of a table
        (Timing(every=Every(at="09:00", days=1)), ["start"]),
        (Timing(every=Every(at="09:00"), start=JANUARY), ["every"]),
        (Timing(every=Every(at="09:00", days=1, weeks=1), start=JANUARY), ["every"]),
        (Timing(every=Every(at="24:00", days=1), start=JANUARY), ["every.at"]),
        (Timing(every=Every(at="9:000", days=1), start=JANUARY), ["every.at"]),
        (Timing(every=Every(at="09:00", weeks=1, on=("mon", "someday")), start=JANUARY), ["every.on"]),
        (Timing(every=Every(at="09:00", days=1, on=("mon",), day=3), start=JANUARY), ["every.on", "every.day"]),
        (Timing(cron="x", every=Every(at="9", days=1), time_zone="Mars/Base"), ["at", "cron", "every.at", "start", "time_zone"]),  # noqa: E501 - one line of a table
    ],
)  # fmt: skip
def test_everything_that_is_wrong_is_named_at_once(timing: Timing, fields: list[str]) -> None:
    assert [fault.field for fault in faults(timing)] == fields


@pytest.mark.parametrize(
    "document",
    [
        {"at": "2026-12-24T09:00:00+01:00"},
        {"at": "2026-12-24T09:00:00", "time_zone": "Europe/Berlin"},
        {"cron": "0 9 * * mon-fri", "time_zone": "Europe/Berlin", "exceptions": ["2026-12-24", "2026-12-31T09:00"]},
        {"every": {"weeks": 2, "on": ["mon"], "at": "09:00"}, "start": "2026-01-01T00:00:00"},
    ],
)
def test_what_json_says_is_taken(document: dict[str, Any]) -> None:
    assert faults(convert(document, Timing)) == []


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"cron": 5}, "cron: expected `str | null`, got `int`"),
        ({"crom": "* * * * *"}, "crom: is no known field"),
        ({"at": "tomorrow"}, "at: expected a time such as 2026-01-31T09:30:00+01:00, got another"),
        ({"every": {"days": 0, "at": "09:00"}}, "every: expected `int` >= 1 - at `$.days`"),
        ({"every": {"days": 1, "at": "09:00", "hours": 2}}, "every: object contains unknown field `hours`"),
        ({"exceptions": ["2026-12-24"] * 401}, "exceptions: expected `array` of length <= 400"),
    ],
)
def test_what_json_says_amiss_is_named_with_its_field(document: dict[str, Any], problem: str) -> None:
    _, found = check_fields(document, Timing)
    assert [str(fault) for fault in found] == [problem]
    with pytest.raises(RequestInvalid):
        convert(document, Timing)


# hostile: whatever is written, it is named as a fault or it works
hostile_fields = st.text(alphabet="0123456789*/-,#LWlwmonfriß٣ ", max_size=12)


@settings(max_examples=400)
@given(expression=st.text(max_size=60) | st.lists(hostile_fields, min_size=5, max_size=5).map(" ".join))
@example(expression="* * * * 2#1/2")
@example(expression="* * L/2 * *")
@example(expression="* * 1-L * *")
@example(expression="* * * * \u0663L")
def test_any_text_is_a_cron_expression_or_is_refused(expression: str) -> None:
    try:
        cron.check(expression)
    except cron.CronInvalid:
        assert [fault.field for fault in faults(Timing(cron=expression))] == ["cron"]
    else:
        following(Timing(cron=expression), None)


any_moment = st.datetimes(timezones=st.none() | st.timezones() | st.just(UTC))


@settings(max_examples=300)
@given(
    timing=st.builds(
        Timing,
        at=st.none() | any_moment,
        cron=st.none() | crons,
        every=st.none() | everys(),
        time_zone=st.none() | zones,
        start=st.none() | any_moment,
        end=st.none() | any_moment,
    ),
    after=st.none() | st.datetimes(timezones=st.timezones()),
)
@example(
    timing=Timing(
        every=Every(at="23:59", months=120), start=local("9899-12-31T23:59:59"), time_zone="Pacific/Kiritimati"
    ),
    after=datetime.max.replace(tzinfo=ZoneInfo("Pacific/Pago_Pago")),
)
@example(timing=Timing(cron="* * * * *"), after=datetime.max.replace(tzinfo=UTC))
@example(timing=Timing(cron="* * * * *"), after=datetime.min.replace(tzinfo=ZoneInfo("Pacific/Kiritimati")))
@example(timing=Timing(cron="0 0 29 2 *"), after=datetime(9899, 12, 30, tzinfo=UTC))
def test_no_timing_and_no_moment_leaves_the_calendar(timing: Timing, after: datetime | None) -> None:
    if faults(timing):
        return
    found = following(timing, after)
    assert found is None or after is None or found > after
