"""Looks come after growing pauses; the steps follow from the moment that they count from, and from nothing else."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.housekeeping.pauses import Pauses

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SINCE = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
all_pauses = st.builds(
    Pauses,
    first=st.timedeltas(MINUTE, timedelta(hours=2)),
    factor=st.integers(2, 10),
    most=st.timedeltas(timedelta(hours=2), 2 * DAY),
)
times_after = st.timedeltas(timedelta(0), timedelta(days=9))


def steps(pauses: Pauses, count: int) -> list[datetime]:
    """The first steps, each looked up at the moment of the one before it."""
    found = [pauses.next_step(SINCE, SINCE)]
    while len(found) < count:
        found.append(pauses.next_step(SINCE, found[-1]))
    return found


@given(all_pauses)
def test_pauses_grow_up_to_the_longest_one_which_then_repeats(pauses: Pauses) -> None:
    gaps = [later - earlier for earlier, later in pairwise([SINCE, *steps(pauses, 16)])]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (pauses.first, pauses.most)


@given(all_pauses, times_after)
def test_a_late_look_comes_back_to_the_same_steps_and_not_at_once(pauses: Pauses, late: timedelta) -> None:
    now = SINCE + late
    following = pauses.next_step(SINCE, now)
    assert following >= now + pauses.first
    assert pauses.next_step(SINCE, following - pauses.first) == following, "as for a look in time"


@pytest.mark.parametrize(("hours", "then"), [(0, 0.5), (0.5, 4), (3, 4), (4, 28), (28, 52), (76, 100)])
def test_twilio_is_asked_after_half_an_hour_four_hours_and_daily(hours: float, then: float) -> None:
    pauses = Pauses(first=timedelta(minutes=30), factor=8, most=DAY)
    assert pauses.next_step(SINCE, SINCE + timedelta(hours=hours)) == SINCE + timedelta(hours=then)
