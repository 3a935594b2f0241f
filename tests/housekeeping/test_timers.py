"""The runs of the timers are on record for health: on any instance, whatever became of them."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.calendar.ncrontab import Ncrontab
from shared.housekeeping.timers import Timers, TimersStandStill, is_late
from shared.table_service.service import TableService
from shared.tables import Table
from tests.fakes import Clock
from tests.storage import open_table
from tests.web.storage import nobody

MINUTE = timedelta(minutes=1)
CRONS = {"scheduled": Ncrontab.parse("0 * * * * *"), "housekeeping": Ncrontab.parse("0 */5 * * * *")}
some_crons = st.sampled_from(["* * * * * *", "0 * * * * *", "0 */5 * * * *", "0 30 9 * * 1-5", "0 0 0 1 1 *"])
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds it


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[Table]:
    async with open_table(azurite) as table:
        yield table


def timers(table: Table, clock: Clock) -> Timers:
    """The timers as one instance of the app sees them."""
    return Timers(table, crons=CRONS, clock=clock)


@given(some_crons, moments, st.timedeltas(timedelta(0), timedelta(days=800)))
def test_a_timer_is_late_after_three_missed_occurrences_and_a_quarter_of_an_hour(
    text: str, ran_at: datetime, since: timedelta
) -> None:
    cron, now, missed = Ncrontab.parse(text), ran_at + since, 0
    due = cron.next_after(ran_at)
    while missed < 3 and due < now:
        missed, due = missed + 1, cron.next_after(due)
    assert is_late(cron, ran_at, now) == (missed == 3 and since > 15 * MINUTE)


def test_a_timer_of_weekdays_is_not_late_on_a_sunday() -> None:
    cron, friday = Ncrontab.parse("0 0 9 * * 1-5"), datetime(2026, 3, 6, 9, 0, 5, tzinfo=UTC)
    assert not is_late(cron, friday, friday + timedelta(days=2))
    assert not is_late(cron, friday, datetime(2026, 3, 11, 9, tzinfo=UTC)), "Monday, Tuesday; and now"
    assert is_late(cron, friday, datetime(2026, 3, 11, 9, 0, 1, tzinfo=UTC))


async def test_a_timer_that_has_never_run_is_no_problem(table: Table) -> None:
    noted = timers(table, Clock())
    await noted.check()
    assert noted.facts() == {"timers": {"scheduled": None, "housekeeping": None}}


async def test_every_instance_sees_when_a_timer_ran_last_and_that_it_stands_still(table: Table) -> None:
    clock = Clock()
    running, asked = timers(table, clock), timers(table, clock)
    for _ in range(2):
        async with running.run("scheduled"):
            clock.advance(MINUTE)
    ended = clock.now
    await asked.check()
    assert asked.facts()["timers"]["scheduled"] == {"last_run_at": ended, "succeeded": True}
    clock.advance(15 * MINUTE)
    await asked.check()
    clock.advance(timedelta(seconds=1))
    with pytest.raises(TimersStandStill, match=f"^scheduled has not run since {ended:%Y-%m-%dT%H:%M:%SZ}$"):
        await asked.check()
    async with running.run("scheduled"):
        pass
    await asked.check()


async def test_an_app_that_was_stopped_gives_its_timers_time_to_run_again(table: Table) -> None:
    clock = Clock()
    async with timers(table, clock).run("housekeeping"):
        pass
    clock.advance(timedelta(days=7))
    started_again = timers(table, clock)
    clock.advance(15 * MINUTE)
    await started_again.check()
    clock.advance(timedelta(seconds=1))
    with pytest.raises(TimersStandStill, match=r"^housekeeping has not run since 2026-03-02T12:00:00Z$"):
        await started_again.check()


async def test_a_run_that_fails_has_run_and_its_error_passes_through(table: Table) -> None:
    clock = Clock()
    noted = timers(table, clock)
    with pytest.raises(LookupError):
        async with noted.run("housekeeping"):
            raise LookupError
    await noted.check()
    assert noted.facts()["timers"]["housekeeping"] == {"last_run_at": clock.now, "succeeded": False}


async def test_a_run_is_good_though_it_could_not_be_noted_and_of_such_storage_nothing_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with TableService.open(nobody()) as service:
        noted = timers(Table(service.table("Lookups")), Clock())
        with caplog.at_level(logging.WARNING):
            async with noted.run("scheduled"):
                pass
        await noted.check()
    assert "the run of scheduled could not be noted" in caplog.text
    assert noted.facts() == {}
