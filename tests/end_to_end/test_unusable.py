"""Messages that can't be sent: one place to look, and nothing is lost."""

import base64
import json

import pytest

from tests.end_to_end.stage import Stage, eventually, new_id, poisoned, stage
from tests.web.app import NUMBER


async def test_a_message_that_is_no_base64_lands_in_the_poison_queue_as_it_was(azurite: str) -> None:
    async with stage(azurite) as everything:
        await everything.enqueue_text("no base64 at all!")
        assert await eventually(lambda: poisoned(everything)) == ["no base64 at all!"]
        await everything.queue_is_empty()
        assert everything.twilio.messages == []


async def test_a_message_that_is_no_request_is_recorded_whole_with_every_reason(everything: Stage) -> None:
    mark = new_id()
    message = json.dumps({"id": mark, "channel": "sms", "to": "12", "colour": "red", "flow": "menu"})
    delivery = await everything.ended(await everything.enqueue(message.encode()), "rejected")
    assert delivery["request"] == message
    assert {reason.partition(":")[0] for reason in delivery["reasons"]} >= {"to", "colour", "flow"}
    assert await everything.get(mark) is None, "it does not occupy the id that it named"


@pytest.mark.parametrize("size", [0, 47 * 1024], ids=["small", "as large as a queue carries"])
async def test_bytes_that_are_no_text_are_recorded_whole(everything: Stage, size: int) -> None:
    mark = new_id()
    message = b"\xff\xfe\x00" + mark.encode() + b"\x80" * size
    delivery = await everything.ended(await everything.enqueue(message), "rejected")
    assert delivery["request"] == message.decode(errors="replace")
    assert delivery["reasons"] == ["request: expected UTF-8 text, got bytes that are none"]


async def test_other_content_under_an_id_is_rejected_and_the_first_stays(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155553001"
    first = {"id": delivery_id, "channel": "sms", "to": to, "body": "The first"}
    await everything.enqueue(first)
    before = await everything.told(delivery_id, "queued", "sent", "delivered")
    message_id = await everything.enqueue({**first, "body": "The second"})
    conflict = await everything.ended(message_id, "rejected")
    assert [reason.partition(":")[0] for reason in conflict["reasons"]] == ["id"]
    assert json.loads(conflict["request"])["body"] == "The second"
    assert await everything.get(delivery_id) == {**before, "rejections": [message_id]}
    assert [message.body for message in everything.twilio.messages if message.to == to] == ["The first"]


async def test_the_same_content_written_differently_is_a_duplicate(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155553002"
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": to, "body": "Grüße"})
    before = await everything.told(delivery_id, "queued", "sent", "delivered")
    other = f'{{ "body": "Gr\\u00fc\\u00dfe",\n "to": "{to}", "channel": "sms", "id": "{delivery_id}" }}'
    await everything.enqueue(other.encode())
    # what was enqueued after it is taken after it, or with it
    later = new_id()
    await everything.enqueue({"id": later, "channel": "sms", "to": to, "body": "Later"})
    await everything.ended(later, "delivered")
    assert await everything.get(delivery_id) == before
    assert [message.body for message in everything.twilio.messages if message.to == to] == ["Grüße", "Later"]
    assert not [found for found in await everything.search(status="rejected") if found["id"] == delivery_id]


async def test_without_a_number_a_call_that_names_no_sender_is_rejected(azurite: str) -> None:
    service = "MG" + "b" * 32
    async with stage(azurite, TWILIO_FROM_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=service) as everything:
        mark = new_id()
        message_id = await everything.enqueue({"id": mark, "channel": "call", "to": "+14155553003", "say": "Hello"})
        delivery = await everything.ended(message_id, "rejected")
        named = new_id()
        call = {"id": named, "channel": "call", "to": "+14155553003", "from": NUMBER, "say": "Hello"}
        await everything.enqueue(call)
        await everything.ended(named, "completed")
    assert [reason.partition(":")[0] for reason in delivery["reasons"]] == ["from"]


async def test_base64_in_lines_is_read(everything: Stage) -> None:
    delivery_id = new_id()
    request = json.dumps({"id": delivery_id, "channel": "sms", "to": "+14155553004", "body": "Hello " * 20})
    await everything.enqueue_text(base64.encodebytes(request.encode()).decode())
    await everything.ended(delivery_id, "delivered")
