"""What may be sent again and how, with the clock in hand; over HTTP it is in tests/end_to_end/test_replay.py."""

from datetime import timedelta

import msgspec
import pytest

from shared.deliveries import status
from shared.deliveries.log import DeliveryLog
from shared.errors import Changed, RequestInvalid, TwilioRefused, TwilioUnclear
from shared.outbound.checks import Rules
from shared.outbound.replay import REPLAYABLE, NotReplayable, replay
from tests.deliveries.samples import a_delivery, an_event
from tests.fakes import FROM_NUMBER, a_sid, an_answer, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

REFUSED = TwilioRefused(status=400, code=21606, explanation="")
DAY = timedelta(days=1)


async def replayed(bench: Bench, delivery_id: str = "order-1", *, looked: bool = False, by: str | None = None) -> None:
    """Replay it; the message that it gets is the only one that the queue remembers."""
    bench.queue.puts.clear()
    await replay(
        await bench.delivery(delivery_id),
        rules=Rules(bench.settings),
        log=bench.storage.log,
        queue=bench.queue,
        now=bench.clock.now,
        looked=looked,
        by=by,
    )


async def failed(bench: Bench) -> str:
    """Have a text fail at Twilio; return its SID."""
    bench.provider.outcomes = [an_answer(sid := a_sid())]
    await bench.take(a_message())
    await bench.storage.log.record(await bench.delivery(), an_event("undelivered", sid=sid, error_code=30003))
    return sid


def test_only_what_is_over_and_did_not_arrive_can_be_replayed() -> None:
    assert sorted(REPLAYABLE) == ["busy", "expired", "failed", "no-answer", "rejected", "undelivered"]
    assert all(status.is_final("sms", word) or status.is_final("call", word) for word in REPLAYABLE)


@pytest.mark.parametrize("word", sorted(status.ALL - REPLAYABLE))
async def test_nothing_else_is(bench: Bench, word: str) -> None:
    with pytest.raises(NotReplayable, match=word):
        await replay(
            a_delivery(status=word),
            rules=Rules(bench.settings),
            log=bench.storage.log,
            queue=bench.queue,
            now=bench.clock.now,
        )
    assert bench.journal == []


async def test_a_tombstone_has_nothing_left_to_send(bench: Bench) -> None:
    await failed(bench)
    await bench.storage.log.erase(await bench.delivery(), now=bench.clock.now)
    with pytest.raises(NotReplayable, match="it is erased"):
        await replayed(bench)


async def test_the_message_and_the_entry_are_written_before_the_state_that_relies_on_them(bench: Bench) -> None:
    await failed(bench)
    bench.journal.clear()
    await replayed(bench)
    assert bench.journal == ["queue", "wake", "event retrying", "status", "delivery retrying"]


async def test_it_is_sent_again_as_another_attempt_on_its_own_record(bench: Bench) -> None:
    sid = await failed(bench)
    bench.clock.advance(3 * DAY)
    await replayed(bench)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.sid, delivery.past_sids) == ("retrying", None, (sid,))
    assert (delivery.next_attempt_at, delivery.expires_at) == (bench.clock.now, bench.clock.now + DAY)
    [(message, delay)] = bench.queue.puts
    bench.clock.advance(delay)
    await bench.take(message)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.attempts, len(bench.provider.created)) == ("queued", 2, 2)
    assert delivery.sid not in {None, sid}


async def test_late_news_of_the_earlier_attempt_change_nothing(bench: Bench) -> None:
    sid = await failed(bench)
    await replayed(bench)
    waiting = await bench.delivery()
    assert await bench.storage.log.record(waiting, an_event("delivered", sid=sid)) == waiting
    await bench.take(bench.queue.puts[0][0])
    sent = await bench.delivery()
    assert await bench.storage.log.record(sent, an_event("read", sid=sid)) == sent
    assert await bench.storage.log.fold_again(sent) == sent


async def test_it_may_be_replayed_again_and_again_and_all_of_it_is_remembered(bench: Bench) -> None:
    sids = [await failed(bench)]
    for _ in range(2):
        await replayed(bench)
        bench.provider.outcomes = [an_answer(sid := a_sid())]
        await bench.take(bench.queue.puts[0][0])
        await bench.storage.log.record(await bench.delivery(), an_event("undelivered", sid=sid))
        sids.append(sid)
    delivery = await bench.delivery()
    assert (*delivery.past_sids, delivery.sid) == tuple(sids)
    assert (await bench.statuses()).count("retrying") == 2


async def test_each_replay_and_its_end_are_on_record_though_no_attempt_began(bench: Bench) -> None:
    """Between the replay and the attempt, the settings became stricter."""
    await failed(bench)
    for name in ("Ada", "Grace"):
        bench.settings = make_settings()
        await replayed(bench, by=name)
        bench.clock.advance(DAY / 2)
        bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
        await bench.take(bench.queue.puts[0][0])
    timeline = await bench.storage.log.timeline("order-1")
    told = [(event.status, event.by) for event in timeline if event.status in {"retrying", "rejected"}]
    assert told == [("retrying", "Ada"), ("rejected", None), ("retrying", "Grace"), ("rejected", None)]


async def test_what_twilio_refused_has_no_sid_to_remember(bench: Bench) -> None:
    bench.provider.outcomes = [REFUSED]
    await bench.take(a_message())
    await replayed(bench)
    assert (await bench.delivery()).past_sids == ()
    await bench.take(bench.queue.puts[0][0])
    assert (await bench.delivery()).status == "queued"


async def test_what_expired_gets_another_day(bench: Bench) -> None:
    message = a_message(expires_at=bench.clock.now.isoformat())
    await bench.take(message)
    assert (await bench.delivery()).status == "expired"
    await replayed(bench)
    await bench.take(bench.queue.puts[0][0])
    assert (await bench.delivery()).status == "queued"


async def test_of_two_that_replay_it_at_once_one_does(bench: Bench) -> None:
    await failed(bench)
    delivery = await bench.delivery()
    await replay(delivery, rules=Rules(bench.settings), log=bench.storage.log, queue=bench.queue, now=bench.clock.now)
    with pytest.raises(Changed):
        await replay(
            delivery, rules=Rules(bench.settings), log=bench.storage.log, queue=bench.queue, now=bench.clock.now
        )
    for message, _ in bench.queue.puts[:]:
        await bench.take(message)
    assert len(bench.provider.created) == 2


async def test_a_crash_before_the_state_leaves_a_message_too_many_and_nothing_is_sent(bench: Bench) -> None:
    class Dead(DeliveryLog):
        async def reopen(self, *_args: object) -> None:  # type: ignore[override]
            raise ConnectionError

    await failed(bench)
    bench.queue.puts.clear()
    log = Dead(bench.storage.deliveries, bench.storage.lookups)
    with pytest.raises(ConnectionError):
        await replay(
            await bench.delivery(), rules=Rules(bench.settings), log=log, queue=bench.queue, now=bench.clock.now
        )
    [(message, _)] = bench.queue.puts
    await bench.take(message)
    assert len(bench.provider.created) == 1
    assert (await bench.delivery()).status == "undelivered"


async def rejected(bench: Bench, message: bytes) -> None:
    """Have a message rejected for a reason that is gone since."""
    allowed, bench.settings = bench.settings, make_settings(ALLOWED_COUNTRIES="DE")
    await bench.take(message, message_id="message-1")
    bench.settings = allowed
    assert (await bench.delivery("message-1")).status == "rejected"


async def test_a_rejected_message_goes_to_the_queue_as_it_came_and_stays_on_record(bench: Bench) -> None:
    await rejected(bench, a_message())
    await replayed(bench, "message-1")
    assert bench.queue.puts == [(a_message(), timedelta(0))]
    delivery = await bench.delivery("message-1")
    assert (delivery.status, delivery.replayed_at) == ("rejected", bench.clock.now)
    assert [event.raw.get("reason") for event in await bench.timeline("message-1")] == [None, "replayed"]
    await bench.take(a_message())
    assert (await bench.delivery()).status == "queued"


async def test_a_rejected_message_is_replayed_once(bench: Bench) -> None:
    """It would be rejected as another each time, and a search that replays would find twice as many the next time."""
    await rejected(bench, a_message())
    await replayed(bench, "message-1")
    with pytest.raises(NotReplayable, match="replayed at 2026-03-02T12:00:00Z"):
        await replayed(bench, "message-1")
    assert bench.queue.puts == []


@pytest.mark.parametrize("message", [b"{}", b"no json", a_message(to="12"), a_message(colour="red")])
async def test_what_still_cannot_be_sent_is_not_replayed_and_its_faults_are_named(bench: Bench, message: bytes) -> None:
    await bench.take(message, message_id="message-1")
    before = await bench.delivery("message-1")
    with pytest.raises(RequestInvalid) as caught:
        await replayed(bench, "message-1")
    assert tuple(map(str, caught.value.faults)) == before.reasons
    assert (bench.queue.puts, await bench.delivery("message-1")) == ([], before)


async def test_other_content_under_a_used_id_is_not_replayed(bench: Bench) -> None:
    await bench.take(a_message())
    await bench.take(a_message(body="Something else"), message_id="message-1")
    with pytest.raises(RequestInvalid, match="id: expected the content"):
        await replayed(bench, "message-1")
    assert bench.queue.puts == []


async def test_a_failed_request_that_the_settings_no_longer_allow_is_not_replayed(bench: Bench) -> None:
    await failed(bench)
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    with pytest.raises(RequestInvalid, match="ALLOWED_COUNTRIES"):
        await replayed(bench)
    assert (await bench.delivery()).status == "undelivered"


async def test_what_was_left_for_a_person_is_sent_again_when_the_person_says_that_it_is_not_there(
    bench: Bench,
) -> None:
    bench.provider.outcomes = [TwilioUnclear("no answer")]
    other = an_answer(a_sid(), body="differs", from_=FROM_NUMBER, created_at=bench.clock.now)
    await bench.take(a_message())
    with pytest.raises(NotReplayable, match="uncertain"):
        await replayed(bench)
    bench.clock.advance(timedelta(seconds=80))
    bench.provider.has = [other]
    with pytest.raises(NotReplayable, match="uncertain"):
        await replayed(bench, looked=True)
    await bench.take(a_message())
    with pytest.raises(NotReplayable, match="uncertain"):
        await replayed(bench, looked=True)
    bench.clock.advance(timedelta(minutes=10))
    await bench.take(a_message())
    bench.queue.puts.clear()
    with pytest.raises(NotReplayable, match="uncertain"):
        await replayed(bench)
    await replayed(bench, looked=True)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.past_sids, delivery.candidates) == ("retrying", (other.sid,), ())
    [(message, delay)] = bench.queue.puts
    bench.clock.advance(delay)
    await bench.take(message)
    assert ((await bench.delivery()).status, len(bench.provider.created)) == ("queued", 2)
    late = an_event("delivered", sid=other.sid)
    assert (await bench.storage.log.record(await bench.delivery(), late)).status == "queued", "none of its own"


async def test_a_request_that_was_rejected_after_it_was_claimed_is_sent_once_its_reason_is_gone(bench: Bench) -> None:
    bench.provider.outcomes = [REFUSED]
    await bench.take(a_message())
    await replayed(bench)
    bench.settings = make_settings(ALLOWED_COUNTRIES="DE")
    await bench.take(a_message())
    assert (await bench.delivery()).status == "rejected"
    bench.settings = make_settings()
    await replayed(bench)
    await bench.take(bench.queue.puts[0][0])
    assert (await bench.delivery()).status == "queued"
    assert msgspec.structs.asdict(await bench.delivery())["attempts"] == 2
