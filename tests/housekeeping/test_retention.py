"""Past their time, deliveries are purged down to tombstones: id, status and hash, and nothing else anywhere."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from azure.core.exceptions import ServiceRequestError

from shared.deliveries import keys, rows
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed, TwilioUnavailable
from shared.housekeeping import retention as retention_module
from shared.housekeeping.retention import Retention
from shared.inbound.replies.quota import Quota
from shared.tables import Entity, Table
from tests.deliveries.samples import a_delivery, an_event
from tests.fakes import a_sid, an_answer
from tests.outbound.bench import Bench
from tests.outbound.samples import TEXT, a_message

DAY = timedelta(days=1)
KEEP = 90 * DAY
NUMBERS_AND_WORDS = ("5550100", "5550199", "parcel", "Zoë", "Unreachable")


def retention(bench: Bench) -> Retention:
    return Retention(log=bench.storage.log, lookups=bench.storage.lookups, keep=KEEP, clock=bench.clock)


async def purge(bench: Bench) -> int:
    return await retention(bench).purge(until=bench.clock.now + timedelta(minutes=1))


async def purge_until_one_is_erased(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let the time of a run be up then."""
    erase, erased = bench.storage.log.erase, []

    async def erase_and_tell(delivery: Delivery, *, now: datetime) -> Delivery:
        erased.append(delivery.id)
        return await erase(delivery, now=now)

    def clock() -> datetime:
        return bench.clock.now + timedelta(minutes=1 if erased else 0)

    with monkeypatch.context() as patched:
        patched.setattr(retention_module, "_AT_ONCE", 1)
        patched.setattr(bench.storage.log, "erase", erase_and_tell)
        chore = Retention(log=bench.storage.log, lookups=bench.storage.lookups, keep=KEEP, clock=clock)
        return await chore.purge(until=bench.clock.now + timedelta(minutes=1))


def told(word: str, sid: str, at: datetime) -> Event:
    raw = {"To": "+14155550100", "From": "+14155550199", "Body": TEXT["body"], "ErrorMessage": "Unreachable"}
    event = an_event(word, sid=sid, error_code=30003, error_message="Unreachable, +14155550100")
    return msgspec.structs.replace(event, at=at, raw=raw)


async def ended(bench: Bench, delivery_id: str = "order-1", *, word: str = "undelivered") -> Delivery:
    """Have a request sent and ended, with all that is told of it on the way."""
    sid = a_sid()
    bench.provider.outcomes = [an_answer(sid, body=str(TEXT["body"]), answer={"to": "+14155550100"})]
    await bench.take(a_message(id=delivery_id, metadata={"name": "Zoë"}))
    for status in ("sent", word):
        await bench.storage.log.record(await bench.delivery(delivery_id), told(status, sid, bench.clock.now))
    return await bench.delivery(delivery_id)


async def everything(bench: Bench) -> str:
    storage = bench.storage
    return repr([await storage.rows(storage.deliveries), await storage.rows(storage.lookups)])


async def kinds_left(bench: Bench) -> set[str]:
    return {row["PartitionKey"].partition(":")[0] for row in await bench.storage.rows(bench.storage.lookups)}


async def test_before_its_time_nothing_is_purged(bench: Bench) -> None:
    delivery = await ended(bench)
    bench.clock.advance(KEEP - DAY)
    assert await purge(bench) == 0
    assert await bench.delivery() == delivery


async def test_past_its_time_the_tombstone_keeps_id_status_and_hash_and_nothing_else_is_left_anywhere(
    bench: Bench,
) -> None:
    before = await ended(bench)
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part not in shown] == [], "all of it was there"
    bench.clock.advance(KEEP + DAY)
    assert await purge(bench) == 1
    after = await bench.delivery()
    assert (after.id, after.status, after.request_hash, after.erased) == (
        "order-1",
        "undelivered",
        before.request_hash,
        True,
    )
    assert await bench.timeline() == []
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []
    assert len(await bench.storage.rows(bench.storage.deliveries)) == 1
    assert await kinds_left(bench) == {"sid", "erased"}, "whose a SID is, and that it is swept once more"
    bench.clock.advance(timedelta(minutes=16))
    assert await purge(bench) == 0
    assert await kinds_left(bench) == {"sid"}


@pytest.mark.parametrize("late", [timedelta(0), 400 * DAY])
async def test_an_erased_id_is_a_duplicate_or_a_conflict_as_ever(bench: Bench, late: timedelta) -> None:
    await ended(bench)
    bench.clock.advance(KEEP + DAY)
    await purge(bench)
    bench.clock.advance(late)
    tombstone = await bench.delivery()
    await bench.take(a_message(metadata={"name": "Zoë"}))
    assert len(bench.provider.created) == 1
    assert await bench.delivery() == tombstone
    await bench.take(a_message(body="Other content"), message_id="message-2")
    assert len(bench.provider.created) == 1
    assert (await bench.delivery("message-2")).status == "rejected"


async def test_what_it_did_not_come_to_is_purged_the_next_time_and_the_oldest_go_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        await ended(bench, f"order-{n}")
        bench.clock.advance(DAY)
    bench.clock.advance(KEEP + DAY)

    assert await purge_until_one_is_erased(bench, monkeypatch) == 1
    assert [(await bench.delivery(f"order-{n}")).erased for n in range(3)] == [True, False, False]
    assert await purge(bench) == 2
    assert await purge(bench) == 0


async def test_a_crash_in_the_middle_is_made_up_for(bench: Bench) -> None:
    """Erased, and its entry not taken out; or its events gone, and the tombstone not written."""
    first, second = await ended(bench), await ended(bench, "order-2")
    await bench.storage.log.erase(first, now=bench.clock.now)
    for event in await bench.timeline(second.id):
        await bench.storage.deliveries.delete(second.id, rows.EVENTS + event.key)
    bench.clock.advance(KEEP + DAY)
    assert await purge(bench) == 2
    assert [(await bench.delivery(name)).erased for name in ("order-1", "order-2")] == [True, True]
    assert await purge(bench) == 0


async def test_what_ended_later_than_it_began_is_kept_for_its_whole_time(bench: Bench) -> None:
    sid = a_sid()
    bench.provider.outcomes = [an_answer(sid)]
    await bench.take(a_message())
    bench.clock.advance(30 * DAY)
    await bench.storage.log.record(await bench.delivery(), told("delivered", sid, bench.clock.now))
    bench.clock.advance(KEEP - 29 * DAY)
    assert await purge(bench) == 1, "it was looked at"
    assert not (await bench.delivery()).erased
    erased = []
    for _ in range(32):
        bench.clock.advance(DAY)
        await purge(bench)
        erased.append((await bench.delivery()).erased)
    assert 28 <= erased.index(True) <= 31, "and it was not forgotten"


async def test_what_is_still_to_be_sent_is_never_purged_and_looked_at_again(bench: Bench) -> None:
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await bench.take(a_message())
    for _ in range(4):
        bench.clock.advance(KEEP + 2 * DAY)
        assert await purge(bench) == 1
    delivery = await bench.delivery()
    assert (delivery.status, delivery.request) == ("retrying", a_message())
    await bench.storage.log.record(delivery, an_event("delivered"))
    bench.clock.advance(KEEP + 3 * DAY)
    await purge(bench)
    assert (await bench.delivery()).erased


@pytest.mark.parametrize("word", ["queued", "sent"])
async def test_what_twilio_said_nothing_more_of_is_purged_though_it_never_ended(bench: Bench, word: str) -> None:
    """Many carriers send no receipt: `sent` is the last word then, for ever."""
    delivery = await ended(bench, word=word)
    assert not delivery.is_final
    bench.clock.advance(KEEP + DAY)
    await purge(bench)
    assert (await bench.delivery()).erased
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []


async def test_an_erasure_that_a_crash_cut_short_is_finished(bench: Bench) -> None:
    delivery = await ended(bench)
    marked = msgspec.structs.replace(delivery, erased=True)
    await bench.storage.deliveries.replace(rows.delivery_row(marked), version=str(delivery.version))
    bench.clock.advance(KEEP + DAY)
    assert await purge(bench) == 1
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []
    assert len(await bench.storage.rows(bench.storage.deliveries)) == 1


@pytest.mark.parametrize("error", [ServiceRequestError("https://account/secret"), KeyError("x")])
async def test_one_that_can_not_be_purged_is_told_and_is_not_in_the_way_of_the_others(
    bench: Bench, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(3):
        await ended(bench, f"order-{n}")
        bench.clock.advance(DAY)
    bench.clock.advance(KEEP)
    get = bench.storage.log.get

    async def get_but_one(delivery_id: str) -> Delivery | None:
        if delivery_id == "order-0":
            raise error
        return await get(delivery_id)

    bench.storage.log.get = get_but_one  # type: ignore[method-assign]
    caplog.clear()
    assert await purge(bench) == 2
    [told] = caplog.records
    assert (told.__dict__["delivery"], type(error).__name__ in told.getMessage()) == ("order-0", True)
    assert "secret" not in f"{told.__dict__!r}"
    bench.storage.log.get = get  # type: ignore[method-assign]
    assert [(await bench.delivery(f"order-{n}")).erased for n in range(3)] == [False, True, True]
    assert await purge(bench) == 1, "and it is tried again"


async def test_what_changes_in_the_same_moment_is_purged_another_day(bench: Bench) -> None:
    await ended(bench)
    bench.clock.advance(KEEP + DAY)
    erase = bench.storage.log.erase

    async def too_late(delivery: Delivery, *, now: datetime, by: str | None = None) -> Delivery:
        raise Changed(delivery.id)

    bench.storage.log.erase = too_late  # type: ignore[method-assign]
    assert await purge(bench) == 1
    bench.storage.log.erase = erase  # type: ignore[method-assign]
    assert not (await bench.delivery()).erased
    bench.clock.advance(2 * DAY)
    assert await purge(bench) == 1
    assert (await bench.delivery()).erased


async def test_rejected_messages_and_what_came_in_are_purged_too(bench: Bench) -> None:
    await bench.take(b'{"to": "+14155550100", "body": "parcel"}', message_id="message-9")
    sid = a_sid()
    inbound = Delivery(
        id=sid,
        sid=sid,
        channel="sms",
        direction="inbound",
        status="received",
        created_at=bench.clock.now,
        updated_at=bench.clock.now,
        to="+14155550199",
        from_="+14155550100",
    )
    await bench.storage.log.file(inbound, told("received", sid, bench.clock.now))
    bench.clock.advance(KEEP + DAY)
    assert await purge(bench) == 2
    assert [(await bench.delivery(name)).status for name in ("message-9", sid)] == ["rejected", "received"]
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []


async def test_an_entry_that_leads_nowhere_is_taken_out(bench: Bench) -> None:
    ghost = Delivery(
        id="ghost",
        direction="outbound",
        status="submitting",
        created_at=datetime(2020, 1, 1, tzinfo=UTC),
        updated_at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    await bench.storage.lookups.put(keys.day_row(ghost))
    delivery = await ended(bench, word="delivered")
    stray = msgspec.structs.replace(delivery, created_at=datetime(2020, 1, 2, tzinfo=UTC))
    await bench.storage.lookups.put(keys.day_row(stray))
    assert await purge(bench) == 2
    assert await bench.delivery() == delivery, "whose own entry stands elsewhere"
    assert await purge(bench) == 0


async def test_events_of_a_delivery_whose_row_was_never_written_are_purged_with_their_day(bench: Bench) -> None:
    """A text that came in while storage failed between its event and its row, and that Twilio never brought again."""

    class Dead(Table):
        async def insert(self, entity: Entity) -> str | None:
            if entity["RowKey"] == rows.STATE:
                raise ServiceRequestError("no answer")
            return await super().insert(entity)

    storage, sid = bench.storage, a_sid()
    inbound = a_delivery(id=sid, sid=sid, direction="inbound", status="received", created_at=bench.clock.now)
    log = DeliveryLog(Dead(storage.deliveries._client), storage.lookups)
    with pytest.raises(ServiceRequestError):
        await log.file(inbound, told("received", sid, bench.clock.now))
    assert "5550100" in await everything(bench)
    bench.clock.advance(KEEP + DAY)
    assert await purge(bench) == 1
    assert await storage.rows(storage.deliveries) == []
    assert await kinds_left(bench) <= {"open"}


async def test_an_event_is_never_on_record_before_the_entry_by_which_it_is_purged(bench: Bench) -> None:
    sid = a_sid()
    inbound = a_delivery(id=sid, sid=sid, direction="inbound", status="received")
    await bench.storage.log.file(inbound, told("received", sid, bench.clock.now))
    written = [name.partition(" ")[0] for name in bench.journal]
    assert written.index("day") < written.index("event")


async def test_what_comes_in_again_leaves_no_second_entry_by_recipient(bench: Bench) -> None:
    sid = a_sid()
    inbound = a_delivery(id=sid, sid=sid, direction="inbound", status="received")
    for seconds in range(3):
        again = msgspec.structs.replace(inbound, created_at=inbound.created_at + timedelta(seconds=seconds))
        await bench.storage.log.file(again, told("received", sid, again.created_at))
    assert len(await bench.storage.rows(bench.storage.lookups, since="to:", before="to;")) == 1


async def test_an_entry_by_recipient_that_a_crash_left_goes_with_its_day(bench: Bench) -> None:
    delivery = await ended(bench, word="delivered")
    stray = msgspec.structs.replace(delivery, created_at=delivery.created_at + timedelta(seconds=1))
    for row in (keys.day_row(stray), keys.recipient_row(stray)):
        await bench.storage.lookups.put(row)
    await bench.storage.log.record(delivery, told("read", str(delivery.sid), bench.clock.now + 2 * DAY))
    bench.clock.advance(KEEP + DAY)
    await purge(bench)
    [left] = await bench.storage.rows(bench.storage.lookups, since="to:", before="to;")
    assert left["RowKey"] == keys.position(delivery)


async def test_an_event_that_came_after_an_erasure_is_swept_a_quarter_of_an_hour_later(bench: Bench) -> None:
    """Its writer read the delivery before, and died before it could look again."""
    delivery = await ended(bench)
    await bench.storage.log.erase(delivery, now=bench.clock.now)
    late = told("read", str(delivery.sid), bench.clock.now)
    await bench.storage.deliveries.insert(rows.event_row(delivery.id, late))
    bench.clock.advance(timedelta(minutes=14))
    await purge(bench)
    assert await bench.timeline() == [late]
    bench.clock.advance(timedelta(minutes=2))
    await purge(bench)
    assert await bench.timeline() == []
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []


async def test_a_timer_that_fires_early_sweeps_what_is_due_at_its_own_time(bench: Bench) -> None:
    delivery = await ended(bench)
    erased_at = bench.clock.now.replace(second=0, microsecond=0)
    await bench.storage.lookups.put(keys.erased_row(delivery, erased_at))
    bench.clock.now = erased_at + timedelta(seconds=59, milliseconds=995)
    await purge(bench)
    assert "erased" not in await kinds_left(bench)


async def test_an_erasure_that_a_crash_cut_short_is_finished_a_quarter_of_an_hour_later(bench: Bench) -> None:
    delivery = await ended(bench)
    marked = msgspec.structs.replace(delivery, erased=True)
    await bench.storage.lookups.put(keys.erased_row(delivery, bench.clock.now))
    await bench.storage.deliveries.replace(rows.delivery_row(marked), version=str(delivery.version))
    bench.clock.advance(timedelta(minutes=1))
    await purge(bench)
    shown = await everything(bench)
    assert [part for part in NUMBERS_AND_WORDS if part in shown] == []


async def test_no_entry_of_a_retried_request_outlives_it(bench: Bench) -> None:
    """Each time its message comes, its entries are written before it is known that it has them."""
    await ended(bench)
    for _ in range(3):
        bench.clock.advance(timedelta(seconds=5))
        await bench.take(a_message(metadata={"name": "Zoë"}))
    bench.clock.advance(KEEP + DAY)
    await purge(bench)
    assert await kinds_left(bench) <= {"sid", "status", "open", "erased"}


async def test_what_finds_by_status_goes_with_its_day_and_what_it_did_not_come_to_the_next_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "_AT_ONCE", 1)
    lookups, gone = bench.storage.lookups, []

    async def listed() -> list[str]:
        found = await bench.storage.rows(bench.storage.lookups, since="status:", before="status;")
        return sorted(keys.delivery_at(row["RowKey"]) for row in found)

    for n, word in enumerate(("failed", "undelivered", "failed")):
        await ended(bench, f"order-{n}", word=word)
    bench.clock.advance(KEEP)
    await ended(bench, "order-9")
    bench.clock.advance(DAY)

    async def delete(partition: str, row: str, **more: str) -> None:
        gone.append(partition.partition(":")[0])
        await type(lookups).delete(lookups, partition, row, **more)

    def clock() -> datetime:
        """Return the time, which is up when one such row is out."""
        return bench.clock.now + timedelta(seconds=60 if "status" in gone else 0)

    monkeypatch.setattr(lookups, "delete", delete)
    chore = Retention(log=bench.storage.log, lookups=lookups, keep=KEEP, clock=clock)
    assert await chore.purge(until=bench.clock.now + timedelta(seconds=60)) == 0
    assert len(await listed()) == 3, "one of four is out"
    assert await purge(bench) == 3
    assert await listed() == ["order-9"]


async def test_what_counts_the_replies_of_a_day_goes_a_day_later(bench: Bench) -> None:
    quota, lookups = Quota(bench.storage.lookups), bench.storage.lookups
    for ago in (2, 1, 0):
        at = bench.clock.now - ago * DAY
        assert await quota.take("+14155550177", text_id=a_sid(), at=at, most=1)
    await purge(bench)
    left = [row["PartitionKey"] for row in await bench.storage.rows(lookups, since="reply:", before="reply;")]
    days = [bench.clock.now - DAY, bench.clock.now]
    assert [partition.split(":")[1] for partition in left] == [f"{day:%Y%m%d}" for day in days]


async def test_all_that_is_due_is_purged_in_one_run_however_much_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "_PAGE", 4)
    monkeypatch.setattr("shared.tables.MOST", 2)
    for n in range(10):
        await ended(bench, f"order-{n}")
    bench.clock.advance(KEEP + DAY)
    assert await purge(bench) == 10
    assert all([(await bench.delivery(f"order-{n}")).erased for n in range(10)])


async def test_one_that_can_never_be_purged_ends_the_run_when_only_it_is_left(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "_PAGE", 2)
    erase = bench.storage.log.erase

    async def fail(delivery: Delivery, *, now: datetime) -> Delivery:
        if delivery.id == "order-0":
            raise ServiceRequestError("no answer")
        return await erase(delivery, now=now)

    monkeypatch.setattr(bench.storage.log, "erase", fail)
    for n in range(5):
        await ended(bench, f"order-{n}")
    bench.clock.advance(KEEP + DAY)
    assert await purge(bench) == 4
    assert not (await bench.delivery("order-0")).erased


async def test_many_that_can_not_be_purged_are_not_in_the_way_of_what_comes_after_them(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "_PAGE", 2)
    monkeypatch.setattr("shared.tables.MOST", 2)
    erase = bench.storage.log.erase

    async def fail(delivery: Delivery, *, now: datetime) -> Delivery:
        if delivery.id in {"order-0", "order-1", "order-2"}:
            raise ServiceRequestError("no answer")
        return await erase(delivery, now=now)

    monkeypatch.setattr(bench.storage.log, "erase", fail)
    for n in range(5):
        await ended(bench, f"order-{n}")
        bench.clock.advance(DAY)
    bench.clock.advance(KEEP)
    assert await purge(bench) == 2
    assert [(await bench.delivery(f"order-{n}")).erased for n in range(5)] == [False] * 3 + [True] * 2


async def test_where_the_days_are_more_than_a_run_can_do_nothing_else_waits_for_them(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = bench.storage.lookups
    await Quota(lookups).take("+14155550177", text_id=a_sid(), at=bench.clock.now, most=1)
    late = await ended(bench, "late", word="delivered")
    await lookups.put(keys.late_row(late, bench.clock.now + KEEP))
    await lookups.delete(keys.day_row(late)["PartitionKey"], keys.position(late))
    for n in range(2):
        await ended(bench, f"order-{n}")
    bench.clock.advance(KEEP + 2 * DAY)
    assert await purge_until_one_is_erased(bench, monkeypatch) == 1
    assert (await bench.delivery("late")).erased
    left = {row["PartitionKey"].partition(":")[0] for row in await bench.storage.rows(lookups)}
    assert "day" in left
    assert left.isdisjoint({"late", "reply", "status"})
