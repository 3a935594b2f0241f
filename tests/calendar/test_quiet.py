from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.calendar.quiet import QuietHours, QuietHoursInvalid

NIGHT = QuietHours.parse("21:00-08:00")
BERLIN = ZoneInfo("Europe/Berlin")
MINUTES = timedelta(minutes=15)
names = st.sampled_from(
    [
        *("Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe"),
        *("America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll", "Asia/Tokyo", "UTC"),
    ]
)
zone_lists = st.lists(names.map(ZoneInfo), min_size=1, max_size=4, unique=True)
changes = st.sampled_from(
    [
        datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin, Troll
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2018, 11, 4, 3, tzinfo=UTC),  # Sao Paulo, at midnight; New York hours later
        datetime(2018, 2, 18, 2, tzinfo=UTC),
        datetime(2018, 10, 6, 15, 30, tzinfo=UTC),  # Lord Howe
        datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia, a day
        datetime(2019, 5, 5, 2, tzinfo=UTC),  # Casablanca
    ]
)
moments = st.one_of(
    st.datetimes(datetime.fromisoformat("2005-01-01"), datetime.fromisoformat("2060-01-01"), timezones=st.just(UTC)),
    st.builds(datetime.__add__, changes, st.timedeltas(-timedelta(hours=30), timedelta(hours=30))),
)
minutes_of_day = st.builds(time, st.integers(0, 23), st.integers(0, 59))
windows = st.tuples(minutes_of_day, minutes_of_day).filter(lambda ends: ends[0] != ends[1])
quiet_hours = windows.map(lambda ends: QuietHours.parse(f"{ends[0]:%H:%M}-{ends[1]:%H:%M}"))


def inside(hours: QuietHours, moment: datetime, zone: ZoneInfo) -> bool:
    """Said otherwise than in the code: the minutes since the window began are fewer than it has."""
    shown = moment.astimezone(zone)
    begin, end = (edge.hour * 60 + edge.minute for edge in (hours.begin, hours.end))
    return (shown.hour * 60 + shown.minute - begin) % 1440 < (end - begin) % 1440


def settled(hours: QuietHours, now: datetime, zones: list[ZoneInfo]) -> datetime:
    return hours.until(now, zones) or now


def at(text: str, zone: ZoneInfo = BERLIN, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@given(hours=quiet_hours, now=moments, zones=zone_lists)
@example(
    hours=QuietHours.parse("21:00-00:30"),
    now=at("2018-11-04T02:30", ZoneInfo("UTC")),
    zones=[ZoneInfo("America/Sao_Paulo")],
)
def test_what_waits_is_never_let_go_inside_the_window_nor_before_now(
    hours: QuietHours, now: datetime, zones: list[ZoneInfo]
) -> None:
    moment = hours.until(now, zones)
    if moment is None:
        assert not inside(hours, now, zones[0])
        assert not any(inside(hours, now, zone) for zone in zones) or never_common(hours, now, zones)
        return
    assert moment > now
    assert not inside(hours, moment, zones[0])
    if any(inside(hours, moment, zone) for zone in zones):
        assert never_common(hours, now, zones)
    else:
        assert hours.until(moment, zones) is None


def never_common(hours: QuietHours, now: datetime, zones: list[ZoneInfo]) -> bool:
    edge = now.replace(second=0, microsecond=0)
    steps = (edge + timedelta(minutes=minute) for minute in range(1, 48 * 60 + 1))
    return all(any(inside(hours, step, zone) for zone in zones) for step in (now, *steps))


@settings(max_examples=60)
@given(hours=quiet_hours, now=moments, zones=zone_lists)
def test_what_waits_goes_at_the_first_minute_that_is_outside_everywhere(
    hours: QuietHours, now: datetime, zones: list[ZoneInfo]
) -> None:
    now = now.replace(second=0, microsecond=0)
    steps = (now + timedelta(minutes=minute) for minute in range(48 * 60 + 1))
    first = next((step for step in steps if not any(inside(hours, step, zone) for zone in zones)), None)
    assume(first is not None)
    assert settled(hours, now, zones) == first


@given(hours=quiet_hours, now=moments, zones=zone_lists, later=st.timedeltas(timedelta(), timedelta(days=3)))
def test_who_waits_later_is_never_let_go_earlier(
    hours: QuietHours, now: datetime, zones: list[ZoneInfo], later: timedelta
) -> None:
    assert settled(hours, now, zones) <= settled(hours, now + later, zones)


@given(
    hours=quiet_hours,
    now=moments,
    zones=zone_lists,
    key=st.text(st.characters(codec="utf-8"), max_size=20),
    over=st.timedeltas(timedelta(), timedelta(days=2)),
)
@example(
    hours=QuietHours.parse("12:01-12:00"), now=at("2026-05-01T13:00"), zones=[BERLIN], key="a", over=timedelta(hours=3)
)
@example(
    hours=QuietHours.parse("21:00-02:30"), now=at("2026-10-25T00:30"), zones=[BERLIN], key="b", over=timedelta(hours=3)
)
def test_what_is_spread_stays_outside_the_next_window_and_within_its_time(
    hours: QuietHours, now: datetime, zones: list[ZoneInfo], key: str, over: timedelta
) -> None:
    moment = settled(hours, now, zones)
    spread = hours.spread(moment, key=key, over=over, zones=zones)
    assert moment <= spread <= moment + over
    assert spread < moment + over or spread == moment
    assert not inside(hours, spread, zones[0])
    if not any(inside(hours, moment, zone) for zone in zones):
        assert not any(inside(hours, spread, zone) for zone in zones)
    assert hours.spread(moment, key=key, over=over, zones=zones) == spread


def test_a_morning_is_spread_evenly() -> None:
    morning = at("2026-05-01T08:00")
    spread = [NIGHT.spread(morning, key=f"news-{n}", over=MINUTES, zones=[BERLIN]) - morning for n in range(9000)]
    per_minute = [sum(moment // timedelta(minutes=1) == minute for moment in spread) for minute in range(15)]
    assert sum(per_minute) == 9000
    assert min(per_minute) > 500
    assert max(per_minute) < 700


@pytest.mark.parametrize(
    ("text", "now", "then"),
    [
        ("21:00-08:00", "2026-05-01T20:59:59.999999", None),
        ("21:00-08:00", "2026-05-01T21:00", "2026-05-02T08:00"),
        ("21:00-08:00", "2026-05-02T00:00", "2026-05-02T08:00"),
        ("21:00-08:00", "2026-05-02T07:59:59.999999", "2026-05-02T08:00"),
        ("21:00-08:00", "2026-05-02T08:00", None),
        ("12:00-14:00", "2026-05-01T11:59", None),
        ("12:00-14:00", "2026-05-01T12:30", "2026-05-01T14:00"),
        ("12:00-14:00", "2026-05-01T14:00", None),
        ("22:00-00:00", "2026-05-01T23:00", "2026-05-02T00:00"),
        # clocks go from 02:00 to 03:00: an end that is skipped is over when they do, a later one an hour sooner
        ("21:00-02:30", "2026-03-29T01:30", "2026-03-29T03:00"),
        ("21:00-02:30", "2026-03-28T22:17:05.5", "2026-03-29T03:00"),
        ("21:00-08:00", "2026-03-28T22:00", "2026-03-29T08:00"),
        # and from 03:00 back to 02:00
        ("21:00-08:00", "2026-10-24T22:00", "2026-10-25T08:00"),
        ("21:00-02:30", "2026-10-25T01:30", "2026-10-25T02:30"),
    ],
)
def test_a_window_ends_when_local_clocks_say_so(text: str, now: str, then: str | None) -> None:
    assert QuietHours.parse(text).until(at(now), [BERLIN]) == (then and at(then))


def test_an_end_that_comes_twice_ends_the_window_twice() -> None:
    hours = QuietHours.parse("21:00-02:30")
    again = at("2026-10-25T02:15", fold=1)
    assert hours.until(again, [BERLIN]) == at("2026-10-25T02:30", fold=1)


def test_an_end_at_the_hour_that_is_repeated_waits_for_the_second_one() -> None:
    assert QuietHours.parse("21:00-03:00").until(at("2026-10-25T01:30"), [BERLIN]) == at("2026-10-25T03:00")


def test_a_recipient_who_may_be_in_two_zones_is_left_alone_while_it_is_night_in_one() -> None:
    zones = [ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")]
    assert NIGHT.until(at("2026-05-01T09:00", zones[0]), zones) == at("2026-05-01T08:00", zones[1])
    assert NIGHT.until(at("2026-05-01T20:00", zones[1]), zones) == at("2026-05-02T08:00", zones[1])


def test_where_it_is_always_night_somewhere_the_first_zone_counts_alone() -> None:
    zones = [BERLIN, ZoneInfo("Pacific/Auckland"), ZoneInfo("America/New_York")]
    assert NIGHT.until(at("2026-05-01T12:00"), zones) is None
    assert NIGHT.until(at("2026-05-01T23:00"), zones) == at("2026-05-02T08:00")


@pytest.mark.parametrize("moment", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_are_not_left(moment: datetime) -> None:
    assert NIGHT.until(moment, [ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Apia")]) is None


@pytest.mark.parametrize(
    "text", ["", "21:00", "21-08", "21:00-24:00", "9:00-10:00", "21:00-08:60", "21:00\u201308:00", "08:00-08:00", "off"]
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(QuietHoursInvalid):
        QuietHours.parse(text)


def test_a_window_is_read() -> None:
    assert QuietHours.parse(" 21:00-08:30 ") == QuietHours(begin=time(21), end=time(8, 30))
