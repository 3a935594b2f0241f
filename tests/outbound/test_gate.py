"""A wrong token or a suspended account: everything is kept and waits, one asks, and all goes on by itself."""

import logging
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from shared.errors import SwitchboardError, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.gate import Gate
from shared.tables import Entity, Table
from tests.fakes import a_sid, an_answer
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

TURNED_AWAY = [
    TwilioRefused(status=401, code=20003, explanation=""),
    TwilioRefused(status=403, code=20005, explanation=""),
    TwilioRefused(status=403, code=30002, explanation=""),
    TwilioRefused(status=401, code=70051, explanation=""),
]
SECOND = timedelta(seconds=1)


async def test_an_open_gate_holds_nobody_back(bench: Bench) -> None:
    assert bench.gate.wait(bench.clock.now) is None
    await bench.gate.check(bench.clock.now)
    await bench.gate.open()
    assert bench.journal == [], "and costs nothing"


async def test_a_gate_that_is_shut_says_how_long_and_lets_one_through_when_it_is_time(bench: Bench) -> None:
    now = bench.clock.now
    await bench.gate.shut(20003, now)
    assert bench.gate.wait(now) == timedelta(seconds=15)
    assert bench.gate.wait(now + 14 * SECOND) == SECOND
    assert bench.gate.wait(now + 15 * SECOND) is None
    assert bench.gate.wait(now + 15 * SECOND) == timedelta(seconds=15), "one only"


async def test_a_look_waits_as_long_and_takes_nobodys_turn(bench: Bench) -> None:
    """A look tells nothing of the account: a send must still be let through, or the gate would stay shut."""
    now = bench.clock.now
    assert bench.gate.pause(now) is None
    await bench.gate.shut(20003, now)
    assert bench.gate.pause(now + 14 * SECOND) == SECOND
    for _ in range(3):
        assert bench.gate.pause(now + 15 * SECOND) is None
    assert bench.gate.wait(now + 15 * SECOND) is None


async def test_each_time_it_is_shut_again_it_waits_longer_up_to_five_minutes(bench: Bench) -> None:
    waits = []
    for _ in range(7):
        await bench.gate.shut(30002, bench.clock.now)
        wait = bench.gate.wait(bench.clock.now)
        assert wait is not None
        waits.append(wait.total_seconds())
        bench.clock.advance(wait)
        assert bench.gate.wait(bench.clock.now) is None, "one asks"
    assert waits == [15, 30, 60, 120, 240, 300, 300]


async def test_a_401_that_is_not_twilios_holds_nobody_back(bench: Bench) -> None:
    """A proxy that wants credentials of its own says nothing of the account; nor does it end a pause."""
    page = TwilioUnclear("expected Twilio's answer, got HTTP 401 without Twilio's error body", retry_after=60)
    await bench.gate.heed(page, bench.clock.now)
    assert bench.gate.wait(bench.clock.now) is None
    await bench.gate.shut(20003, bench.clock.now)
    await bench.gate.heed(page, bench.clock.now)
    assert bench.gate.wait(bench.clock.now) == timedelta(seconds=15)


async def test_many_that_were_under_way_when_it_shut_make_the_pause_no_longer(bench: Bench) -> None:
    for _ in range(32):
        await bench.gate.shut(20003, bench.clock.now)
    assert bench.gate.wait(bench.clock.now) == timedelta(seconds=15)


async def test_once_it_is_open_it_begins_anew(bench: Bench) -> None:
    for _ in range(4):
        await bench.gate.shut(20003, bench.clock.now)
        bench.clock.advance(timedelta(minutes=5))
        assert bench.gate.wait(bench.clock.now) is None
    await bench.gate.open()
    assert (bench.gate.wait(bench.clock.now), bench.gate.code) == (None, None)
    await bench.gate.shut(20003, bench.clock.now)
    assert bench.gate.wait(bench.clock.now) == timedelta(seconds=15)


async def test_a_notice_tells_those_that_only_look_until_it_is_open_or_old(bench: Bench) -> None:
    other = Gate(bench.storage.lookups)
    await other.check(bench.clock.now)
    await bench.gate.shut(20003, bench.clock.now)
    with pytest.raises(TwilioUnavailable, match="20003") as caught:
        await other.check(bench.clock.now)
    assert caught.value.code == 20003
    bench.clock.advance(timedelta(minutes=15))
    await other.check(bench.clock.now)
    assert bench.gate.wait(bench.clock.now) is None
    await bench.gate.shut(20003, bench.clock.now)
    with pytest.raises(TwilioUnavailable):
        await other.check(bench.clock.now)
    await bench.gate.open()
    await other.check(bench.clock.now)


async def test_the_first_success_of_a_process_takes_down_what_one_before_it_left(bench: Bench) -> None:
    """The token was mended, and every process is new: health must not wait until the notice is old."""
    await bench.gate.shut(20003, bench.clock.now)
    bench.gate = Gate(bench.storage.lookups)
    with pytest.raises(TwilioUnavailable):
        await bench.gate.check(bench.clock.now)
    await bench.take(a_message())
    await bench.gate.check(bench.clock.now)


async def test_a_notice_is_looked_for_once_and_no_send_fails_for_it(bench: Bench) -> None:
    class Away(Table):
        asked = 0

        async def put(self, entity: Entity) -> None:
            self.asked += 1
            raise HttpResponseError("storage is away")

        async def delete(self, partition: str, row: str, **more: Any) -> None:  # noqa: ANN401 - as the table's
            self.asked += 1
            if self.asked < 4:
                raise HttpResponseError("storage is away")

    away = Away(bench.storage.lookups._client)
    gate = Gate(away)
    await gate.shut(20003, bench.clock.now)
    assert (away.asked, gate.code) == (1, 20003)
    for _ in range(5):
        await gate.open()
    assert (away.asked, gate.code) == (4, None), "asked again until it went, and no more"


async def test_it_is_told_loudly(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "shared"):
        await bench.gate.shut(20003, bench.clock.now)
        await bench.gate.open()
    assert [record.levelname for record in caplog.records] == ["CRITICAL", "WARNING"]


@pytest.mark.parametrize("error", TURNED_AWAY, ids=lambda error: str(error.code))
async def test_when_the_account_is_turned_away_every_request_is_kept_and_nothing_is_sent(
    bench: Bench, error: SwitchboardError
) -> None:
    bench.provider.outcomes = [error]
    for n in range(4):
        await bench.take(a_message(id=f"order-{n}"))
    assert len(bench.provider.created) == 1, "the others wait without asking"
    assert len(bench.queue.puts) == 4
    for n in range(4):
        delivery = await bench.delivery(f"order-{n}")
        assert (delivery.status, delivery.error_code) == ("retrying", error.code)  # type: ignore[attr-defined]
    assert all(delay >= 15 * SECOND for _, delay in bench.queue.puts[1:])


async def _until_all_are_sent(bench: Bench, *, at_most: int) -> None:
    """Take each message when its time comes, as the queue would bring it."""
    waiting = [(bench.clock.now + delay, message) for message, delay in bench.queue.puts]
    for _ in range(at_most):
        if not waiting:
            return
        waiting.sort()
        due, message = waiting.pop(0)
        bench.clock.now = max(bench.clock.now, due)
        bench.queue.puts.clear()
        await bench.take(message)
        waiting += [(bench.clock.now + delay, again) for again, delay in bench.queue.puts]
    raise AssertionError(f"still waiting: {len(waiting)}")


async def test_it_asks_seldom_while_it_lasts_and_goes_on_by_itself_when_it_is_over(bench: Bench) -> None:
    begun = bench.clock.now
    hours = timedelta(hours=2)
    asked: list[timedelta] = []

    def turn_away() -> None:
        asked.append(bench.clock.now - begun)
        bench.provider.outcomes = [TURNED_AWAY[0]] if bench.clock.now < begun + hours else [an_answer(a_sid())]

    bench.provider.meanwhile = turn_away
    for n in range(5):
        await bench.take(a_message(id=f"order-{n}"))
    await _until_all_are_sent(bench, at_most=600)
    before = [moment for moment in asked if moment < hours]
    assert len(before) <= 4 + hours // timedelta(minutes=5) + 1
    sent = Counter([(await bench.delivery(f"order-{n}")).status for n in range(5)])
    assert sent == {"queued": 5}
    assert len(asked) - len(before) == 5, "each of them once"
    await bench.gate.check(bench.clock.now)


async def test_an_answer_that_an_account_in_order_gets_opens_it(bench: Bench) -> None:
    for answer in (TwilioRefused(status=400, code=21211, explanation=""), an_answer(a_sid())):
        await bench.gate.shut(20003, bench.clock.now)
        bench.clock.advance(15 * SECOND)
        bench.provider.outcomes = [answer]
        await bench.take(a_message(id=a_sid("x")))
        assert bench.gate.wait(bench.clock.now) is None


async def test_what_says_nothing_of_the_account_leaves_it_shut(bench: Bench) -> None:
    await bench.gate.shut(20003, bench.clock.now)
    bench.clock.advance(15 * SECOND)
    bench.provider.outcomes = [TwilioUnavailable("no connection")]
    await bench.take(a_message())
    assert bench.gate.wait(bench.clock.now) is not None


async def test_a_duplicate_is_acknowledged_while_it_is_shut(bench: Bench) -> None:
    await bench.take(a_message())
    await bench.gate.shut(20003, bench.clock.now)
    await bench.take(a_message())
    assert bench.queue.puts == []


async def asked_of(bench: Bench, gate: Gate, *errors: SwitchboardError) -> bool:
    """Have a gate ask a Twilio that meets these errors, one after the other."""
    left = list(errors)

    async def question() -> None:
        if left:
            raise left.pop(0)

    return await gate.ask(question, bench.clock.now)


async def is_noticed(bench: Bench) -> bool:
    try:
        await Gate(bench.storage.lookups).check(bench.clock.now)
    except TwilioUnavailable:
        return True
    return False


async def test_nobody_is_asked_where_no_notice_stands(bench: Bench) -> None:
    assert not await asked_of(bench, bench.gate)


async def test_what_is_answered_takes_the_notice_down_whoever_left_it(bench: Bench) -> None:
    other = Gate(bench.storage.lookups)
    await other.open()
    await bench.gate.shut(20003, bench.clock.now)
    assert await asked_of(bench, other)
    assert not await is_noticed(bench)
    assert not await asked_of(bench, other)


async def test_it_is_asked_when_the_pause_is_over_and_shut_again_where_it_is_turned_away(bench: Bench) -> None:
    await bench.gate.shut(20003, bench.clock.now)
    assert not await asked_of(bench, bench.gate), "not before"
    bench.clock.advance(15 * SECOND)
    assert await asked_of(bench, bench.gate, TURNED_AWAY[0])
    assert bench.gate.wait(bench.clock.now) == timedelta(seconds=30)
    assert await is_noticed(bench)
    bench.clock.advance(30 * SECOND)
    assert await asked_of(bench, bench.gate, TwilioUnavailable("no connection"))
    assert await is_noticed(bench), "no answer says nothing"
    bench.clock.advance(30 * SECOND)
    assert await asked_of(bench, bench.gate)
    assert (await is_noticed(bench), bench.gate.wait(bench.clock.now)) == (False, None)


async def test_a_success_takes_down_what_another_process_left_since_once_it_was_looked_at(bench: Bench) -> None:
    await bench.gate.open()
    await Gate(bench.storage.lookups).shut(20003, bench.clock.now)
    with pytest.raises(TwilioUnavailable):
        await bench.gate.check(bench.clock.now)
    await bench.take(a_message())
    await bench.gate.check(bench.clock.now)
