"""Canceling what waits, with the clock in hand; over HTTP it is in tests/web/test_cancel.py."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from shared.deliveries import status
from shared.deliveries.feed import Feed
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed, TwilioUnavailable
from shared.outbound import internal
from shared.outbound.cancel import CANCELABLE, NotCancelable, cancel
from shared.outbound.replay import replay
from tests.deliveries.samples import an_event
from tests.fakes import a_sid, an_answer
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

AN_HOUR = timedelta(hours=1)


def in_an_hour(bench: Bench) -> str:
    return (bench.clock.now + AN_HOUR).isoformat()


async def waiting(bench: Bench) -> Delivery:
    await bench.take(a_message(send_at=in_an_hour(bench)))
    return await bench.delivery()


async def retrying(bench: Bench) -> Delivery:
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await bench.take(a_message())
    return await bench.delivery()


async def canceled(bench: Bench, delivery: Delivery, *, by: str | None = None) -> Delivery:
    return await cancel(delivery, log=bench.storage.log, now=bench.clock.now, by=by)


async def wake(bench: Bench) -> None:
    await bench.take(internal.write(internal.Wake("order-1")))


async def cancellation(bench: Bench) -> Event:
    [event] = [event for event in await bench.timeline() if event.status == "canceled"]
    return event


class Died(DeliveryLog):
    """A log whose process dies before it ends a delivery."""

    async def change(self, before: Delivery, after: Delivery, *events: Event) -> Delivery:
        if after.status == status.CANCELED:
            raise ConnectionError
        return await super().change(before, after, *events)


class Remembering(Feed):
    """A feed that keeps the words that it told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def tell(self, delivery: Delivery, event: Event) -> None:
        self.told.append(event.status)


@pytest.mark.parametrize("make", [waiting, retrying])
async def test_what_waits_is_canceled_and_never_sent_and_who_asked_is_on_record(
    bench: Bench, make: Callable[[Bench], Awaitable[Delivery]]
) -> None:
    before = await make(bench)
    tried = len(bench.provider.created)
    after = await canceled(bench, before, by="Ada")
    assert after == await bench.delivery()
    assert (after.status, after.next_attempt_at, after.waits_for) == ("canceled", None, None)
    assert (after.cancel_asked_by, after.cancel_asked_at, after.to) == ("Ada", bench.clock.now, before.to)
    told = await cancellation(bench)
    assert (told.by, told.at, told.raw) == ("Ada", bench.clock.now, {"reason": "canceled"})
    bench.clock.advance(AN_HOUR)
    await wake(bench)
    for message, _ in list(bench.queue.puts):
        await bench.take(message)
    assert len(bench.provider.created) == tried
    assert (await bench.delivery()).status == "canceled"


async def test_canceled_twice_it_is_canceled_once_by_the_first_who_asked(bench: Bench) -> None:
    await canceled(bench, await waiting(bench), by="Ada")
    bench.clock.advance(AN_HOUR)
    again = await canceled(bench, await bench.delivery(), by="Grace")
    assert (again.cancel_asked_by, again.cancel_asked_at) == ("Ada", bench.clock.now - AN_HOUR)
    assert (await bench.statuses()).count("canceled") == 1


@pytest.mark.parametrize("word", sorted(status.ALL - CANCELABLE - {status.CANCELED}))
async def test_nothing_else_can_be_canceled(bench: Bench, word: str) -> None:
    before = msgspec.structs.replace(await waiting(bench), status=word)
    bench.journal.clear()
    with pytest.raises(NotCancelable, match=f"it is {word}"):
        await canceled(bench, before)
    assert bench.journal == []


async def test_one_that_the_sender_was_quicker_with_is_not_canceled_and_the_feed_is_told_nothing(bench: Bench) -> None:
    before = await waiting(bench)
    bench.clock.advance(AN_HOUR)
    await wake(bench)
    feed = Remembering()
    log = DeliveryLog(bench.storage.deliveries, bench.storage.lookups, feed=feed)
    with pytest.raises(Changed):
        await cancel(before, log=log, now=bench.clock.now, by="Ada")
    assert feed.told == []
    assert "canceled" not in await bench.statuses()
    with pytest.raises(NotCancelable, match="it is queued"):
        await canceled(bench, await bench.delivery())


async def test_what_twilio_has_is_not_canceled_though_a_crash_kept_the_state_from_saying_so(bench: Bench) -> None:
    before = await retrying(bench)
    await bench.storage.deliveries.insert(
        {"PartitionKey": "order-1", "RowKey": "event:x", "Status": "sent", "At": bench.clock.now, "Sid": a_sid()}
    )
    with pytest.raises(NotCancelable, match="it is sent"):
        await canceled(bench, before)


async def dies(bench: Bench, delivery: Delivery) -> Delivery:
    """Cancel a delivery in a process that dies between its mark and its end."""
    log = Died(bench.storage.deliveries, bench.storage.lookups)
    with pytest.raises(ConnectionError):
        await cancel(delivery, log=log, now=bench.clock.now, by="Ada")
    return await bench.delivery()


async def test_a_crash_half_way_is_made_up_for_when_its_time_comes_and_it_is_not_sent(bench: Bench) -> None:
    asked_at = bench.clock.now
    assert (await dies(bench, await waiting(bench))).status == "scheduled"
    bench.clock.advance(AN_HOUR)
    await wake(bench)
    after = await bench.delivery()
    assert (after.status, after.cancel_asked_by, after.cancel_asked_at) == ("canceled", "Ada", asked_at)
    assert (await cancellation(bench)).by == "Ada"
    assert bench.provider.created == []


async def test_after_a_crash_half_way_it_may_be_asked_for_again(bench: Bench) -> None:
    left = await dies(bench, await waiting(bench))
    after = await canceled(bench, left, by="Grace")
    assert (after.status, after.cancel_asked_by) == ("canceled", "Ada")


async def test_a_mark_of_before_does_not_end_a_replay(bench: Bench) -> None:
    """Twilio may tell of a text after all whose cancellation a crash cut short; when that fails, it is replayed."""
    left = await dies(bench, await retrying(bench))
    sid = a_sid()
    failed = await bench.storage.log.record(left, an_event("undelivered", sid=sid, error_code=30003))
    assert (failed.status, failed.cancel_asked_by) == ("undelivered", "Ada")
    bench.queue.puts.clear()
    rules = bench.sender._rules
    await replay(failed, rules=rules, log=bench.storage.log, queue=bench.queue, now=bench.clock.now)
    bench.provider.outcomes = [an_answer(a_sid())]
    await bench.take(bench.queue.puts[0][0])
    assert (await bench.delivery()).status == "queued"


async def test_a_fallback_is_sent_after_a_cancellation_only_where_it_names_that(bench: Bench) -> None:
    for number, when in enumerate((["failed"], ["canceled"])):
        name = f"order-{number}"
        fallback = {"channel": "call", "say": "Hello", "when": when}
        await bench.take(a_message(id=name, send_at=in_an_hour(bench), fallback=fallback))
        await canceled(bench, await bench.delivery(name))
        await bench.take(internal.write(internal.FollowUp(name)))
    assert await bench.storage.log.get("order-0~2") is None
    assert (await bench.delivery("order-1~2")).status == "queued"
