"""With EVENTS_QUEUE set, whoever asked for a text hears what becomes of it."""

import base64
import json
import uuid
from typing import Any

from azure.storage.queue.aio import QueueClient

from tests.end_to_end.stage import eventually, new_id, stage


async def test_every_event_of_a_text_goes_into_the_events_queue(azurite: str) -> None:
    name = f"events-{uuid.uuid4().hex}"
    heard: list[Any] = []
    async with (
        stage(azurite, EVENTS_QUEUE=name) as everything,
        QueueClient.from_connection_string(azurite, name) as events,
    ):
        await events.create_queue()
        delivery_id = new_id()
        request = {"id": delivery_id, "channel": "sms", "to": "+15005550101", "body": "Hello"}
        await everything.enqueue({**request, "metadata": {"order": "7"}})
        rejected = await everything.enqueue(b"no request")

        async def listen() -> bool:
            async for message in events.receive_messages():
                heard.append(json.loads(base64.b64decode(message.content, validate=True)))
                await events.delete_message(message)
            return {document["status"] for document in heard} >= {"queued", "sent", "undelivered", "rejected"}

        await eventually(listen)
        delivery = await everything.told(delivery_id, "queued", "sent", "undelivered")
    [last] = [document for document in heard if document["status"] == "undelivered"]
    assert last == {
        "id": delivery_id,
        "channel": "sms",
        "direction": "outbound",
        "status": "undelivered",
        "sid": delivery["sid"],
        "error": {"code": 30003, "message": delivery["error_message"]},
        "at": delivery["events"][-1]["at"],
        "origin": None,
        "answers": None,
        "named": None,
        "kind": None,
        "detail": None,
        "metadata": {"order": "7"},
    }
    assert {document["id"] for document in heard} == {delivery_id, rejected}
