"""Retries over hours, with the clock in hand: for as long as the request is valid, and its last word is passed on."""

from datetime import timedelta

import pytest

from shared.errors import SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from tests.fakes import a_sid, an_answer
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, a_message

DOWN = TwilioUnavailable("no connection to Twilio")
FULL = TwilioRefused(status=400, code=21611, explanation="")
HOUR = timedelta(hours=1)


async def go_on(bench: Bench, message: bytes, *, until: str) -> int:
    """Take the message each time that it is due, as the queue would bring it; return how often that was."""
    await bench.take(message)
    for count in range(1, 1000):
        if (await bench.delivery()).status == until:
            return count
        due, delay = bench.queue.puts[-1]
        assert due == message
        bench.clock.advance(delay)
        await bench.take(message)
    raise AssertionError(await bench.delivery())


async def fail_until(bench: Bench, error: SwitchboardError, lasts: timedelta) -> None:
    end = bench.clock.now + lasts

    def meanwhile() -> None:
        bench.provider.outcomes = [error] if bench.clock.now < end else [an_answer(a_sid())]

    bench.provider.meanwhile = meanwhile


@pytest.mark.parametrize("error", [DOWN, FULL, TwilioUnavailable("busy", code=20429), TooLate("no time")])
async def test_a_request_outlasts_hours_without_twilio_and_is_sent_once_it_is_back(
    bench: Bench, error: SwitchboardError
) -> None:
    begun = bench.clock.now
    await fail_until(bench, error, 6 * HOUR)
    takes = await go_on(bench, a_message(), until="queued")
    assert 6 * HOUR <= bench.clock.now - begun < 6.5 * HOUR
    assert takes < 70, "the waits grow"
    delivery = await bench.delivery()
    assert delivery.attempts == len(bench.provider.created) == takes
    assert await bench.statuses() == ["retrying"] * (takes - 1) + ["queued"]


async def test_it_is_tried_until_the_request_expires_and_not_later(bench: Bench) -> None:
    begun = bench.clock.now
    bench.provider.meanwhile = lambda: bench.provider.outcomes.append(DOWN)
    bench.provider.outcomes = [DOWN]
    await go_on(bench, a_message(), until="expired")
    assert bench.clock.now - begun == 24 * HOUR, "the default"
    created = len(bench.provider.created)
    bench.clock.advance(HOUR)
    await bench.take(a_message())
    assert len(bench.provider.created) == created
    assert (await bench.delivery()).next_attempt_at is None


async def test_what_expires_may_be_said_in_the_request(bench: Bench) -> None:
    begun = bench.clock.now
    bench.provider.meanwhile = lambda: bench.provider.outcomes.append(DOWN)
    bench.provider.outcomes = [DOWN]
    await go_on(bench, a_message(expires_at=(begun + 3 * HOUR).isoformat()), until="expired")
    assert bench.clock.now - begun == 3 * HOUR


async def test_the_plan_is_visible_in_the_delivery(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioUnavailable("busy", code=20429, retry_after=600.0)]
    await bench.take(a_message())
    delivery = await bench.delivery()
    [(_, delay)] = bench.queue.puts
    assert delivery.next_attempt_at == bench.clock.now + delay
    [event] = await bench.timeline()
    assert event.raw["next_attempt_at"] == delivery.next_attempt_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("asked", [0.0, 3.0, 60.0, 3600.0])
async def test_what_twilio_asks_for_is_waited_for_at_least(bench: Bench, asked: float) -> None:
    bench.provider.outcomes = [TwilioUnavailable("busy", code=20429, retry_after=asked)]
    await bench.take(a_message())
    [(_, delay)] = bench.queue.puts
    assert timedelta(seconds=max(asked, 2.5)) <= delay <= timedelta(seconds=max(asked * 1.25, 5))


@pytest.mark.parametrize(("asked", "seconds"), [(None, 80), (0.0, 80), (79.0, 80), (300.0, 300), (7200.0, 7200)])
async def test_an_ambiguous_answer_is_looked_for_no_earlier_than_it_asks_for(
    bench: Bench, asked: float | None, seconds: int
) -> None:
    """And by no copy of its message either."""
    bench.provider.outcomes = [TwilioUnclear("HTTP 503 without Twilio's error body", retry_after=asked)]
    began = bench.clock.now
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert (delivery.status, delivery.error_code) == ("uncertain", None)
    assert delivery.error_message == "HTTP 503 without Twilio's error body"
    assert delivery.next_attempt_at == began + timedelta(seconds=seconds)
    assert bench.queue.puts == [(a_message(), timedelta(seconds=seconds))]
    bench.clock.advance(timedelta(seconds=seconds - 1))
    await bench.take(a_message())
    assert bench.provider.looks == []
    bench.clock.advance(timedelta(seconds=1))
    await bench.take(a_message())
    assert len(bench.provider.looks) == 1


async def test_an_ambiguous_answer_is_looked_for_before_its_request_expires_whatever_was_asked_for(
    bench: Bench,
) -> None:
    bench.provider.outcomes = [TwilioUnclear("a proxy's page", retry_after=1e300)]
    expires = bench.clock.now + timedelta(hours=1)
    await bench.take(a_message(expires_at=expires.isoformat()))
    [(_, delay)] = bench.queue.puts
    assert bench.clock.now + delay == expires


async def test_no_more_is_waited_than_a_queue_can_hold_whatever_twilio_asks_for(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioUnavailable("busy", code=20429, retry_after=1e12)]
    await bench.take(a_message(expires_at="2099-01-01T00:00:00Z"))
    [(_, delay)] = bench.queue.puts
    assert timedelta(days=7) <= delay <= timedelta(days=9)


@pytest.mark.parametrize(
    ("lasts", "expected"),
    [
        (timedelta(seconds=90), 90),
        (timedelta(seconds=0.5), 1),
        (timedelta(hours=9, minutes=59), 35_940),
        (timedelta(hours=10), None),
        (timedelta(hours=24), None),
    ],
)
async def test_what_is_left_goes_to_twilio_as_its_validity_period(
    bench: Bench, lasts: timedelta, expected: int | None
) -> None:
    """36,000 s is Twilio's longest, and what it takes where nothing is said."""
    await bench.take(a_message(expires_at=(bench.clock.now + lasts).isoformat()))
    [created] = bench.provider.created
    assert created.parameters.get("validity_period") == expected


async def test_what_is_left_gets_less_with_each_retry(bench: Bench) -> None:
    message = a_message(expires_at=(bench.clock.now + HOUR).isoformat())
    await fail_until(bench, DOWN, HOUR / 2)
    await go_on(bench, message, until="queued")
    periods = [created.parameters["validity_period"] for created in bench.provider.created]
    assert periods == sorted(periods, reverse=True)
    assert (periods[0], periods[-1] < 1800) == (3600, True)


async def test_by_default_a_request_is_valid_for_a_day_from_when_it_was_taken(bench: Bench) -> None:
    await bench.take(a_message())
    assert (await bench.delivery()).expires_at == bench.clock.now + 24 * HOUR


async def test_calls_have_no_validity_period_and_expire_all_the_same(bench: Bench) -> None:
    await bench.take(a_message(CALL, id="order-1", expires_at=(bench.clock.now + HOUR).isoformat()))
    assert "validity_period" not in bench.provider.created[0].parameters
    await bench.take(a_message(CALL, id="order-3", expires_at=bench.clock.now.isoformat()))
    assert (await bench.delivery("order-3")).status == "expired"


async def test_an_outage_and_lost_answers_and_a_rate_limit_make_one_message(bench: Bench) -> None:
    bench.provider.outcomes = [DOWN, TwilioUnclear("HTTP 500"), TwilioUnavailable("busy", code=20429), FULL]
    takes = await go_on(bench, a_message(), until="queued")
    assert len(bench.provider.created) == 5
    assert takes == 6, "the second look, and the send that follows from it, are one"
    assert len(bench.provider.looks) == 2
    assert await bench.statuses() == ["retrying", "uncertain", "uncertain", "retrying", "retrying", "queued"]
