"""The event feed: every event, after it is on record, at least once."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient

from shared.deliveries import rows
from shared.deliveries.feed import Feed, as_document, as_message
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.queues import LARGEST, Queue
from tests.deliveries.samples import NOW, SID, a_delivery, an_event
from tests.storage import Storage, open_queue, open_storage


@dataclass(frozen=True)
class Fed:
    """A log that tells its events, the queue that hears them, and its tables."""

    log: DeliveryLog
    storage: Storage
    client: QueueClient

    async def told(self) -> list[Any]:
        messages = [message async for message in self.client.receive_messages()]
        return [json.loads(base64.b64decode(message.content, validate=True)) for message in messages]


@pytest.fixture
async def fed(azurite: str) -> AsyncIterator[Fed]:
    async with open_storage(azurite) as storage, open_queue(azurite) as (queue, client):
        await client.create_queue()
        yield Fed(DeliveryLog(storage.deliveries, storage.lookups, feed=Feed(queue)), storage, client)


def test_an_event_is_told_with_what_its_reader_needs_to_act() -> None:
    event = an_event("undelivered", seconds=4, error_code=30003, error_message="Unreachable")
    assert as_document(a_delivery(metadata={"order": "7"}), event) == {
        "id": "order-1",
        "channel": "sms",
        "direction": "outbound",
        "named": None,
        "status": "undelivered",
        "sid": SID,
        "error": {"code": 30003, "message": "Unreachable"},
        "at": event.at,
        "origin": None,
        "answers": None,
        "kind": None,
        "detail": None,
        "metadata": {"order": "7"},
    }


def test_where_nothing_went_wrong_there_is_no_error() -> None:
    assert as_document(a_delivery(), an_event("sent"))["error"] is None
    assert as_document(a_delivery(), an_event("failed", error_code=30008))["error"] == {"code": 30008, "message": None}


def test_a_rejected_message_is_told_with_the_id_that_it_names() -> None:
    rejected = a_delivery(id="message-1", status="rejected", named="order-1", metadata={"order": "7"})
    told = as_document(rejected, an_event("rejected", sid=None))
    assert (told["id"], told["named"], told["metadata"]) == ("message-1", "order-1", {"order": "7"})


async def test_every_event_goes_into_the_queue_as_base64_json(fed: Fed) -> None:
    delivery = await fed.log.claim(a_delivery(metadata={"order": "7"}))
    assert delivery is not None
    assert await fed.told() == [], "a claim is no event"
    for second, word in enumerate(("queued", "sent", "delivered")):
        delivery = await fed.log.record(delivery, an_event(word, seconds=second))
    await fed.log.file(a_delivery(id=SID, direction="inbound", status="received"), an_event("received"))
    told = await fed.told()
    assert [(document["id"], document["status"]) for document in told] == [
        ("order-1", "queued"),
        ("order-1", "sent"),
        ("order-1", "delivered"),
        (SID, "received"),
    ]
    assert told[0] == {
        "id": "order-1",
        "channel": "sms",
        "direction": "outbound",
        "named": None,
        "status": "queued",
        "sid": SID,
        "error": None,
        "at": NOW.isoformat().replace("+00:00", "Z"),
        "origin": None,
        "answers": None,
        "kind": None,
        "detail": None,
        "metadata": {"order": "7"},
    }


async def test_own_events_are_told_too(fed: Fed) -> None:
    delivery = await fed.log.claim(a_delivery())
    assert delivery is not None
    await fed.log.change(delivery, a_delivery(status="retrying"), an_event("retrying", sid=None))
    [document] = await fed.told()
    assert (document["status"], document["sid"]) == ("retrying", None)


async def test_late_events_are_told_as_well(fed: Fed) -> None:
    delivery = await fed.log.claim(a_delivery())
    assert delivery is not None
    for word in ("delivered", "sent"):
        delivery = await fed.log.record(delivery, an_event(word))
    assert [document["status"] for document in await fed.told()] == ["delivered", "sent"]


async def test_an_event_is_on_record_before_it_is_told(fed: Fed) -> None:
    on_record: list[Event] = []

    class Looking(Feed):
        async def tell(self, delivery: Delivery, event: Event) -> None:
            on_record.extend(await fed.storage.log.timeline(delivery.id))

    log = DeliveryLog(fed.storage.deliveries, fed.storage.lookups, feed=Looking(Queue(lambda: fed.client)))
    delivery = await log.claim(a_delivery())
    assert delivery is not None
    await log.record(delivery, an_event("sent"))
    assert on_record == [an_event("sent")]


async def test_an_event_that_could_not_be_told_is_told_when_it_comes_again(fed: Fed) -> None:
    """A crash between the record and the feed: whoever tells it again tells the feed again."""
    delivery = await fed.storage.log.claim(a_delivery())
    assert delivery is not None
    after = await fed.storage.log.record(delivery, an_event("sent"))
    assert await fed.told() == []
    await fed.log.record(after, an_event("sent"))
    assert [document["status"] for document in await fed.told()] == ["sent"]


async def test_what_a_crash_kept_from_being_told_is_told_when_it_is_folded(fed: Fed) -> None:
    delivery = await fed.storage.log.claim(a_delivery())
    assert delivery is not None
    for event in (an_event("sent"), an_event("delivered", seconds=1), an_event("queued", seconds=2)):
        await fed.storage.deliveries.insert(rows.event_row("order-1", event))
    folded = await fed.log.fold_again(delivery)
    assert [document["status"] for document in await fed.told()] == ["sent", "delivered"], "what changed it"
    await fed.log.fold_again(folded)
    assert await fed.told() == []


async def test_what_could_not_be_told_is_not_folded_before_it_is_told(fed: Fed) -> None:
    class Away(Feed):
        async def tell(self, delivery: Delivery, event: Event) -> None:
            raise ConnectionError(f"{delivery.id} {event.key}")

    delivery = await fed.storage.log.claim(a_delivery())
    assert delivery is not None
    await fed.storage.deliveries.insert(rows.event_row("order-1", an_event("delivered")))
    log = DeliveryLog(fed.storage.deliveries, fed.storage.lookups, feed=Away(Queue(lambda: fed.client)))
    with pytest.raises(ConnectionError):
        await log.fold_again(delivery)
    assert await fed.log.get("order-1") == delivery


async def test_while_the_feed_is_away_nothing_is_acknowledged(fed: Fed) -> None:
    class Away(Feed):
        async def tell(self, delivery: Delivery, event: Event) -> None:
            raise ConnectionError(f"{delivery.id} {event.key}")

    delivery = await fed.storage.log.claim(a_delivery())
    assert delivery is not None
    log = DeliveryLog(fed.storage.deliveries, fed.storage.lookups, feed=Away(Queue(lambda: fed.client)))
    with pytest.raises(ConnectionError):
        await log.record(delivery, an_event("sent"))
    assert (await fed.log.record(delivery, an_event("sent"))).status == "sent"
    assert len(await fed.told()) == 1


async def test_an_event_that_no_queue_carries_is_told_without_its_detail(fed: Fed) -> None:
    delivery = await fed.log.claim(a_delivery(metadata={"order": "7"}))
    assert delivery is not None
    raw = {"TranscriptionText": "✓" * LARGEST}
    await fed.log.record(delivery, Event(key="large", kind="transcription", status="completed", at=NOW, raw=raw))
    error = Event(key="error", kind="trouble", status="failed", at=NOW, error_message="x" * LARGEST, raw=raw)
    await fed.log.record(delivery, error)
    large, failed = sorted(await fed.told(), key=lambda one: one["kind"] == "trouble")
    assert (large["detail"], large["cut"], large["metadata"]) == (None, True, {"order": "7"})
    assert failed["error"]["message"] == "x" * 993 + "… (cut)"
    assert [event.raw for event in await fed.log.timeline("order-1")] == [raw, raw]


@pytest.mark.parametrize("character", ["x", '"', "\x01", "😀"])
def test_whatever_it_holds_an_event_is_never_larger_than_a_queue_carries(character: str) -> None:
    text = character * LARGEST
    delivery = a_delivery(metadata={"note": character * 600}, named="😀" * 200)
    event = Event(key="k", kind="trouble", status="x" * 40, at=NOW, error_message=text, raw={"Body": text})
    assert len(as_message(delivery, event)) <= LARGEST
