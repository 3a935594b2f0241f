"""POST send: checked now, every fault named, enqueued only when it can be sent."""

import base64
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient

from tests.web import problems
from tests.web.app import App, settings_of

SEND = "/api/send"
TEXT: dict[str, Any] = {"channel": "sms", "to": "+14155550100", "body": "Grüße"}
UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.fixture
async def app(azurite: str) -> AsyncIterator[App]:
    async with App.load(settings_of(azurite)) as app:
        yield app


@pytest.fixture
async def queue(azurite: str, app: App) -> AsyncIterator[QueueClient]:
    """The app's queue, which nobody but the test reads."""
    async with QueueClient.from_connection_string(azurite, app.settings["OUTBOUND_QUEUE"]) as queue:
        await queue.create_queue()
        yield queue


async def _enqueued(queue: QueueClient) -> list[bytes]:
    return [base64.b64decode(message.content, validate=True) for message in await queue.peek_messages(32)]


async def test_a_request_is_enqueued_as_it_came(app: App, queue: QueueClient) -> None:
    body = json.dumps({"id": "order-1", **TEXT}, indent=3).encode()
    answer = await app.request("POST", SEND, body)
    assert answer.status == 202
    assert answer.content_type == "application/json"
    [message] = await queue.peek_messages(32)
    assert answer.json() == {"id": "order-1", "location": "/api/deliveries/order-1", "message": message.id}
    assert answer.headers["Location"] == "/api/deliveries/order-1"
    assert await _enqueued(queue) == [body]


async def test_an_id_is_minted_where_none_is_given(app: App, queue: QueueClient) -> None:
    minted = [(await app.request("POST", SEND, json.dumps(TEXT).encode())).json()["id"] for _ in range(2)]
    assert minted[0] != minted[1]
    messages = [json.loads(message) for message in await _enqueued(queue)]
    assert messages == [{"id": delivery_id, **TEXT} for delivery_id in minted]


async def test_it_is_not_there_until_it_is_taken_and_then_where_location_says(app: App, queue: QueueClient) -> None:
    location = (await app.request("POST", SEND, json.dumps(TEXT).encode())).headers["Location"]
    problems.check(await app.request("GET", location), HTTPStatus.NOT_FOUND)
    [message] = await _enqueued(queue)
    # nobody listens where Twilio should be: the send is put off, and the delivery is on record
    await app.take(message)
    delivery = (await app.request("GET", location)).json()
    assert (delivery["status"], delivery["request"].encode()) == ("retrying", message)


async def test_a_queue_that_is_not_there_yet_is_made(azurite: str) -> None:
    async with App.load(settings_of(azurite)) as app:
        assert (await app.request("POST", SEND, json.dumps(TEXT).encode())).status == 202
        async with QueueClient.from_connection_string(azurite, app.settings["OUTBOUND_QUEUE"]) as queue:
            assert len(await _enqueued(queue)) == 1


async def test_every_fault_is_named_at_once_and_nothing_is_enqueued(app: App, queue: QueueClient) -> None:
    request = {
        "id": "no good id",
        "channel": "fax",
        "to": 14155550100,
        "body": "x" * 1601,
        "colour": "red",
        "template": 7,
        "send_at": "tomorrow",
    }
    faults = problems.check(await app.request("POST", SEND, json.dumps(request).encode()), UNPROCESSABLE)
    assert faults.keys() == {"id", "channel", "to", "body", "colour", "template", "send_at"}
    assert faults["template"] == "expected `str | null`, got `int`"
    assert await _enqueued(queue) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": "0171 5550100"}, "to"),
        ({"to": "+1415555010012345678"}, "to"),
        ({"body": None}, "request"),
        ({"body": ""}, "body"),
        ({"say": "both"}, "say"),
        ({"media_urls": ["ftp://example.com/a"]}, "media_urls"),
        ({"media_urls": ["https://example.com/a"] * 11}, "media_urls"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": {"a": "x" * 4096}}, "metadata"),
        ({"expires_at": "2030-01-01T00:00:00"}, "expires_at"),
        ({"channel": "call", "body": None, "twiml": "<Response><Say>"}, "twiml"),
        ({"channel": "call", "body": None, "say": "x", "time_limit_seconds": 3601}, "time_limit_seconds"),
        ({"id": "SM" + "0" * 32}, "id"),
        ({"id": "derived~id"}, "id"),
        ({"id": "x" * 101}, "id"),
        ({"id": None}, "id"),
        ({"flow": "menu"}, "flow"),
        ({"fallback": []}, "fallback"),
        ({"fallback": {}}, "fallback.channel"),
        ({"data": {}, "locale": "de"}, "data"),
    ],
)
async def test_a_request_that_cannot_be_sent_is_refused(
    app: App, queue: QueueClient, change: dict[str, Any], field: str
) -> None:
    request = {name: value for name, value in {**TEXT, **change}.items() if value is not None or name == "id"}
    faults = problems.check(await app.request("POST", SEND, json.dumps(request).encode()), UNPROCESSABLE)
    assert field in faults
    assert await _enqueued(queue) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"channel": "sms"} trailing',
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"channel": "sms", "to": "+14155550100", "body": "\xed\xa0\x80"}',
        b'{"channel": "sms", "to": "+14155550100", "body": "\\ud800"}',
        b'{"body": ' + b'"x' * 50_000,
    ],
    ids=lambda body: body[:12].decode(errors="replace"),
)
async def test_what_is_no_request_is_refused(app: App, queue: QueueClient, body: bytes) -> None:
    assert problems.check(await app.request("POST", SEND, body), UNPROCESSABLE)
    assert await _enqueued(queue) == []


async def test_a_request_of_thirty_thousand_characters_is_taken_and_a_longer_one_is_not(
    app: App, queue: QueueClient
) -> None:
    request = json.dumps({"id": "long", **TEXT}).encode()
    assert (await app.request("POST", SEND, request.ljust(30_000))).status == 202
    faults = problems.check(await app.request("POST", SEND, request.ljust(30_001)), UNPROCESSABLE)
    assert faults == {"request": "expected at most 30000 characters, got 30001"}
    assert len(await _enqueued(queue)) == 1


async def test_a_request_that_no_queue_carries_is_refused(app: App, queue: QueueClient) -> None:
    # 20,000 characters, and three bytes each
    request = {"id": "wide", **TEXT, "metadata": {"a": "1"}, "media_urls": ["https://example.com/" + "語" * 1900] * 10}
    body = json.dumps(request, ensure_ascii=False).encode()
    faults = problems.check(await app.request("POST", SEND, body), UNPROCESSABLE)
    assert "bytes" in faults["request"]
    assert await _enqueued(queue) == []


async def test_the_answer_repeats_no_number_and_no_text(app: App) -> None:
    request = {"channel": "sms", "to": "0171 5550100", "from": "4155550111x", "body": "secret", "twiml": "<secret"}
    answer = await app.request("POST", SEND, json.dumps(request).encode())
    assert answer.status == 422
    for private in (b"5550100", b"5550111", b"secret"):
        assert private not in answer.body


@pytest.mark.parametrize(
    "to",
    [
        "whatsapp:+5215512345678",
        "+553188887777",
        "whatsapp:+541123456789",
        "whatsapp:US.13491208655302741918",
        "\u202a+1\u202f4155550100\u202c",
        " +14155550100",
    ],
)
async def test_whatever_twilio_brings_as_a_sender_can_be_written_to(app: App, to: str) -> None:
    answer = await app.request("POST", SEND, json.dumps({**TEXT, "to": to}).encode())
    assert answer.status == 202, answer


@pytest.mark.parametrize("to", ["rcs:+14155550100", "messenger:103800709108123"])
async def test_rcs_and_messenger_need_a_sender_of_theirs_or_a_service(azurite: str, app: App, to: str) -> None:
    body = json.dumps({**TEXT, "to": to}).encode()
    faults = problems.check(await app.request("POST", SEND, body), UNPROCESSABLE)
    assert faults.keys() == {"from"}
    assert "TWILIO_MESSAGING_SERVICE_SID" in faults["from"]
    named = json.dumps({**TEXT, "to": to, "from": f"{to.partition(':')[0]}:acme_agent"}).encode()
    assert (await app.request("POST", SEND, named)).status == 202
    async with App.load(settings_of(azurite, TWILIO_MESSAGING_SERVICE_SID="MG" + "5" * 32)) as with_service:
        assert (await with_service.request("POST", SEND, body)).status == 202


async def test_a_sender_of_too_many_letters_is_told_the_rule_of_names(app: App) -> None:
    body = json.dumps({**TEXT, "from": "Zeus The Mighty"}).encode()
    faults = problems.check(await app.request("POST", SEND, body), UNPROCESSABLE)
    assert "at most 11" in faults["from"]


@pytest.mark.parametrize(
    ("to", "fault"),
    [
        ("whatsapp:DE.1234", None),
        ("whatsapp:+4915123456789", None),
        ("rcs:+4915123456789", None),
        ("whatsapp:US.1234", "got one of US"),
        ("rcs:+14155550100", "got one of US"),
        ("whatsapp:XX.1234", "its country is not known"),
        ("messenger:103800709108123", "its country is not known"),
    ],
)
async def test_every_address_is_asked_for_its_country_where_some_are_allowed(
    azurite: str, to: str, fault: str | None
) -> None:
    more = {"ALLOWED_COUNTRIES": "DE", "TWILIO_MESSAGING_SERVICE_SID": "MG" + "5" * 32}
    async with App.load(settings_of(azurite, **more)) as app:
        answer = await app.request("POST", SEND, json.dumps({**TEXT, "to": to}).encode())
        if fault is None:
            assert answer.status == 202, answer
        else:
            assert fault in problems.check(answer, UNPROCESSABLE)["to"]


async def test_an_allowed_country_is_asked_for_where_one_is_set(azurite: str) -> None:
    async with App.load(settings_of(azurite, ALLOWED_COUNTRIES="DE", DEFAULT_REGION="DE")) as app:
        faults = problems.check(await app.request("POST", SEND, json.dumps(TEXT).encode()), UNPROCESSABLE)
        assert faults == {"to": "expected a number of ALLOWED_COUNTRIES, got one of US"}
        german = json.dumps({**TEXT, "to": "0171 5550100"}).encode()
        assert (await app.request("POST", SEND, german)).status == 202


async def test_an_id_that_is_refused_is_on_record_under_the_message_that_was_told(app: App, queue: QueueClient) -> None:
    for body in ("Hello", "Something else"):
        answer = await app.request("POST", SEND, json.dumps({"id": "order-7", **TEXT, "body": body}).encode())
        message_id = answer.json()["message"]
        [message] = [message async for message in queue.receive_messages()]
        assert message.id == message_id
        await app.take(base64.b64decode(message.content), message_id=message.id)
        await queue.delete_message(message)
    rejected = (await app.request("GET", f"/api/deliveries/{message_id}")).json()
    assert (rejected["status"], rejected["named"]) == ("rejected", "order-7")
