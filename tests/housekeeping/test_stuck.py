"""Open deliveries: folded again, given their message back, asked about, closed; and nothing is ever sent here."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from azure.core.exceptions import ServiceRequestError

from shared.deliveries import keys, rows
from shared.deliveries.feed import Feed
from shared.deliveries.log import DeliveryLog
from shared.deliveries.open import OpenDeliveries
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed, SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.inbound.form import Form
from shared.inbound.status import record_message_status
from shared.outbound.outcomes import own_event
from shared.outbound.provider import Resource
from shared.tables import Table
from tests.consents.samples import a_consent
from tests.deliveries.samples import a_delivery, an_event
from tests.fakes import FROM_NUMBER, FakeProvider, a_sid, an_answer, make_settings
from tests.housekeeping.chores import stuck as chore
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, a_message
from tests.storage import Storage

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
UNCLEAR = TwilioUnclear("no answer")


async def look_after(bench: Bench) -> int:
    """One run: what is still to be sent, then what Twilio has."""
    stuck, until = chore(bench), bench.clock.now + MINUTE
    return await stuck.wake(until=until) + await stuck.ask(until=until)


async def open_until(bench: Bench, delivery_id: str = "order-1") -> datetime | None:
    """When the index says that it is looked at again; None where it is not listed."""
    found = [row["LookAt"] for row in await open_rows(bench) if row["RowKey"].partition("~")[2] == delivery_id]
    assert len(found) <= 1, found
    return datetime.fromisoformat(found[0].isoformat()) if found else None


async def open_rows(bench: Bench) -> list[dict[str, Any]]:
    """The whole index, in the order of its keys."""
    lookups = bench.storage.lookups
    kinds = [await bench.storage.rows(lookups, since=f"{kind}:", before=f"{kind};") for kind in ("ask", "open", "wake")]
    return [row for rows_there in kinds for row in rows_there]


async def open_place(bench: Bench) -> tuple[str, str]:
    """The partition and the row of the only entry."""
    [row] = await open_rows(bench)
    return row["PartitionKey"], row["RowKey"]


async def sent(bench: Bench, message: bytes | None = None, *, sid: str | None = None) -> str:
    """Have a request sent, of which nothing is heard afterwards; return its SID."""
    answer = an_answer(sid or a_sid())
    bench.provider.outcomes = [answer]
    await bench.take(message or a_message())
    return answer.sid


async def crash_between(bench: Bench, event: Event) -> None:
    """Leave an event on record whose state was never written."""
    await bench.storage.deliveries.insert(rows.event_row("order-1", event))


async def test_what_is_open_is_left_alone_for_a_while(bench: Bench) -> None:
    await sent(bench)
    begun = bench.clock.now
    assert await open_until(bench) == begun + 15 * MINUTE
    bench.clock.advance(15 * MINUTE - timedelta(seconds=1))
    assert await look_after(bench) == 0


async def test_a_timer_that_fires_early_looks_after_what_is_due_at_its_own_time(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await bench.take(a_message())
    bench.queue.puts.clear()
    due = (await bench.delivery()).next_attempt_at
    assert due is not None
    await bench.storage.lookups.delete(*await open_place(bench))
    lost_at = due + 12 * MINUTE
    await bench.storage.lookups.put(keys.entry_row("wake", keys.opening(await bench.delivery()), lost_at))
    bench.clock.now = lost_at - timedelta(milliseconds=5)
    assert await look_after(bench) == 1
    assert bench.queue.puts == [(a_message(), timedelta(0))]


async def test_what_ended_is_listed_no_more(bench: Bench) -> None:
    sid = await sent(bench)
    await bench.storage.log.record(await bench.delivery(), an_event("delivered", sid=sid))
    assert await open_until(bench) is None
    bench.clock.advance(HOUR)
    assert await look_after(bench) == 0


@pytest.mark.parametrize("word", ["uncertain", "retrying", "submitting"])
async def test_a_request_whose_message_is_gone_gets_it_again_and_is_not_sent_here(bench: Bench, word: str) -> None:
    if word == "submitting":
        await bench.die_sending(a_message())
    else:
        bench.provider.outcomes = [UNCLEAR if word == "uncertain" else TwilioUnavailable("busy")]
        await bench.take(a_message())
    created = len(bench.provider.created)
    bench.queue.puts.clear()
    bench.clock.advance(15 * MINUTE)
    assert await look_after(bench) == 1
    assert bench.queue.puts == [(a_message(), timedelta(0))]
    assert (await bench.delivery()).status == word
    assert len(bench.provider.created) == created
    assert await open_until(bench) >= bench.clock.now + 12 * MINUTE  # type: ignore[operator]


async def test_what_waits_for_its_time_is_not_overdue(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioUnavailable("busy", retry_after=7200.0)]
    await bench.take(a_message())
    due = (await bench.delivery()).next_attempt_at
    assert due is not None
    bench.queue.puts.clear()
    for _ in range(3):
        bench.clock.now = await open_until(bench) or bench.clock.now
        if bench.clock.now < due + 12 * MINUTE:
            await look_after(bench)
            assert bench.queue.puts == []
    assert bench.clock.now == due + 12 * MINUTE
    bench.clock.advance(timedelta(seconds=1))
    await look_after(bench)
    assert len(bench.queue.puts) == 1


async def test_the_message_is_given_back_less_and_less_often(bench: Bench) -> None:
    await bench.die_sending(a_message())
    begun, given = bench.clock.now, []
    while bench.clock.now - begun < timedelta(days=4):
        bench.clock.now = await open_until(bench) or bench.clock.now
        bench.queue.puts.clear()
        await look_after(bench)
        given += [bench.clock.now] * len(bench.queue.puts)
    gaps = [(second - first) / MINUTE for first, second in pairwise(given)]
    assert gaps == sorted(gaps)
    assert (gaps[0] >= 12, gaps[-1]) == (True, 24 * 60)


async def test_given_back_its_message_a_request_that_was_never_sent_is_sent_once(bench: Bench) -> None:
    await bench.die_sending(a_message())
    for _ in range(20):
        bench.clock.advance(15 * MINUTE)
        await look_after(bench)
        for message, _delay in bench.queue.puts[:]:
            bench.queue.puts.clear()
            await bench.take(message)
    assert len(bench.provider.created) == 1
    assert (await bench.delivery()).status == "queued"


async def test_events_without_their_state_are_folded_before_anything_else(bench: Bench) -> None:
    sid = await sent(bench)
    await crash_between(bench, an_event("sent", sid=sid))
    bench.clock.advance(15 * MINUTE)
    assert await look_after(bench) == 1
    assert (await bench.delivery()).status == "sent"
    assert bench.provider.fetched == []


async def test_an_end_that_a_crash_kept_from_the_state_closes_it(bench: Bench) -> None:
    sid = await sent(bench)
    await crash_between(bench, an_event("delivered", sid=sid))
    bench.clock.advance(15 * MINUTE)
    await look_after(bench)
    assert (await bench.delivery()).status == "delivered"
    assert await open_until(bench) is None


async def test_a_callback_that_a_crash_kept_from_the_state_keeps_it_from_being_sent_again(bench: Bench) -> None:
    await bench.die_sending(a_message())
    await crash_between(bench, an_event("sent", sid=a_sid()))
    bench.clock.advance(HOUR)
    await look_after(bench)
    assert (await bench.delivery()).status == "sent"
    assert bench.queue.puts == []


async def test_what_had_no_news_for_half_an_hour_is_asked_about(bench: Bench) -> None:
    sid = await sent(bench)
    bench.provider.has = [an_answer(sid, "delivered")]
    bench.clock.advance(15 * MINUTE)
    await look_after(bench)
    assert bench.provider.fetched == [], "not yet"
    bench.clock.advance(15 * MINUTE)
    assert await look_after(bench) == 1
    assert bench.provider.fetched == [sid]
    assert (await bench.delivery()).status == "delivered"
    assert await bench.statuses() == ["queued", "delivered"]
    assert await open_until(bench) is None


async def test_calls_are_asked_about_as_calls(bench: Bench) -> None:
    class OfCalls(FakeProvider):
        async def message(self, sid: str) -> Resource | None:
            raise AssertionError(sid)

    bench.provider = OfCalls()
    sid = await sent(bench, a_message(CALL), sid=a_sid("CA"))
    bench.provider.has = [an_answer(sid, "completed")]
    bench.clock.advance(30 * MINUTE)
    await look_after(bench)
    assert (await bench.delivery("order-2")).status == "completed"


async def test_an_error_that_twilio_tells_then_is_kept(bench: Bench) -> None:
    sid = await sent(bench)
    bench.provider.has = [an_answer(sid, "undelivered", error_code=30003, error_message="Unreachable")]
    bench.clock.advance(30 * MINUTE)
    await look_after(bench)
    delivery = await bench.delivery()
    assert (delivery.status, delivery.error_code, delivery.error_message) == ("undelivered", 30003, "Unreachable")


async def test_without_news_twilio_is_asked_less_and_less_often_and_once_a_day_at_last(bench: Bench) -> None:
    sid = await sent(bench)
    bench.provider.has = [an_answer(sid, "queued")]
    begun, asked = bench.clock.now, []
    while (due := await open_until(bench)) is not None:
        bench.clock.now = due
        bench.provider.fetched.clear()
        await look_after(bench)
        asked += [bench.clock.now] * len(bench.provider.fetched)
    gaps = [(second - first) / MINUTE for first, second in pairwise(asked)]
    assert gaps == sorted(gaps)
    assert (asked[0] - begun, gaps) == (30 * MINUTE, [3.5 * 60, *[24 * 60] * 4])
    assert await bench.statuses() == ["queued", "queued"], "the same answer is one event"
    assert timedelta(days=4) <= asked[-1] - begun < timedelta(days=5), "and then no more"


async def test_what_stays_at_sent_is_closed_after_days_and_its_end_is_recorded_all_the_same(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    sid = await sent(bench)
    await bench.storage.log.record(await bench.delivery(), an_event("sent", sid=sid))
    bench.provider.has = [an_answer(sid, "sent")]
    bench.clock.advance(timedelta(days=4) - HOUR)
    await look_after(bench)
    assert await open_until(bench) is not None
    bench.clock.advance(timedelta(days=1))
    caplog.clear()
    await look_after(bench)
    assert await open_until(bench) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    ended = await bench.storage.log.record(await bench.delivery(), an_event("delivered", sid=sid))
    assert (await bench.delivery(), ended.status) == (ended, "delivered")


async def test_what_has_been_silent_for_days_and_has_news_after_all_stays_open(bench: Bench) -> None:
    sid = await sent(bench)
    bench.provider.has = [an_answer(sid, "sent")]
    bench.clock.advance(timedelta(days=9))
    await look_after(bench)
    assert (await bench.delivery()).status == "sent"
    assert await open_until(bench) is not None


async def test_where_twilio_can_not_be_asked_it_stays_open_however_silent_it_was(bench: Bench) -> None:
    await sent(bench)
    bench.provider.failures = [UNCLEAR]
    bench.clock.advance(timedelta(days=9))
    await look_after(bench)
    assert await open_until(bench) == bench.clock.now + 30 * MINUTE


async def test_news_begin_the_patience_anew(bench: Bench) -> None:
    sid = await sent(bench)
    bench.provider.has = [an_answer(sid, "sent")]
    bench.clock.advance(5 * HOUR)
    await look_after(bench)
    assert (await bench.delivery()).updated_at == bench.clock.now
    bench.clock.now = await open_until(bench) or bench.clock.now
    await look_after(bench)
    assert len(bench.provider.fetched) == 2


@pytest.mark.parametrize(
    "error",
    [
        UNCLEAR,
        TwilioUnavailable("no connection"),
        TwilioRefused(status=401, code=20003, explanation=""),
        TooLate("no time"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_where_twilio_does_not_answer_it_is_asked_again_later(bench: Bench, error: SwitchboardError) -> None:
    sid = await sent(bench)
    bench.provider.failures = [error]
    bench.provider.has = [an_answer(sid, "delivered")]
    bench.clock.advance(30 * MINUTE)
    before = await bench.delivery()
    await look_after(bench)
    assert await bench.delivery() == before
    assert await open_until(bench) == bench.clock.now + 30 * MINUTE
    bench.clock.advance(30 * MINUTE)
    await look_after(bench)
    assert (await bench.delivery()).status == "delivered"


async def test_what_twilio_has_no_more_is_told_and_kept_and_never_asked_about_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    await sent(bench)
    bench.clock.advance(30 * MINUTE)
    caplog.clear()
    await look_after(bench)
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert told.__dict__["delivery"] == "order-1"
    assert (await bench.delivery()).status == "queued"
    assert await open_until(bench) is None


async def test_another_account_is_not_asked_about_it_and_nothing_follows_from_that(bench: Bench) -> None:
    """TWILIO_ACCOUNT_SID changed: that the new account has not got a message says nothing."""
    sid = await sent(bench)
    own, other = bench.settings, make_settings(TWILIO_ACCOUNT_SID="AC" + "f" * 32)
    bench.settings = other
    bench.clock.advance(30 * MINUTE)
    await look_after(bench)
    assert (bench.provider.fetched, await bench.statuses()) == ([], ["queued"])
    again = await open_until(bench)
    assert again is not None
    assert again > bench.clock.now
    bench.settings = own
    bench.provider.has = [an_answer(sid, "delivered")]
    bench.clock.advance(again - bench.clock.now)
    await look_after(bench)
    assert (await bench.delivery()).status == "delivered"


async def test_after_days_in_another_account_it_is_open_no_more(bench: Bench) -> None:
    await sent(bench)
    bench.settings = make_settings(TWILIO_ACCOUNT_SID="AC" + "f" * 32)
    bench.clock.advance(timedelta(days=4))
    await look_after(bench)
    assert (bench.provider.fetched, await open_until(bench)) == ([], None)


async def test_an_entry_whose_claim_never_came_is_taken_out_but_not_at_once(bench: Bench) -> None:
    """It is written before the claim; its age is told by storage's own clock."""

    class Dead(Table):
        async def insert(self, entity: object) -> str | None:
            raise ConnectionError(entity)

    bench.clock.now = datetime.now(UTC)
    log = type(bench.storage.log)(Dead(bench.storage.deliveries._client), bench.storage.lookups)
    bench.storage, storage = type(bench.storage)(log, log._deliveries, log._lookups), bench.storage
    with pytest.raises(ConnectionError):
        await bench.take(a_message())
    bench.storage = storage
    bench.clock.advance(20 * MINUTE)
    assert await look_after(bench) == 1
    assert await open_until(bench) is not None
    bench.clock.advance(HOUR)
    assert await look_after(bench) == 1
    assert await open_until(bench) is None
    assert bench.queue.puts == []


async def test_an_entry_of_what_ended_since_is_taken_out(bench: Bench) -> None:
    """Housekeeping moved the entry, so that the end did not find it."""
    sid = await sent(bench)
    bench.clock.advance(15 * MINUTE)
    await look_after(bench)
    ended = await bench.storage.log.record(await bench.delivery(), an_event("delivered", sid=sid))
    assert await open_until(bench) is not None
    bench.clock.advance(HOUR)
    await look_after(bench)
    assert await open_until(bench) is None
    assert await bench.delivery() == ended
    assert bench.provider.fetched == []


async def test_a_duplicate_leaves_no_entry_and_does_not_put_the_delivery_off(bench: Bench) -> None:
    await sent(bench)
    first = await open_until(bench)
    bench.clock.advance(10 * MINUTE)
    await bench.take(a_message())
    assert await open_until(bench) == first


async def test_an_entry_of_a_tombstone_is_taken_out(bench: Bench) -> None:
    sid = await sent(bench)
    ended = await bench.storage.log.record(await bench.delivery(), an_event("delivered", sid=sid))
    await bench.storage.log.erase(ended, now=bench.clock.now)
    await bench.storage.lookups.put(keys.open_row(ended))
    bench.clock.advance(HOUR)
    await look_after(bench)
    assert await open_until(bench) is None
    assert (await bench.delivery()).erased


async def test_all_that_is_due_is_looked_after_and_the_rest_waits_when_time_is_over(bench: Bench) -> None:
    found: list[Delivery] = []
    for n in range(6):
        await sent(bench, a_message(id=f"order-{n}"))
        found.append(await bench.delivery(f"order-{n}"))
    bench.clock.advance(15 * MINUTE)
    assert await chore(bench).wake(until=bench.clock.now) == 0
    assert await look_after(bench) == 6
    assert await look_after(bench) == 0


@pytest.mark.parametrize("error", [Changed("20 times"), ServiceRequestError("https://account/secret"), KeyError("x")])
async def test_one_that_can_not_be_looked_after_waits_and_is_not_in_the_way_of_the_others(
    bench: Bench, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"order-{n}" for n in range(4)]
    for name in names:
        bench.provider.outcomes = [TwilioUnavailable("busy")]
        await bench.take(a_message(id=name))
    bench.clock.advance(HOUR)
    bench.queue.puts.clear()
    bad, *_ = [entry.delivery_id async for entry in OpenDeliveries(bench.storage.lookups).due("wake", bench.clock.now)]
    fold_again = bench.storage.log.fold_again

    async def fold_again_but_one(delivery: Delivery) -> Delivery:
        if delivery.id == bad:
            raise error
        return await fold_again(delivery)

    bench.storage.log.fold_again = fold_again_but_one  # type: ignore[method-assign]
    caplog.clear()
    assert await look_after(bench) == 3
    assert len(bench.queue.puts) == 3
    assert await open_until(bench, bad) == bench.clock.now + 15 * MINUTE
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (told.__dict__["delivery"], type(error).__name__ in told.getMessage()) == (bad, True)
    assert "secret" not in f"{told.__dict__!r}"


async def test_a_replay_in_the_middle_of_closing_an_entry_keeps_it_open(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioRefused(status=400, code=21211, explanation="")]
    await bench.take(a_message())
    await bench.storage.lookups.put(keys.open_row(await bench.delivery()))
    bench.clock.advance(15 * MINUTE)
    log = bench.storage.log
    get = log.get

    async def meanwhile_replayed(delivery_id: str) -> Delivery | None:
        found = await get(delivery_id)
        assert found is not None
        log.get = get  # type: ignore[method-assign]
        waiting = msgspec.structs.replace(found, status="retrying", updated_at=bench.clock.now)
        await log.reopen(found, waiting, own_event(waiting, {}, key="replayed"))
        return found

    log.get = meanwhile_replayed  # type: ignore[method-assign]
    await look_after(bench)
    assert (await bench.delivery()).status == "retrying"
    assert await open_until(bench) == bench.clock.now + 15 * MINUTE


async def test_after_a_replay_what_was_told_of_another_sid_is_not_folded_into_it(bench: Bench) -> None:
    sid = await sent(bench)
    log = bench.storage.log
    await log.record(await bench.delivery(), an_event("delivered", sid=a_sid()))
    failed = await log.record(await bench.delivery(), an_event("undelivered", sid=sid))
    waiting = msgspec.structs.replace(failed, status="retrying", sid=None, past_sids=(sid,))
    await log.reopen(failed, waiting, own_event(waiting, {}, key="replayed"))
    bench.clock.advance(15 * MINUTE)
    await look_after(bench)
    assert (await bench.delivery()).status == "retrying"


async def test_what_others_sent_through_the_account_is_never_enqueued(bench: Bench) -> None:
    """Twilio's `scheduled` is a word of ours, too, for what is still to be sent."""
    sid = a_sid()
    form = Form([("MessageSid", sid), ("MessageStatus", "scheduled"), ("To", "+14155550100"), ("From", FROM_NUMBER)])
    await record_message_status(bench.storage.log, form, delivery_id=None, now=bench.clock.now)
    assert (await bench.delivery(sid)).status == "accepted"
    bench.provider.has = [an_answer(sid, "delivered")]
    bench.clock.advance(HOUR)
    await look_after(bench)
    assert bench.queue.puts == []
    assert (await bench.delivery(sid)).status == "delivered"


async def test_what_is_pending_without_a_request_is_asked_about_and_never_enqueued(bench: Bench) -> None:
    sid = a_sid()
    row = {**rows.delivery_row(a_delivery(id=sid, sid=sid, status="scheduled", request=None))}
    await bench.storage.deliveries.insert(row)
    await bench.storage.lookups.put(keys.open_row(a_delivery(id=sid)))
    bench.clock.advance(HOUR)
    await look_after(bench)
    assert bench.queue.puts == []
    assert bench.provider.fetched == [sid]


@dataclass
class Listener(Feed):
    """A feed that keeps what it is told."""

    told: list[str] = field(default_factory=list)

    async def tell(self, delivery: Delivery, event: Event) -> None:
        self.told.append(f"{delivery.id} {event.status}")


def listen(bench: Bench) -> Listener:
    """Give the bench a log that tells a feed, and heeds who opted out, as the app's does."""
    feed, storage = Listener(), bench.storage
    log = DeliveryLog(storage.deliveries, storage.lookups, feed=feed, heed=bench.consents.heed)
    bench.storage = Storage(log=log, deliveries=storage.deliveries, lookups=storage.lookups)
    return feed


async def test_what_a_crash_kept_from_being_told_is_told_and_heeded_when_it_is_folded(bench: Bench) -> None:
    feed = listen(bench)
    sid = await sent(bench)
    await crash_between(bench, an_event("failed", sid=sid, error_code=21610))
    bench.clock.advance(15 * MINUTE)
    await look_after(bench)
    assert (await bench.delivery()).status == "failed"
    assert feed.told == ["order-1 queued", "order-1 failed"]
    assert await bench.consents.is_opted_out("+14155550100", FROM_NUMBER)


async def test_who_opted_out_is_known_where_only_asking_tells(bench: Bench) -> None:
    listen(bench)
    sid = await sent(bench)
    bench.provider.has = [an_answer(sid, "failed", error_code=21610)]
    bench.clock.advance(31 * MINUTE)
    await look_after(bench)
    assert await bench.consents.is_opted_out("+14155550100", FROM_NUMBER)


async def test_a_start_holds_against_an_older_refusal_that_is_only_heard_of_later(bench: Bench) -> None:
    listen(bench)
    sid = await sent(bench)
    bench.provider.has = [an_answer(sid, "failed", error_code=21610)]
    bench.clock.advance(10 * MINUTE)
    await bench.consents.record(a_consent("opted-in", at=bench.clock.now))
    bench.clock.advance(21 * MINUTE)
    await look_after(bench)
    assert (await bench.delivery()).error_code == 21610
    assert not await bench.consents.is_opted_out("+14155550100", FROM_NUMBER)
