"""A person is erased: everything that holds the address at either end, whatever crashes, and nothing of others."""

from datetime import timedelta

import msgspec
import pytest

from shared.consents import Consent
from shared.deliveries import keys, rows, status
from shared.deliveries.record import Delivery
from shared.erasures import erasing
from shared.erasures.erasing import OwnAddress
from shared.erasures.person import addresses
from shared.errors import Changed, RequestInvalid, TwilioRefused, TwilioUnavailable
from shared.housekeeping.retention import Retention
from shared.outbound.erase import erase_with_derived
from tests.deliveries.samples import an_event
from tests.erasures.person import ALICE, BOB, COUNTS, PAUSE, Office, came_in, delivered, put_on_record
from tests.fakes import FROM_NUMBER, DiedError, a_sid
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message

ALICES = ("4155550100", "555-0100", "alice was called")
BOBS = ("4155550101", "555-0101", "bob was called")


def left_of(parts: tuple[str, ...], shown: str) -> list[str]:
    return [part for part in parts if part in shown]


async def test_a_preview_counts_what_an_erasure_erases_and_changes_nothing(bench: Bench) -> None:
    office = Office(bench)
    await put_on_record(office, ALICE, "alice")
    await put_on_record(office, BOB, "bob")
    before = await office.everything()
    assert await office.counts() == COUNTS
    assert await office.counts(f"whatsapp:{BOB}") == COUNTS
    assert await office.counts("+14155550155") == {}
    assert await office.everything() == before
    assert bench.provider.erased == []


async def test_everything_of_a_person_is_erased_and_nothing_of_anybody_else(bench: Bench) -> None:
    office = Office(bench)
    await put_on_record(office, ALICE, "alice")
    await put_on_record(office, BOB, "bob")
    before = await office.everything()
    assert left_of((*ALICES, *BOBS), before) == [*ALICES, *BOBS], "all of it was there"
    receipt = await office.run_to_the_end(await office.ask())
    assert (receipt.status, receipt.tally.done, receipt.by) == ("finished", COUNTS, "ops")
    assert (receipt.tally.left, receipt.tally.refused, receipt.tally.ids) == ({}, {}, ())
    shown = await office.everything()
    assert left_of(ALICES, shown) == []
    assert left_of(BOBS, shown) == [*BOBS]
    assert await office.counts() == {}
    assert await office.counts(BOB) == COUNTS
    kinds = [row["PartitionKey"].partition(":")[0] for row in await bench.storage.rows(bench.storage.lookups)]
    assert kinds.count("from") == 3, "of Bob's"
    assert kinds.count("about") == 4


async def test_a_receipt_holds_no_number_and_tells_when_and_for_whom_it_was(bench: Bench) -> None:
    office = Office(bench)
    await delivered(bench, "order-1", to=ALICE)
    asked_at = bench.clock.now
    erasure_id = await office.ask()
    bench.clock.advance(timedelta(minutes=2))
    receipt = await office.run_to_the_end(erasure_id)
    assert "415555" not in repr(receipt)
    assert receipt.digests[0] == keys.digest(ALICE)
    assert (receipt.asked_at, receipt.started_at) == (asked_at, asked_at + timedelta(minutes=2))
    assert receipt.finished_at is not None
    assert receipt.finished_at > asked_at + timedelta(minutes=2), "only a later pass that finds nothing says so"


async def test_consents_stay_and_are_counted(bench: Bench) -> None:
    office = Office(bench)
    for to in (ALICE, f"whatsapp:{ALICE}"):
        said = Consent(to=to, sender=FROM_NUMBER, state="opted-out", at=bench.clock.now)
        await bench.consents.record(said)
    preview = await office.erasures.preview(addresses(ALICE, region=None), cursor=None)
    receipt = await office.run_to_the_end(await office.ask())
    assert (preview.consents, receipt.consents) == (2, 2)
    assert await bench.consents.is_opted_out(ALICE, FROM_NUMBER)


async def test_what_waits_is_canceled_and_never_sent(bench: Bench) -> None:
    office = Office(bench)
    later = (bench.clock.now + timedelta(hours=3)).isoformat()
    await bench.take(a_message(to=ALICE, send_at=later))
    assert (await bench.delivery()).status == status.SCHEDULED
    receipt = await office.run_to_the_end(await office.ask())
    assert receipt.tally.done == {"outbound_texts": 1}
    left = await bench.delivery()
    assert (left.status, left.erased) == (status.CANCELED, True)
    bench.clock.advance(timedelta(hours=4))
    await bench.take(a_message(to=ALICE, send_at=later))
    assert bench.provider.created == []


async def test_what_is_not_over_is_told_and_erased_when_it_is(bench: Bench) -> None:
    office = Office(bench)
    await bench.take(a_message(to=ALICE))
    await came_in(bench, ALICE)
    erasure_id = await office.ask()
    await office.run()
    receipt = await office.receipt(erasure_id)
    assert (receipt.status, receipt.tally.left, receipt.tally.ids) == ("running", {"outbound_texts": 1}, ("order-1",))
    assert receipt.tally.done == {"inbound_texts": 1}
    sent = await bench.delivery()
    await bench.storage.log.record(sent, an_event("delivered", sid=sent.sid))
    bench.clock.advance(PAUSE)
    receipt = await office.run_to_the_end(erasure_id)
    assert (receipt.status, receipt.tally.left, receipt.tally.ids) == ("finished", {}, ())
    assert receipt.tally.done == {"outbound_texts": 1, "inbound_texts": 1}


async def test_what_twilio_tells_nothing_of_is_erased_after_a_day(bench: Bench) -> None:
    office = Office(bench)
    await bench.take(a_message(to=ALICE))
    receipt = await office.run_to_the_end(await office.ask(), every=timedelta(hours=6))
    assert (receipt.status, receipt.tally.done) == ("finished", {"outbound_texts": 1})


async def test_what_waits_is_canceled_at_once_though_its_fallback_is_not_over(bench: Bench) -> None:
    """The fallback began while the first way was still tried again."""
    office = Office(bench)
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await bench.take(a_message(to=ALICE))
    await bench.take(a_message(id="order-2", to=ALICE))
    second = await bench.delivery("order-2")
    fallback = msgspec.structs.replace(second, id="order-1~2", version=None)
    await bench.storage.log.claim(fallback)
    assert (await bench.delivery()).status == status.RETRYING
    await office.ask()
    await office.run()
    assert (await bench.delivery()).status == status.CANCELED


async def test_who_asked_is_on_each_tombstone_and_in_each_cancellation(bench: Bench) -> None:
    office = Office(bench)
    await came_in(bench, ALICE)
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await bench.take(a_message(to=ALICE))
    await bench.take(a_message(id="order-2", to=ALICE))
    fallback = msgspec.structs.replace(await bench.delivery("order-2"), id="order-1~2", version=None)
    await bench.storage.log.claim(fallback)
    erasure_id = await office.ask()
    await office.run()
    assert (await bench.delivery()).cancel_asked_by == "ops"
    await office.run_to_the_end(erasure_id, every=timedelta(hours=6))
    left = [row for row in await bench.storage.rows(bench.storage.deliveries) if row["RowKey"] == rows.STATE]
    assert [row.get("ErasedBy") for row in left] == ["ops"] * 4


async def test_one_that_seemed_to_wait_and_is_at_twilio_is_left_and_not_in_the_way_of_the_others(bench: Bench) -> None:
    """A crash came between an event and its state."""
    office = Office(bench)
    await came_in(bench, ALICE)
    bench.provider.outcomes = [TwilioUnavailable("busy")]
    await bench.take(a_message(to=ALICE))
    at_twilio = an_event("sent", sid=a_sid())
    await bench.storage.deliveries.insert(rows.event_row("order-1", at_twilio))
    assert (await bench.delivery()).status == status.RETRYING
    erasure_id = await office.ask()
    assert await office.run() == 1
    receipt = await office.receipt(erasure_id)
    assert (receipt.tally.left, receipt.tally.done) == ({"outbound_texts": 1}, {"inbound_texts": 1})
    assert (await bench.delivery()).status == "sent"


async def test_what_twilio_refuses_is_told_with_its_reason_and_given_up_after_a_week(bench: Bench) -> None:
    office = Office(bench)
    await delivered(bench, "order-1", to=ALICE)
    began = bench.clock.now
    refusal = TwilioRefused(status=403, code=20403, explanation="not allowed")
    bench.provider.failures = [refusal] * 1000
    erasure_id = await office.ask()
    await office.run()
    receipt = await office.receipt(erasure_id)
    assert receipt.tally.refused == {"Twilio refused with HTTP 403, code 20403": 1}
    assert receipt.tally.ids == ("order-1",)
    receipt = await office.run_to_the_end(erasure_id, every=timedelta(hours=6))
    assert (receipt.status, receipt.tally.done, receipt.tally.ids) == ("incomplete", {}, ("order-1",))
    assert bench.clock.now - began >= timedelta(days=7)
    bench.provider.failures = []
    assert (await office.run_to_the_end(await office.ask())).tally.done == {"outbound_texts": 1}


async def test_one_that_twilio_refuses_is_not_in_the_way_of_the_others(bench: Bench) -> None:
    office = Office(bench)
    for number in range(3):
        await delivered(bench, f"order-{number}", to=ALICE)
    bench.provider.failures = [TwilioUnavailable("no answer")]
    erasure_id = await office.ask()
    await office.run()
    assert (await office.receipt(erasure_id)).tally.done == {"outbound_texts": 2}
    assert (await office.run_to_the_end(erasure_id)).tally.done == {"outbound_texts": 3}


async def test_one_that_meets_a_fault_of_the_app_is_not_in_the_way_of_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(bench)
    for number in range(3):
        await delivered(bench, f"order-{number}", to=ALICE)

    async def erase(first: Delivery, **more: object) -> object:
        if first.id == "order-1":
            raise ValueError(ALICE)
        return await erase_with_derived(first, **more)  # type: ignore[arg-type]

    erasure_id = await office.ask()
    with monkeypatch.context() as broken:
        broken.setattr(erasing, "erase_with_derived", erase)
        await office.run()
    receipt = await office.receipt(erasure_id)
    assert (receipt.tally.done, receipt.tally.ids) == ({"outbound_texts": 2}, ("order-1",))
    assert receipt.tally.refused == {"a fault of the app, see its log": 1}
    [line] = [record.getMessage() for record in caplog.records if "not erased yet" in record.getMessage()]
    assert "ValueError\n  File " in line
    assert ALICE not in line
    assert (await office.run_to_the_end(erasure_id)).tally.done == {"outbound_texts": 3}


async def test_what_begins_soon_after_is_part_of_it_and_what_comes_later_is_new(bench: Bench) -> None:
    office = Office(bench)
    await came_in(bench, ALICE)
    erasure_id = await office.ask()
    await office.run()
    bench.clock.advance(timedelta(minutes=5))
    await came_in(bench, ALICE)
    await office.run()
    bench.clock.advance(timedelta(minutes=15))
    later = await came_in(bench, ALICE)
    receipt = await office.run_to_the_end(erasure_id)
    assert (receipt.status, receipt.tally.done) == ("finished", {"inbound_texts": 2})
    assert not (await bench.delivery(later.id)).erased


async def test_what_an_earlier_version_put_on_record_is_erased_too(bench: Bench) -> None:
    """It has no row for its sender, and its rejected messages none for any address."""
    office, storage = Office(bench, keep=timedelta(days=50)), bench.storage
    text = await came_in(bench, ALICE)
    await bench.take(a_message(to="14155550100", body=...), message_id="message-1")
    rejected = await bench.delivery("message-1")
    for row in (*keys.address_rows(text), *keys.address_rows(rejected)):
        await storage.lookups.delete(row["PartitionKey"], row["RowKey"])
    await storage.lookups.put(keys.recipient_row(text))
    former = msgspec.structs.replace(rejected, to=None, from_=None, mentions=())
    await storage.deliveries.replace(rows.delivery_row(former), version=str(rejected.version))
    bench.clock.advance(timedelta(days=40))
    assert await office.counts() == {"inbound_texts": 1, "rejected": 1}
    receipt = await office.run_to_the_end(await office.ask())
    assert receipt.tally.done == {"inbound_texts": 1, "rejected": 1}
    assert left_of(ALICES, await office.everything()) == []


async def test_one_of_an_earlier_version_that_is_refused_is_found_again_without_reading_its_day(bench: Bench) -> None:
    office, storage = Office(bench), bench.storage
    await office.run()
    text = await came_in(bench, ALICE)
    for row in keys.address_rows(text):
        await storage.lookups.delete(row["PartitionKey"], row["RowKey"])
    bench.clock.advance(timedelta(hours=2))
    bench.provider.failures = [TwilioUnavailable("no answer")]
    erasure_id = await office.ask()
    await office.run()
    receipt = await office.receipt(erasure_id)
    assert (receipt.is_listed, receipt.tally.refused) == (True, {"no answer": 1})
    for partition in keys.day_partitions(text.created_at.date()):
        await storage.lookups.delete(partition, keys.position(text))
    bench.clock.advance(PAUSE)
    assert (await office.run_to_the_end(erasure_id)).tally.done == {"inbound_texts": 1}


async def test_one_that_somebody_else_erased_meanwhile_is_not_listed_again(bench: Bench) -> None:
    office, log = Office(bench), bench.storage.log
    text = await came_in(bench, ALICE)
    await log.list_by_address(text)
    assert await office.counts() == {"inbound_texts": 1}
    await log.erase(text, now=bench.clock.now)
    await log.list_by_address(text)
    assert keys.digest(ALICE) not in repr(await bench.storage.rows(bench.storage.lookups))


async def test_a_run_ends_in_time_and_the_next_one_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.erasures.holdings.PAGE", 2)
    office = Office(bench)
    for _ in range(5):
        await came_in(bench, ALICE)
    erasure_id = await office.ask()

    async def erase_slowly(*args: object, **more: object) -> object:
        bench.clock.advance(timedelta(seconds=40))
        return await erase_with_derived(*args, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as slow:
        slow.setattr(erasing, "erase_with_derived", erase_slowly)
        await office.run()
    receipt = await office.receipt(erasure_id)
    assert (receipt.tally.done, receipt.status) == ({"inbound_texts": 2}, "running")
    assert receipt.cursor is not None
    assert (await office.run_to_the_end(erasure_id)).tally.done == {"inbound_texts": 5}


async def test_a_long_preview_is_told_in_parts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.erasures.holdings.PAGE", 2)
    monkeypatch.setattr(erasing, "_PREVIEWED_FOR", timedelta(0))
    office = Office(bench)
    for _ in range(5):
        await came_in(bench, ALICE)
    whose, cursor, total = addresses(ALICE, region=None), None, 0
    for part in range(200):
        preview = await office.erasures.preview(whose, cursor=cursor)
        total += sum(preview.counts.values())
        cursor = preview.cursor
        if cursor is None:
            break
        assert part < 100
    assert total == 5
    with pytest.raises(RequestInvalid, match="cursor"):
        await office.erasures.preview(whose, cursor="made up")


@pytest.mark.parametrize("to", [FROM_NUMBER, f"whatsapp:{FROM_NUMBER}", "+14155550155"])
async def test_an_address_of_this_app_is_not_erased(bench: Bench, to: str) -> None:
    office = Office(bench)
    await bench.storage.lookups.put({"PartitionKey": "sender", "RowKey": keys.digest("+14155550155")})
    for do in (office.ask, office.counts):
        with pytest.raises(OwnAddress):
            await do(to)
    assert await bench.storage.rows(bench.storage.lookups, since="erasure", before="erasuret") == []


@pytest.mark.parametrize("lives", [*range(0, 12, 2), *range(12, 73, 6)])
async def test_a_crash_anywhere_is_made_up_for(bench: Bench, lives: int) -> None:
    office = Office(bench)
    await put_on_record(office, ALICE, "alice")
    erasure_id = await office.ask()
    mortal = Office(bench, lives=[lives])
    with pytest.raises(DiedError):
        await mortal.run()
    assert (await office.receipt(erasure_id)).status == "running"
    receipt = await office.run_to_the_end(erasure_id)
    assert receipt.status == "finished"
    assert await office.counts() == {}
    bench.clock.advance(timedelta(minutes=16))
    keep = timedelta(days=90)
    sweeper = Retention(log=bench.storage.log, lookups=bench.storage.lookups, keep=keep, clock=bench.clock)
    await sweeper.purge(until=bench.clock.now + timedelta(minutes=1))
    assert left_of(ALICES, await office.everything()) == []


@pytest.mark.parametrize("lives", [0, 1])
async def test_an_erasure_that_was_not_answered_is_on_record_or_leaves_nothing(bench: Bench, lives: int) -> None:
    with pytest.raises(DiedError):
        await Office(bench, lives=[lives]).ask()
    office = Office(bench)
    assert await office.run() == 0
    bench.clock.advance(timedelta(days=400))
    await office.run()
    assert await bench.storage.rows(bench.storage.lookups, since="erasures", before="erasurest") == []


async def test_two_erasures_of_one_person_at_once_do_no_harm(bench: Bench) -> None:
    office = Office(bench)
    await put_on_record(office, ALICE, "alice")
    first, second = await office.ask(), await office.ask()
    receipts = [await office.run_to_the_end(erasure_id) for erasure_id in (first, second)]
    assert [receipt.status for receipt in receipts] == ["finished", "finished"]
    assert left_of(ALICES, await office.everything()) == []


async def test_two_runs_at_once_do_no_harm(bench: Bench) -> None:
    office = Office(bench)
    await came_in(bench, ALICE)
    erasure_id = await office.ask()
    stale = await office.receipt(erasure_id)
    await office.run()
    with pytest.raises(Changed):
        await office.erasures._receipts.save(stale)
    assert (await office.run_to_the_end(erasure_id)).status == "finished"
