"""What health tells of the queue: how many requests wait and since when, and whether anybody takes them."""

from datetime import timedelta

import pytest

from shared.outbound.standstill import QueueStandsStill, Waiting
from shared.queues import Backlog, Queue
from tests.fakes import Clock

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


class Told(Queue):
    """A queue that has what a test says."""

    def __init__(self, backlog: Backlog | None = None) -> None:
        self.has = backlog or Backlog(0)

    async def backlog(self) -> Backlog:
        return self.has


async def looked(waiting: Waiting) -> bool:
    """Look, and tell whether all is well."""
    try:
        await waiting.check()
    except QueueStandsStill:
        return False
    return True


async def test_a_queue_is_told_of_with_the_age_of_its_first_message_and_the_poison_queue_too() -> None:
    clock = Clock()
    queue = Told(Backlog(7, "first", clock.now - timedelta(seconds=90)))
    waiting = Waiting(queue=queue, poison=Told(Backlog(2)), clock=clock)
    assert waiting.facts() == {}, "before anybody looked"
    await waiting.check()
    assert waiting.facts() == {
        "queue": {
            "messages": 7,
            "oldest_at": clock.now - timedelta(seconds=90),
            "oldest_age_seconds": 90,
            "poison_messages": 2,
        }
    }


async def test_an_empty_queue_has_no_oldest_message() -> None:
    waiting = Waiting(queue=Told(), poison=Told(), clock=Clock())
    await waiting.check()
    assert waiting.facts()["queue"] == {
        "messages": 0,
        "oldest_at": None,
        "oldest_age_seconds": None,
        "poison_messages": 0,
    }


async def test_a_clock_that_is_behind_azures_makes_no_age_below_nothing() -> None:
    clock = Clock()
    waiting = Waiting(queue=Told(Backlog(1, "first", clock.now + timedelta(seconds=2))), poison=Told(), clock=clock)
    await waiting.check()
    assert waiting.facts()["queue"]["oldest_age_seconds"] == 0


@pytest.mark.parametrize(
    ("age", "well"),
    [(DAY - MINUTE, True), (DAY, False), (6 * DAY, False)],
    ids=["less than a day", "a day", "six days"],
)
async def test_a_message_that_nobody_takes_for_a_day_is_a_problem(age: timedelta, well: bool) -> None:  # noqa: FBT001 - of the table
    clock = Clock()
    waiting = Waiting(queue=Told(Backlog(9, "first", clock.now - age)), poison=Told(), clock=clock)
    assert await looked(waiting), "it may have shown itself just now"
    clock.advance(MINUTE / 2)
    assert await looked(waiting)
    clock.advance(MINUTE / 2)
    assert await looked(waiting) == well
    assert waiting.facts()["queue"]["messages"] == 9, "it is told of all the same"


async def test_messages_that_were_hidden_for_days_are_no_problem_while_they_are_taken() -> None:
    """As old as that is each when it shows itself: a request that waited for its send_at, say."""
    clock = Clock()
    queue = Told()
    waiting = Waiting(queue=queue, poison=Told(), clock=clock)
    for number in range(5):
        queue.has = Backlog(100, f"message-{number}", clock.now - 5 * DAY)
        assert await looked(waiting)
        clock.advance(MINUTE)


async def test_after_a_look_that_failed_nothing_is_told() -> None:
    class Broken(Told):
        async def backlog(self) -> Backlog:
            raise ConnectionError

    queue = Told(Backlog(1))
    waiting = Waiting(queue=queue, poison=Told(), clock=Clock())
    await waiting.check()
    waiting._queue = Broken()
    with pytest.raises(ConnectionError):
        await waiting.check()
    assert waiting.facts() == {}
