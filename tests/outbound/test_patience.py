"""How long to wait between two looks: ever longer, bounded, and from what is on record."""

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outbound.patience import PATIENCE, next_pause, pause_after_failure
from tests.deliveries.samples import NOW, a_delivery

UNCERTAIN = a_delivery(status="uncertain")
SECOND = timedelta(seconds=1)


def seen(seconds: float) -> datetime:
    """A moment so many seconds after the first sight of a candidate, and that sight was now."""
    return NOW + seconds * SECOND


@pytest.mark.parametrize(
    ("seconds", "pause"), [(0, 15), (15, 30), (45, 60), (105, 120), (225, 240), (465, 135), (599, 1), (600, None)]
)
def test_the_pauses_for_the_owner_of_a_candidate_double_and_end_after_ten_minutes(
    seconds: float, pause: int | None
) -> None:
    waiting = msgspec.structs.replace(UNCERTAIN, unowned_since=NOW)
    expected = None if pause is None else pause * SECOND
    assert next_pause(waiting, seen(seconds)) == expected


def test_the_first_sight_begins_them() -> None:
    assert next_pause(UNCERTAIN, NOW) == 15 * SECOND


def test_what_is_left_for_a_person_with_candidates_is_waited_for_no_more() -> None:
    for left in ({"candidates": ("SM1",)}, {"candidates": ("SM1",), "unowned_since": NOW, "left_at": NOW}):
        assert next_pause(msgspec.structs.replace(UNCERTAIN, **left), NOW) is None


@given(st.lists(st.floats(0, 300), max_size=60))
def test_however_late_the_messages_come_the_patience_ends(delays: list[float]) -> None:
    waiting, now, looks = msgspec.structs.replace(UNCERTAIN, unowned_since=NOW), NOW, 0
    late = iter(delays)
    while (pause := next_pause(waiting, now)) is not None:
        assert SECOND * 0 < pause <= PATIENCE - (now - NOW)
        now += pause + next(late, 0) * SECOND
        looks += 1
    assert now >= NOW + PATIENCE
    assert looks <= 6


@pytest.mark.parametrize(("minutes", "pause"), [(0, 0.5), (0.1, 0.5), (2, 2), (15, 15), (600, 15)])
def test_looks_that_fail_are_repeated_ever_less_often(minutes: float, pause: float) -> None:
    over = UNCERTAIN.deadline or NOW
    now = over + timedelta(minutes=minutes)
    assert pause_after_failure(UNCERTAIN, now, at_least=timedelta(0)) == timedelta(minutes=pause)
    assert pause_after_failure(UNCERTAIN, now, at_least=timedelta(hours=1)) == timedelta(hours=1)


@pytest.mark.parametrize(("asked", "pause"), [(1, 1), (10, 10), (60 * 24 * 7, 20)])
def test_the_pause_that_an_answer_asks_for_ends_when_the_request_expires(asked: int, pause: int) -> None:
    now = UNCERTAIN.deadline or NOW
    expiring = msgspec.structs.replace(UNCERTAIN, expires_at=now + timedelta(minutes=20))
    assert pause_after_failure(expiring, now, at_least=timedelta(minutes=asked)) == timedelta(minutes=pause)


@pytest.mark.parametrize(("expires", "ends"), [(30, 60), (60, 60), (90, 90)])
def test_a_person_is_asked_when_it_has_expired_and_looks_were_tried_for_an_hour(expires: int, ends: int) -> None:
    over = UNCERTAIN.deadline or NOW
    expiring = msgspec.structs.replace(UNCERTAIN, expires_at=over + timedelta(minutes=expires))
    end = over + timedelta(minutes=ends)
    assert pause_after_failure(expiring, end - SECOND, at_least=timedelta(0)) is not None
    assert pause_after_failure(expiring, end, at_least=timedelta(0)) is None
