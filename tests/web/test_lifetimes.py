"""How long a message lives that nobody takes: a request for ever, what other systems read as long as is set."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from tests.deliveries.samples import a_delivery, an_event
from tests.samples import webhooks
from tests.web.app import NUMBER, App, settings_of

SOON = timedelta(minutes=1)


async def the_message(azurite: str, queue: str) -> QueueMessage:
    async with QueueClient.from_connection_string(azurite, queue) as client:
        [message] = await client.peek_messages(max_messages=2)
    return message


def lives(message: QueueMessage) -> timedelta:
    assert message.inserted_on is not None
    assert message.expires_on is not None
    return message.expires_on - message.inserted_on


async def test_a_request_that_comes_over_http_never_expires(azurite: str) -> None:
    async with App.load(settings_of(azurite, EVENTS_TTL_DAYS="3")) as app:
        body = b'{"channel": "sms", "to": "+14155550100", "body": "Hello"}'
        assert (await app.request("POST", "/api/send", body)).status == 202
        message = await the_message(azurite, app.settings["OUTBOUND_QUEUE"])
    assert lives(message) > timedelta(days=365_000)


@pytest.mark.parametrize(
    ("settings", "days"), [({"EVENTS_TTL_DAYS": "3"}, 3), ({"RETENTION_DAYS": "5"}, 5)], ids=["set", "by default"]
)
async def test_what_is_told_to_other_systems_lives_as_long_as_is_set(
    azurite: str, tmp_path: Path, settings: dict[str, str], days: int
) -> None:
    events, passed_on = f"events-{uuid.uuid4().hex}", f"texts-{uuid.uuid4().hex}"
    rules = tmp_path / "replies.toml"
    rules.write_text(f'[rules.all]\nforward = "{passed_on}"\n', encoding="utf-8")
    async with App.load(settings_of(azurite, EVENTS_QUEUE=events, **settings), replies=rules) as app:
        delivery = a_delivery(id=str(uuid.uuid4()), created_at=datetime.now(UTC))
        await app.wiring.log.note(delivery, an_event("sent"))
        assert lives(await the_message(azurite, events)) == timedelta(days=days)
        target = "/api/sms/inbound"
        sender = webhooks.new_number()
        body = webhooks.encode(
            ("MessageSid", webhooks.new_sid("SM")), ("From", sender), ("To", NUMBER), ("Body", "Hello")
        )
        headers = webhooks.headers(target, body, base=app.settings["PUBLIC_BASE_URL"])
        assert (await app.request("POST", target, body, headers)).status == 200
        assert lives(await the_message(azurite, passed_on)) == timedelta(days=days)
