"""The host's poison queue is drained into the one place to look."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.storage.queue.aio import QueueClient

from shared.deliveries.open import OpenDeliveries
from shared.deliveries.record import Delivery, Event
from shared.housekeeping.poison import PoisonQueue
from shared.queues import LARGEST
from tests.outbound.bench import Bench
from tests.outbound.samples import a_message
from tests.storage import open_queue

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Poison:
    """The poison queue, and what drains it."""

    bench: Bench
    client: QueueClient
    chore: PoisonQueue

    async def put(self, text: str) -> str:
        return str((await self.client.send_message(text)).id)

    async def drain(self) -> int:
        return await self.chore.drain(until=self.bench.clock.now + MINUTE)

    async def left(self) -> int:
        return (await self.client.get_queue_properties()).approximate_message_count or 0


@pytest.fixture
async def poison(azurite: str, bench: Bench) -> AsyncIterator[Poison]:
    async with open_queue(azurite) as (queue, client):
        await client.create_queue()
        yield Poison(
            bench,
            client,
            PoisonQueue(queue=queue, sender=lambda: bench.sender, clock=bench.clock),
        )


def encoded(message: bytes) -> str:
    return base64.b64encode(message).decode()


async def test_a_poison_queue_that_is_not_there_is_empty(azurite: str, bench: Bench) -> None:
    async with open_queue(azurite) as (queue, _):
        chore = PoisonQueue(queue=queue, sender=lambda: bench.sender, clock=bench.clock)
        assert await chore.drain(until=bench.clock.now + MINUTE) == 0


@pytest.mark.parametrize(
    ("text", "request_bytes"),
    [
        ("no base64 at all!", b"no base64 at all!"),
        ("Grüße 🎉 kein base64", "Grüße 🎉 kein base64".encode()),
        ('{"id": "plain", "colour": "red"}', b'{"id": "plain", "colour": "red"}'),
        (encoded(b"\xff\xfe\x00"), b"\xff\xfe\x00"),
        (encoded(b"no json"), b"no json"),
        (encoded(b"\xff" * LARGEST), b"\xff" * LARGEST),
        ("!" * 64 * 1024, b"!" * 64 * 1024),
        ("-", b"-"),
    ],
    ids=lambda value: f"{value[:12]!r} {len(value)}",
)
async def test_what_can_not_be_read_is_on_record_whole_with_why_and_gone_from_the_queue(
    poison: Poison, text: str, request_bytes: bytes
) -> None:
    message_id = await poison.put(text)
    assert await poison.drain() == 1
    assert await poison.left() == 0
    delivery = await poison.bench.delivery(message_id)
    assert (delivery.status, delivery.request) == ("rejected", request_bytes)
    assert delivery.reasons[0].startswith("request: the functions host gave it up")
    assert len(delivery.reasons) > 1, "and what is wrong with it"
    assert poison.bench.queue.puts == []


async def test_a_request_that_never_came_through_goes_back_into_its_queue(poison: Poison) -> None:
    """Storage was away for five tries: that says nothing against the request."""
    message_id = await poison.put(encoded(a_message()))
    await poison.drain()
    assert poison.bench.queue.puts == [(a_message(), timedelta(0))]
    assert await poison.left() == 0
    assert await poison.bench.storage.log.get(message_id) is None
    assert await poison.bench.storage.log.get("order-1") is None
    assert poison.bench.provider.created == []
    await poison.bench.take(a_message())
    assert (await poison.bench.delivery()).status == "queued"


async def test_a_request_that_is_no_base64_is_rejected_and_can_be_looked_at(poison: Poison) -> None:
    message_id = await poison.put(a_message().decode())
    await poison.drain()
    delivery = await poison.bench.delivery(message_id)
    assert (delivery.status, delivery.channel, delivery.request) == ("rejected", "sms", a_message())
    assert poison.bench.queue.puts == []
    assert await poison.bench.storage.log.get("order-1") is None


async def test_a_request_that_was_claimed_is_looked_after_without_its_message(poison: Poison) -> None:
    """Storage died for five tries on its way: housekeeping finds it open, and gives it a message when it is overdue."""
    bench = poison.bench
    await bench.die_sending(a_message())
    message_id = await poison.put(encoded(a_message()))
    assert await poison.drain() == 1
    assert bench.queue.puts == []
    assert await bench.storage.log.get(message_id) is None
    assert (await bench.delivery()).status == "submitting"
    assert await poison.left() == 0
    bench.clock.advance(timedelta(minutes=15))
    entries = OpenDeliveries(bench.storage.lookups)
    assert [entry.delivery_id async for entry in entries.due("wake", bench.clock.now)] == ["order-1"]


async def test_other_content_under_a_known_id_is_rejected(poison: Poison) -> None:
    await poison.bench.take(a_message())
    await poison.put(encoded(a_message(body="Other content")))
    await poison.drain()
    [(message, _)] = poison.bench.queue.puts
    await poison.bench.take(message, message_id="message-2")
    assert (await poison.bench.delivery("message-2")).status == "rejected"


async def test_base64_in_lines_is_read_as_the_host_reads_it(poison: Poison) -> None:
    message = a_message(body="Hello " * 30)
    await poison.put(base64.encodebytes(message).decode())
    await poison.drain()
    assert poison.bench.queue.puts == [(message, timedelta(0))]


async def test_a_crash_before_the_message_is_deleted_records_it_once(poison: Poison) -> None:
    message_id = await poison.put("no base64!")
    for _ in range(2):
        await poison.bench.sender.give_up(message_id, b"no base64!", reason="because")
    assert len(await poison.bench.timeline(message_id)) == 1


async def test_all_of_them_are_drained(poison: Poison) -> None:
    ids = [await poison.put(json.dumps({"number": n})) for n in range(40)]
    assert await poison.drain() == 40
    assert await poison.left() == 0
    assert {(await poison.bench.delivery(message_id)).status for message_id in ids} == {"rejected"}


async def test_when_its_time_is_over_the_rest_waits(poison: Poison) -> None:
    for n in range(3):
        await poison.put(f"no base64 {n}!")
    assert await poison.chore.drain(until=poison.bench.clock.now) == 1
    assert await poison.left() >= 2


async def test_one_that_can_not_be_drained_comes_again_and_is_not_in_the_way_of_the_others(
    poison: Poison, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [await poison.put(f"no base64! {n}") for n in range(3)]
    file = poison.bench.storage.log.file

    async def file_but_one(delivery: Delivery, event: Event) -> Delivery:
        if delivery.id == ids[0]:
            raise ServiceRequestError("https://account/secret")
        return await file(delivery, event)

    poison.bench.storage.log.file = file_but_one  # type: ignore[method-assign]
    assert await poison.drain() == 2
    assert await poison.left() == 1
    told = [record for record in caplog.records if "ServiceRequestError" in record.getMessage()]
    assert (len(told), "secret" in f"{[record.__dict__ for record in told]!r}") == (1, False)
