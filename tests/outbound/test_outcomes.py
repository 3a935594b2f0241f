import asyncio
import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.outcomes import Outcomes, SendError, back_off, own_event, seen
from shared.text.templates.files import parse
from shared.text.templates.library import Templates
from tests.deliveries.samples import NOW, a_delivery, an_event
from tests.fakes import FakeProvider, a_sid, an_answer
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

attempts = st.integers(1, 10_000)
jitters = st.floats(0, 1)
asked = st.integers(0, 7 * 86_400).map(lambda seconds: timedelta(seconds=seconds))
NO_TIME = timedelta(0)
BUSY = TwilioUnavailable("busy", code=20429)
UNREACHABLE = TwilioRefused(status=400, code=30003, explanation="")


@given(attempts, asked, jitters)
def test_a_wait_is_never_shorter_than_was_asked_nor_longer_than_it_must_be(
    count: int, at_least: timedelta, jitter: float
) -> None:
    wait = back_off(count, at_least=at_least, jitter=jitter)
    doubled = timedelta(seconds=min(5 * 2 ** min(count - 1, 30), 900))
    assert wait >= at_least
    assert doubled / 2 <= wait <= max(doubled, at_least * 1.25)


@given(attempts, jitters)
def test_a_wait_never_gets_shorter_with_more_attempts(count: int, jitter: float) -> None:
    first, second = (back_off(n, at_least=NO_TIME, jitter=jitter) for n in (count, count + 1))
    assert second >= first


def test_jitter_takes_up_to_half_of_a_wait_away() -> None:
    assert back_off(3, at_least=NO_TIME, jitter=0) == timedelta(seconds=20)
    assert back_off(3, at_least=NO_TIME, jitter=1) == timedelta(seconds=10)


def test_those_that_were_asked_to_wait_do_not_all_come_back_at_once() -> None:
    waits = {back_off(1, at_least=timedelta(minutes=1), jitter=jitter / 10) for jitter in range(11)}
    assert len(waits) == 11
    assert min(waits) == timedelta(minutes=1)
    assert max(waits) == timedelta(seconds=75)


def test_what_was_seen_is_one_event_for_each_way_and_status() -> None:
    queued, sent = an_answer(sid := a_sid()), an_answer(sid, "sent")
    keys = {
        seen(resource, source=source, at=NOW).key
        for resource in (queued, sent)
        for source in ("found", "asked")
        for _ in range(2)
    }
    assert len(keys) == 4
    assert seen(queued, source="answer", at=NOW).key == seen(sent, source="answer", at=NOW).key


def test_own_events_of_different_attempts_are_different() -> None:
    first, second = (own_event(a_delivery(attempt=token), {}) for token in ("a", "b"))
    assert first.key != second.key
    assert own_event(a_delivery(attempt="a"), {}, key="x").key != first.key


def outcomes(bench: Bench) -> Outcomes:
    return Outcomes(
        log=bench.storage.log,
        queue=bench.queue,
        consents=bench.consents,
        gate=bench.gate,
        settle=timedelta(minutes=1),
        clock=bench.clock,
    )


async def test_where_its_sid_belongs_to_another_delivery_it_is_looked_for_and_then_sent_again(bench: Bench) -> None:
    await bench.die_sending(a_message())
    sid = a_sid()
    assert await bench.storage.log.own_sid(sid, "order-9") == "order-9"
    assert not await outcomes(bench).accepted(await bench.delivery(), an_answer(sid), at=bench.clock.now)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid) == ("uncertain", None)
    assert await bench.storage.log.owner_of(sid) == "order-9"
    [(message, delay)] = bench.queue.puts
    assert delay == timedelta(seconds=80), "when the look can be made"
    bench.clock.advance(delay)
    await bench.look_twice(message)
    assert len(bench.provider.looks) == 2
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid not in {None, sid}) == ("queued", True), "its own message, of its own"


async def test_what_twilio_has_is_owned_before_it_is_on_record(bench: Bench) -> None:
    await bench.die_sending(a_message())
    bench.journal.clear()
    assert await outcomes(bench).accepted(await bench.delivery(), an_answer(a_sid()), at=bench.clock.now)
    assert bench.journal == ["sid", "event queued", "delivery queued"]


async def test_told_that_twilio_has_it_a_second_time_it_changes_nothing(bench: Bench) -> None:
    await bench.die_sending(a_message())
    delivery, answer = await bench.delivery(), an_answer(a_sid())
    assert await outcomes(bench).accepted(delivery, answer, at=bench.clock.now)
    first = await bench.delivery()
    assert await outcomes(bench).accepted(delivery, answer, at=bench.clock.now)
    assert await bench.delivery() == first
    assert len(await bench.timeline()) == 1


async def test_an_answer_that_comes_after_the_doubt_ends_the_doubt(bench: Bench) -> None:
    await bench.die_sending(a_message())
    slow = await bench.delivery()
    bench.clock.advance(timedelta(seconds=20))
    await bench.take(a_message())
    assert (await bench.delivery()).status == "uncertain"
    assert await outcomes(bench).accepted(slow, an_answer(sid := a_sid()), at=bench.clock.now)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid) == ("queued", sid)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TwilioUnavailable("busy", code=20429), "retrying"),
        (TwilioUnclear("HTTP 500", code=20500), "uncertain"),
        (TwilioRefused(status=401, code=20003, explanation=""), "retrying"),
    ],
    ids=["busy", "unclear", "turned away"],
)
async def test_the_message_that_comes_back_is_written_before_the_state_that_relies_on_it(
    bench: Bench, error: TwilioUnavailable, status: str
) -> None:
    bench.provider = FakeProvider(outcomes=[error])
    await bench.take(a_message())
    after = bench.journal[bench.journal.index("delivery submitting") + 1 :]
    assert after.count("queue") == 1
    assert after.index("queue") < after.index(f"event {status}") < after.index(f"delivery {status}")


async def test_an_attempt_that_died_gets_its_message_before_it_is_doubted(bench: Bench) -> None:
    await bench.die_sending(a_message())
    bench.journal.clear()
    bench.clock.advance(timedelta(seconds=20))
    await bench.take(a_message())
    after = bench.journal[bench.journal.index("queue") :]
    assert after == ["queue", "event uncertain", "status", "delivery uncertain"]


async def test_the_entries_that_find_a_delivery_are_written_before_its_claim(bench: Bench) -> None:
    await bench.take(a_message())
    before = bench.journal[: bench.journal.index("delivery submitting")]
    assert sorted(before) == ["day", "to", "wake"]


@pytest.mark.parametrize("error", [TwilioUnclear("no answer"), TwilioUnavailable("busy", code=20429)])
async def test_no_outcome_goes_over_what_twilio_said_meanwhile(
    bench: Bench, error: TwilioUnclear | TwilioUnavailable
) -> None:
    """A callback that came in between makes the state another: the message that comes back finds it sent."""
    await bench.die_sending(a_message())
    stale = await bench.delivery()
    await bench.storage.log.record(stale, an_event("sent"))
    await outcomes(bench).failed(stale, error)
    assert (await bench.delivery()).status == "sent"
    [(message, _)] = bench.queue.puts
    await bench.take(message)
    assert (await bench.delivery()).status == "sent"
    assert bench.provider.created == []


class Unwritable(DeliveryLog):
    """A log whose storage is away for every change of a state."""

    async def change(self, before: Delivery, after: Delivery, *events: Event) -> Delivery:
        raise HttpResponseError("storage is away")


@pytest.mark.parametrize("error", [TwilioUnclear("no answer"), BUSY])
async def test_a_state_that_cannot_be_written_is_left_to_the_message_that_comes_back(
    bench: Bench, error: TwilioUnclear | TwilioUnavailable
) -> None:
    """To raise would bring the message that was taken back as well: one would become two, and two four."""
    storage = bench.storage
    bench.storage = replace(storage, log=Unwritable(storage.deliveries, storage.lookups))
    bench.provider.outcomes = [error]
    message = a_message()
    await bench.take(message)
    for count in range(1, 5):
        assert len(bench.queue.puts) == count, "one for each that was taken"
        message, delay = bench.queue.puts[-1]
        bench.clock.advance(max(delay, timedelta(seconds=30)))
        await bench.take(message)
    bench.storage = storage
    message, _ = bench.queue.puts[-1]
    await bench.take(message)
    for _ in range(2):
        bench.clock.advance(timedelta(minutes=2))
        await bench.take(message)
    assert ((await bench.delivery()).status, len(bench.provider.created)) == ("queued", 2), "and nothing is lost"


async def test_many_that_doubt_at_once_are_no_more_afterwards(bench: Bench) -> None:
    await bench.die_sending(a_message())
    bench.clock.advance(timedelta(seconds=20))
    await asyncio.gather(*(bench.take(a_message()) for _ in range(5)))
    assert len(bench.queue.puts) == 5


async def test_what_may_be_temporary_is_sent_once_more_and_then_fails(bench: Bench) -> None:
    bench.provider.outcomes = [UNREACHABLE, UNREACHABLE]
    await bench.take(a_message())
    assert ((await bench.delivery()).status, (await bench.delivery()).error_code) == ("retrying", 30003)
    [(message, delay)] = bench.queue.puts
    assert timedelta(minutes=15) <= delay <= timedelta(minutes=20)
    bench.clock.advance(delay)
    await bench.take(message)
    assert ((await bench.delivery()).status, len(bench.provider.created)) == ("failed", 2)


async def test_what_may_be_temporary_fails_at_once_where_it_expires_before(bench: Bench) -> None:
    bench.provider.outcomes = [UNREACHABLE]
    await bench.take(a_message(expires_at=(bench.clock.now + timedelta(minutes=15)).isoformat()))
    delivery = await bench.delivery()
    assert (delivery.status, delivery.error_code, bench.queue.puts) == ("failed", 30003, [])


async def test_a_code_that_is_not_known_is_told_loudly(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    for code, name in ((99999, "order-1"), (21211, "order-2")):
        bench.provider.outcomes = [TwilioRefused(status=400, code=code, explanation="")]
        await bench.take(a_message(id=name))
        assert (await bench.delivery(name)).status == "failed"
    told = [record for record in caplog.records if "does not know" in record.getMessage()]
    expected = "a code that this app does not know, 99999: permanent [delivery order-1]"
    assert [(record.levelname, record.getMessage()) for record in told] == [("ERROR", expected)]


EXPLAINED = TwilioRefused(status=400, code=21211, explanation="Twilio's own words")


@pytest.mark.parametrize(
    ("error", "level", "line"),
    [
        (BUSY, logging.WARNING, "retrying, not processed: busy, again at 2026-03-02T12:00:0"),
        (
            TwilioUnclear("no answer"),
            logging.WARNING,
            "uncertain, not known whether it was sent: no answer, looked for at 2026-",
        ),
        (EXPLAINED, logging.ERROR, "failed, refused for good: Twilio refused with HTTP 400, code 21211"),
        (
            TwilioRefused(status=400, code=21610, explanation=""),
            logging.WARNING,
            "suppressed: Twilio refused with HTTP 400, code 21610",
        ),
    ],
    ids=["not processed", "not known", "refused", "opted out"],
)
async def test_the_log_says_what_is_known_and_what_is_next(
    bench: Bench, caplog: pytest.LogCaptureFixture, error: SendError, level: int, line: str
) -> None:
    bench.provider.outcomes = [error]
    await bench.take(a_message())
    [record] = [record for record in caplog.records if record.name == "shared.outbound.outcomes"]
    assert record.levelno == level
    assert record.getMessage().startswith(line)


@pytest.mark.parametrize(("held_up", "text"), [([BUSY], "expired; before that: busy"), ([], "expired")])
async def test_what_expires_says_what_held_it_up(
    bench: Bench, caplog: pytest.LogCaptureFixture, held_up: list[TwilioUnavailable], text: str
) -> None:
    caplog.set_level(logging.INFO, "shared")
    expires = bench.clock.now + timedelta(minutes=1 if held_up else 0)
    message = a_message(expires_at=expires.isoformat())
    if held_up:
        bench.provider.outcomes = list(held_up)
        await bench.take(message)
        bench.clock.now = expires
    caplog.clear()
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.error_message) == ("expired", text)
    assert (await bench.timeline())[-1].error_message == text
    [record] = caplog.records
    assert (record.levelno, record.__dict__["delivery"]) == (logging.INFO, "order-1")


async def test_a_request_with_hundreds_of_long_faults_is_on_record_whole(bench: Bench) -> None:
    names = [f"value_of_the_template_{number:010}" for number in range(40)]
    declared, text = "\n".join(f"{name} = 'text'" for name in names), "".join(f"{{{{ {name} }}}}" for name in names)
    made = parse("made", f"---\nchannel = 'sms'\n[values]\n{declared}\n--- en ---\n{text}\n")
    bench.templates = Templates({"made": made})
    message = a_message(body=..., template="made", data={f"name_that_nobody_{n:020}": "x" for n in range(150)})
    await bench.take(message)
    delivery = await bench.delivery("message-1")
    assert (delivery.status, delivery.request, len(delivery.reasons)) == ("rejected", message, 101)
    assert delivery.reasons[-1] == "and 90 more"
    assert all(reason.endswith("… (cut)") for reason in delivery.reasons[:100] if "is no value" in reason)
    [event] = await bench.timeline("message-1")
    assert tuple(event.raw["reasons"]) == delivery.reasons


@pytest.mark.parametrize("name", ["✓", "😀", '"', "x"])
async def test_the_faults_of_any_message_fit_a_row(bench: Bench, name: str) -> None:
    document = {**json.loads(a_message(id=name * 1000)), **{name * n: name for n in range(1, 90)}}
    await bench.take(json.dumps(document, ensure_ascii=False).encode())
    assert (await bench.delivery("message-1")).status == "rejected"


async def test_a_number_that_no_float_holds_is_a_fault_like_any_other(bench: Bench) -> None:
    made = parse("made", "---\nchannel = 'sms'\n[values]\nn = 'number'\n--- en ---\n{{ n }}\n")
    bench.templates = Templates({"made": made})
    await bench.take(a_message(body=..., template="made", data={"n": 10**400}))
    assert "data.n: expected a number from" in (await bench.delivery("message-1")).reasons[0]


async def test_what_twilio_explains_at_length_is_kept_as_far_as_it_fits(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioRefused(status=400, code=21211, explanation="😀" * 40_000)]
    await bench.take(a_message())
    delivery = await bench.delivery()
    assert delivery.status == "failed"
    assert (delivery.error_message or "").endswith("… (cut)")
