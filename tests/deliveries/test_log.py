import asyncio
import logging
import random
from datetime import timedelta

import msgspec
import pytest

from shared.deliveries import keys, rows
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event, tombstone
from shared.errors import Changed
from shared.tables import Entity, Table
from tests.deliveries.samples import NOW, OTHER_SID, SID, a_delivery, an_event
from tests.fakes import a_sid
from tests.storage import Storage


class MeddledTable(Table):
    """A table in which somebody else does something right before each merge."""

    def __init__(self, table: Table, meddling: list[Event], storage: Storage) -> None:
        super().__init__(table._client)
        self.meddling = meddling
        self.storage = storage

    async def merge(self, entity: Entity, *, version: str) -> str:
        if self.meddling:
            current = await self.storage.log.get(entity["PartitionKey"])
            assert current is not None
            await self.storage.log.record(current, self.meddling.pop(0))
        return await super().merge(entity, version=version)


async def claimed(storage: Storage, **changes: object) -> Delivery:
    delivery = await storage.log.claim(a_delivery(**changes))
    assert delivery is not None
    return delivery


async def index_rows(storage: Storage, kind: str) -> list[str]:
    found = await storage.rows(storage.lookups, since=f"{kind}:", before=f"{kind};")
    return [row["PartitionKey"] for row in found]


async def test_there_is_no_delivery_where_nothing_was_written(storage: Storage) -> None:
    assert await storage.log.get("order-1") is None
    assert await storage.log.timeline("order-1") == []
    assert await storage.log.owner_of(SID) is None


async def test_a_claim_is_there_to_be_read_with_its_version(storage: Storage) -> None:
    delivery = await claimed(storage)
    assert delivery.version
    assert await storage.log.get("order-1") == delivery
    assert msgspec.structs.replace(delivery, version=None) == a_delivery()


async def test_a_second_claim_of_an_id_gets_nothing_and_changes_nothing(storage: Storage) -> None:
    first = await claimed(storage)
    assert await storage.log.claim(a_delivery(attempt="token-2", to="+14155550101", created_at=NOW)) is None
    assert await storage.log.get("order-1") == first


async def test_a_claim_whose_answer_was_lost_is_its_own(storage: Storage) -> None:
    await storage.deliveries.insert(rows.delivery_row(a_delivery()))
    again = await claimed(storage)
    assert again == await storage.log.get("order-1")


async def test_of_five_claims_at_once_exactly_one_succeeds(storage: Storage) -> None:
    claims = await asyncio.gather(
        *(storage.log.claim(a_delivery(attempt=f"token-{n}")) for n in range(5)),
    )
    (winner,) = [claim for claim in claims if claim is not None]
    assert await storage.log.get("order-1") == winner


async def test_a_claim_can_be_found_by_time_by_recipient_and_while_it_is_open(storage: Storage) -> None:
    delivery = await claimed(storage)
    rows_there = {(row["PartitionKey"], row["RowKey"]) for row in await storage.rows(storage.lookups)}
    expected = (keys.day_row(delivery), keys.recipient_row(delivery), keys.open_row(delivery))
    assert rows_there == {(row["PartitionKey"], row["RowKey"]) for row in expected}


async def test_a_claim_is_findable_before_it_is_made(storage: Storage) -> None:
    class Stopped(Exception):
        pass

    class Dead(Table):
        async def insert(self, entity: Entity) -> str | None:
            raise Stopped(entity["PartitionKey"])

    log = type(storage.log)(Dead(storage.deliveries._client), storage.lookups)
    with pytest.raises(Stopped):
        await log.claim(a_delivery())
    assert len(await index_rows(storage, "wake")) == 1


async def test_a_delivery_without_a_recipient_has_no_row_for_one(storage: Storage) -> None:
    await storage.log.file(a_delivery(status="rejected", to=None), an_event("rejected"))
    assert await index_rows(storage, "to") == []
    assert len(await index_rows(storage, "status:rejected")) == 1


async def test_what_has_ended_already_is_not_listed_as_open(storage: Storage) -> None:
    await storage.log.file(a_delivery(status="rejected"), an_event("rejected"))
    assert await index_rows(storage, "wake") == []


async def test_the_open_row_goes_when_the_delivery_ends(storage: Storage) -> None:
    delivery = await claimed(storage)
    delivery = await storage.log.record(delivery, an_event("sent"))
    assert len(await index_rows(storage, "wake")) == 1
    await storage.log.record(delivery, an_event("delivered", seconds=1))
    assert await index_rows(storage, "wake") == []


async def test_a_notable_status_gets_a_row_and_an_ordinary_one_gets_none(storage: Storage) -> None:
    delivery = await claimed(storage)
    delivery = await storage.log.record(delivery, an_event("sent"))
    assert await index_rows(storage, "status") == []
    failed = await storage.log.record(delivery, an_event("undelivered", seconds=1))
    assert await index_rows(storage, "status") == [keys.status_row(failed)["PartitionKey"]]


async def test_an_event_told_twice_is_kept_once_and_changes_nothing(storage: Storage) -> None:
    delivery = await claimed(storage)
    first = await storage.log.record(delivery, an_event("sent", seconds=1))
    again = await storage.log.record(first, msgspec.structs.replace(an_event("sent"), at=NOW + timedelta(hours=1)))
    assert again == first == await storage.log.get("order-1")
    assert await storage.log.timeline("order-1") == [an_event("sent", seconds=1)]


async def test_an_event_told_twice_still_brings_the_state_up_to_date(storage: Storage) -> None:
    delivery = await claimed(storage)
    await storage.deliveries.insert(rows.event_row("order-1", an_event("sent")))
    assert (await storage.log.record(delivery, an_event("sent"))).status == "sent"


async def test_a_late_event_is_kept_and_changes_nothing(storage: Storage) -> None:
    delivery = await claimed(storage)
    ended = await storage.log.record(delivery, an_event("delivered", seconds=5))
    assert await storage.log.record(ended, an_event("sent", seconds=4)) == ended
    assert [event.status for event in await storage.log.timeline("order-1")] == ["sent", "delivered"]


async def test_an_event_finds_its_way_with_a_stale_delivery(storage: Storage) -> None:
    stale = await claimed(storage)
    await storage.log.record(stale, an_event("delivered", seconds=2))
    assert (await storage.log.record(stale, an_event("sent", seconds=1))).status == "delivered"
    assert (await storage.log.record(stale, an_event("read", seconds=3))).status == "read"


async def test_an_event_holds_however_often_others_come_in_between(storage: Storage) -> None:
    delivery = await claimed(storage)
    others = [an_event("queued"), an_event("sending", seconds=1), an_event("sent", seconds=2)]
    log = type(storage.log)(MeddledTable(storage.deliveries, others, storage), storage.lookups)
    assert (await log.record(delivery, an_event("delivered", seconds=3))).status == "delivered"
    assert len(await storage.log.timeline("order-1")) == 4


async def test_an_event_that_never_gets_through_says_so_and_is_kept(storage: Storage) -> None:
    class Contested(Table):
        async def merge(self, entity: Entity, *, version: str) -> str:
            raise Changed(f"{entity['RowKey']} {version}")

    delivery = await claimed(storage)
    log = type(storage.log)(Contested(storage.deliveries._client), storage.lookups)
    with pytest.raises(Changed, match="20 times"):
        await log.record(delivery, an_event("sent"))
    assert len(await storage.log.timeline("order-1")) == 1


MESSAGE = [
    an_event(word, seconds=n) for n, word in enumerate(["accepted", "queued", "sending", "sent", "delivered", "read"])
]
CALL = [
    an_event("queued"),
    *(
        an_event(word, seconds=n + 1, sequence=n)
        for n, word in enumerate(["initiated", "ringing", "in-progress", "completed"])
    ),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("channel", "history"), [("sms", MESSAGE), ("call", CALL)])
async def test_events_that_come_all_at_once_and_in_any_order_are_all_kept_and_end_right(
    storage: Storage, channel: str, history: list[Event], seed: int
) -> None:
    delivery = await claimed(storage, channel=channel)
    told = history * 2
    random.Random(seed).shuffle(told)  # noqa: S311 - an order that can be had again
    await asyncio.gather(*(storage.log.record(delivery, event) for event in told))
    ended = await storage.log.get("order-1")
    assert ended is not None
    assert (ended.status, ended.sid) == (history[-1].status, SID)
    assert await storage.log.timeline("order-1") == history


async def test_the_timeline_goes_by_time_and_then_by_sequence_number(storage: Storage) -> None:
    delivery = await claimed(storage, channel="call")
    # in the order of their keys, the tenth stands before the ninth
    told = [
        an_event("completed", sequence=10, seconds=1),
        an_event("in-progress", sequence=9, seconds=1),
        an_event("ringing", sequence=11, seconds=0.5),
        an_event("queued", seconds=1),
    ]
    for event in told:
        await storage.log.record(delivery, event)
    timeline = [event.status for event in await storage.log.timeline("order-1")]
    assert timeline == ["ringing", "queued", "in-progress", "completed"]


async def test_the_sequence_number_orders_what_happened_within_one_second(storage: Storage) -> None:
    delivery = await claimed(storage, channel="call")
    # Twilio tells its times in whole seconds; the answer to the create has the time of our own clock
    second = 1 - NOW.microsecond / 1_000_000
    told = [
        an_event("ringing", sequence=1, seconds=second),
        an_event("initiated", sequence=0, seconds=second),
        an_event("queued", seconds=second + 0.9),
        an_event("failed", sequence=2, seconds=second + 1),
    ]
    for event in told:
        await storage.log.record(delivery, event)
    timeline = [event.status for event in await storage.log.timeline("order-1")]
    assert timeline == ["queued", "initiated", "ringing", "failed"]


async def test_a_timeline_holds_the_events_of_one_delivery_only(storage: Storage) -> None:
    for name in ("order", "order-1", "order-2"):
        await storage.log.record(await claimed(storage, id=name), an_event("sent"))
    assert await storage.log.timeline("order-1") == [an_event("sent")]


async def test_a_word_that_this_app_does_not_know_is_kept_and_told(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = await claimed(storage, sid=SID, status="sent")
    with caplog.at_level(logging.ERROR, "shared"):
        assert await storage.log.record(delivery, an_event("exploded")) == delivery
    assert [event.status for event in await storage.log.timeline("order-1")] == ["exploded"]
    (told,) = caplog.records
    expected = "a status that this app does not know: 'exploded' [delivery order-1]"
    assert (told.levelname, told.getMessage()) == ("ERROR", expected)


async def test_a_change_records_its_events_and_the_state(storage: Storage) -> None:
    delivery = await claimed(storage)
    after = msgspec.structs.replace(delivery, status="retrying", error_code=20429)
    changed = await storage.log.change(delivery, after, an_event("retrying", sid=None))
    assert changed == await storage.log.get("order-1")
    assert (changed.status, changed.version == delivery.version) == ("retrying", False)
    assert await storage.log.timeline("order-1") == [an_event("retrying", sid=None)]


async def test_a_change_of_a_state_that_is_not_the_present_one_is_refused_and_its_event_stays(storage: Storage) -> None:
    stale = await claimed(storage)
    present = await storage.log.record(stale, an_event("sent"))
    with pytest.raises(Changed):
        await storage.log.change(stale, msgspec.structs.replace(stale, status="retrying"), an_event("retrying"))
    assert await storage.log.get("order-1") == present
    assert len(await storage.log.timeline("order-1")) == 2


async def test_a_state_that_was_never_read_can_not_be_changed(storage: Storage) -> None:
    await claimed(storage)
    with pytest.raises(Changed):
        await storage.log.change(a_delivery(), a_delivery(status="failed"))


async def test_a_sid_belongs_to_the_first_that_owns_it(storage: Storage) -> None:
    sid = a_sid()
    assert await storage.log.own_sid(sid, "order-1") == "order-1"
    assert await storage.log.own_sid(sid, "order-2") == "order-1"
    assert await storage.log.own_sid(sid, "order-1") == "order-1"
    assert await storage.log.owner_of(sid) == "order-1"
    assert await storage.log.owner_of(OTHER_SID) is None


async def test_of_many_that_would_own_a_sid_at_once_all_agree_on_one(storage: Storage) -> None:
    sid = a_sid()
    owners = await asyncio.gather(*(storage.log.own_sid(sid, f"order-{n}") for n in range(6)))
    assert set(owners) == {await storage.log.owner_of(sid)}


async def test_what_is_filed_twice_is_there_once(storage: Storage) -> None:
    inbound = a_delivery(id=SID, direction="inbound", status="received", sid=SID)
    first = await storage.log.file(inbound, an_event("received"))
    later = msgspec.structs.replace(inbound, created_at=NOW + timedelta(seconds=1))
    second = await storage.log.file(later, an_event("received", seconds=1))
    assert first == second == await storage.log.get(SID)
    assert await storage.log.timeline(SID) == [an_event("received")]


async def test_what_is_filed_under_a_delivery_that_exists_is_one_more_event_of_it(storage: Storage) -> None:
    ringing = a_delivery(id=SID, channel="call", direction="inbound", status="ringing", sid=SID)
    await storage.log.file(ringing, an_event("ringing"))
    completed = msgspec.structs.replace(ringing, status="completed")
    ended = await storage.log.file(completed, an_event("completed", seconds=9, sequence=3))
    assert (ended.status, ended.created_at) == ("completed", NOW)
    assert [event.status for event in await storage.log.timeline(SID)] == ["ringing", "completed"]
    assert await index_rows(storage, "wake") == []


async def test_of_many_that_file_the_same_at_once_all_get_the_same(storage: Storage) -> None:
    inbound = a_delivery(id=SID, direction="inbound", status="received", sid=SID)
    filed = await asyncio.gather(*(storage.log.file(inbound, an_event("received")) for _ in range(5)))
    assert filed == [filed[0]] * 5


@pytest.mark.parametrize("attempt", ["token-1", "token-2"])
async def test_a_claim_that_fails_leaves_no_entries_behind_but_the_first_ones(storage: Storage, attempt: str) -> None:
    await claimed(storage)
    before = sorted(row["RowKey"] for row in await storage.rows(storage.lookups))
    again = a_delivery(attempt="token-2", created_at=NOW + timedelta(seconds=5) if attempt == "token-2" else NOW)
    assert await storage.log.claim(again) is None
    assert sorted(row["RowKey"] for row in await storage.rows(storage.lookups)) == before


def said(word: str, *, seconds: float = 0, **fields: object) -> Event:
    """What Twilio said, with all that it said."""
    raw = {"To": "+14155550100", "From": "+14155550199", "Body": "Your parcel has arrived."}
    return msgspec.structs.replace(an_event(word, seconds=seconds), raw=raw, **fields)


async def test_events_that_a_crash_left_without_a_state_are_folded_into_it(storage: Storage) -> None:
    delivery = await claimed(storage)
    for event in (an_event("sent", seconds=1), an_event("delivered", seconds=2)):
        await storage.deliveries.insert(rows.event_row("order-1", event))
    folded = await storage.log.fold_again(delivery)
    assert (folded.status, folded.sid) == ("delivered", SID)
    assert folded == await storage.log.get("order-1")
    assert await index_rows(storage, "wake") == [], "and what follows from the state follows"
    assert await storage.log.fold_again(folded) == folded


async def test_folding_a_stale_delivery_again_takes_nothing_back(storage: Storage) -> None:
    stale = await claimed(storage)
    ended = await storage.log.record(stale, an_event("delivered"))
    assert await storage.log.fold_again(stale) == ended


async def test_what_it_was_before_it_was_reopened_is_not_folded_into_it(storage: Storage) -> None:
    delivery = await claimed(storage)
    failed = await storage.log.record(delivery, an_event("failed", error_code=30008))
    waiting = msgspec.structs.replace(failed, status="retrying", sid=None, past_sids=(SID,))
    reopened = await storage.log.reopen(failed, waiting, an_event("retrying", sid=None, seconds=1))
    assert len(await index_rows(storage, "wake")) == 1
    assert await storage.log.fold_again(reopened) == reopened
    again = await storage.log.record(reopened, an_event("sent", sid=OTHER_SID, seconds=2))
    assert (again.status, again.sid, again.past_sids) == ("sent", OTHER_SID, (SID,))
    assert (await storage.log.record(again, an_event("delivered", seconds=3))).status == "sent"


async def test_an_erased_delivery_is_its_tombstone_and_nothing_else(storage: Storage) -> None:
    delivery = await claimed(storage, metadata={"order": "7"}, reasons=("because",))
    for word in ("queued", "sent", "undelivered"):
        delivery = await storage.log.record(delivery, said(word, error_code=30003, error_message="gone"))
    erased = await storage.log.erase(delivery, now=NOW, by="Ada")
    [row] = await storage.rows(storage.deliveries)
    assert row.keys() == {
        "PartitionKey",
        "RowKey",
        "Channel",
        "Direction",
        "Status",
        "CreatedAt",
        "UpdatedAt",
        "RequestHash",
        "Erased",
        "ErasedAt",
        "ErasedBy",
        "Attempts",
    }
    assert (row["ErasedAt"], row["ErasedBy"]) == (NOW, "Ada")
    assert (row["Status"], row["RequestHash"], row["Erased"], row["Attempts"]) == ("undelivered", "hash-1", True, 0)
    everything = repr([row, await storage.rows(storage.lookups)])
    assert not [part for part in ("5550100", "5550199", "parcel", "order-7") if part in everything]
    assert await index_rows(storage, "to") == []
    assert erased == await storage.log.get("order-1")
    assert await storage.log.timeline("order-1") == []


async def test_what_was_changed_since_it_was_read_is_not_erased(storage: Storage) -> None:
    stale = await claimed(storage)
    await storage.log.record(stale, an_event("delivered"))
    with pytest.raises(Changed):
        await storage.log.erase(stale, now=NOW)
    with pytest.raises(Changed):
        await storage.log.erase(a_delivery(), now=NOW)
    delivery = await storage.log.get("order-1")
    assert delivery is not None
    assert delivery.to == "+14155550100"
    assert len(await storage.log.timeline("order-1")) == 1
    assert len(await index_rows(storage, "to")) == 1


async def test_an_erasure_that_a_crash_cut_short_can_be_made_again(storage: Storage) -> None:
    class Dead(Table):
        async def replace(self, entity: Entity, *, version: str) -> str:
            raise ConnectionError(f"{entity['RowKey']} {version}")

    delivery = await storage.log.record(await claimed(storage), said("delivered"))
    log = type(storage.log)(Dead(storage.deliveries._client), storage.lookups)
    with pytest.raises(ConnectionError):
        await log.erase(delivery, now=NOW)
    left = await storage.log.get("order-1")
    assert left is not None
    expected = msgspec.structs.replace(tombstone(delivery), erased_at=NOW, version=left.version)
    assert left == expected, "to everybody who looks"
    again = await storage.log.erase(left, now=NOW)
    assert (again.erased, again) == (True, await storage.log.get("order-1"))
    [row] = await storage.rows(storage.deliveries)
    assert "To" not in row
    assert await storage.log.erase(again, now=NOW) == again


async def test_events_and_the_entry_by_recipient_that_a_crash_left_of_an_erased_one_go_with_the_next_try(
    storage: Storage,
) -> None:
    class Dead(Table):
        async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
            raise ConnectionError(f"{partition} {row} {version}")

    delivery = await storage.log.record(await claimed(storage), said("delivered"))
    with pytest.raises(ConnectionError):
        await type(storage.log)(Dead(storage.deliveries._client), storage.lookups).erase(delivery, now=NOW)
    left = await storage.log.get("order-1")
    assert left is not None
    await storage.log.erase(left, now=NOW)
    assert len(await storage.rows(storage.deliveries)) == 1
    assert await index_rows(storage, "to") == []


async def test_an_erased_id_is_never_claimed_again(storage: Storage) -> None:
    await storage.log.erase(await storage.log.record(await claimed(storage), an_event("delivered")), now=NOW)
    assert await storage.log.claim(a_delivery(attempt="token-2")) is None


async def test_another_sid_that_it_was_told_of_is_not_its_own_after_it_was_reopened(storage: Storage) -> None:
    delivery = await claimed(storage)
    delivery = await storage.log.record(delivery, an_event("undelivered"))
    await storage.log.record(delivery, an_event("delivered", sid=OTHER_SID, seconds=1))
    waiting = msgspec.structs.replace(delivery, status="retrying", sid=None, past_sids=(SID,))
    reopened = await storage.log.reopen(delivery, waiting, an_event("retrying", sid=None, seconds=2))
    assert reopened.past_sids == (SID, OTHER_SID)
    assert await storage.log.fold_again(reopened) == reopened
    assert await storage.log.record(reopened, an_event("delivered", sid=OTHER_SID, seconds=3)) == reopened


async def test_who_ends_it_leaves_the_entry_of_who_opens_it_again_before_that_is_taken_out(storage: Storage) -> None:
    class Replayed(Table):
        """Right after it failed, somebody asks for another attempt."""

        async def merge(self, entity: Entity, *, version: str) -> str:
            written = await super().merge(entity, version=version)
            failed = await storage.log.get("order-1")
            assert failed is not None
            later = failed.updated_at + timedelta(seconds=1)
            waiting = msgspec.structs.replace(failed, status="retrying", sid=None, updated_at=later)
            await storage.log.reopen(failed, waiting, an_event("retrying", sid=None, seconds=1))
            return written

    delivery = await claimed(storage)
    log = type(storage.log)(Replayed(storage.deliveries._client), storage.lookups)
    await log.record(delivery, an_event("failed"))
    assert len(await index_rows(storage, "wake")) == 1


async def test_what_follows_from_an_event_comes_after_it_and_before_the_state_and_is_repeated(storage: Storage) -> None:
    found: list[tuple[str, int, str]] = []

    async def heed(told: Delivery, event: Event) -> None:
        current = await storage.log.get(told.id)
        assert current is not None
        found.append((event.status, len(await storage.log.timeline(told.id)), current.status))
        if len(found) == 1:
            raise ConnectionError

    delivery = await claimed(storage)
    log = DeliveryLog(storage.deliveries, storage.lookups, heed=heed)
    with pytest.raises(ConnectionError):
        await log.record(delivery, an_event("sent"))
    assert (await log.record(delivery, an_event("sent"))).status == "sent"
    assert found == [("sent", 1, "submitting")] * 2


async def test_the_end_is_told_again_where_its_error_comes_later_than_the_failure(storage: Storage) -> None:
    told: list[tuple[str, int | None]] = []

    async def ended(delivery: Delivery) -> None:
        told.append((delivery.status, delivery.error_code))

    log = DeliveryLog(storage.deliveries, storage.lookups, on_end=ended)
    delivery = await claimed(storage)
    for event in (
        an_event("undelivered", seconds=1),
        an_event("undelivered", seconds=2, error_code=21610),
        an_event("undelivered", seconds=3),
        an_event("sent", seconds=4),
    ):
        delivery = await log.record(delivery, event)
    assert (delivery.status, delivery.error_code) == ("undelivered", 21610)
    assert told == [("undelivered", None), ("undelivered", 21610)]
