"""What the app logs: which delivery, and never a number, a text or a secret."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import pytest

from local.twilio import Simulator
from shared.logs import about
from shared.outbound.request import Fallback, Request
from tests.samples import webhooks
from tests.web.app import SECOND_TOKEN, TOKEN, App, settings_of
from tests.web.storage import nobody

PRIVATE = (
    TOKEN,
    SECOND_TOKEN,
    "a made-up key secret",
    "4155550123",
    "4155550177",
    "4155550178",
    "5005550001",
    "words of the sender",
    "Grüße",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq",
)
KEY = {"TWILIO_API_KEY_SID": "SK" + "0" * 32, "TWILIO_API_KEY_SECRET": "a made-up key secret"}


@pytest.fixture
async def app(azurite: str) -> AsyncIterator[App]:
    """An app with a Twilio of its own."""
    async with Simulator.start(
        account_sid="AC" + "0" * 32,
        auth_token=TOKEN,
        api_key_sid=KEY["TWILIO_API_KEY_SID"],
        api_key_secret=KEY["TWILIO_API_KEY_SECRET"],
        pace=0,
    ) as simulator:
        settings = settings_of(azurite, TWILIO_API_BASE_URL=simulator.url, TWILIO_AUTH_TOKEN_SECONDARY=SECOND_TOKEN)
        async with App.load({**settings, **KEY}) as app:
            yield app


def _message(**fields: Any) -> bytes:  # noqa: ANN401 - whatever a request holds
    request = {"channel": "sms", "to": "+14155550123", "body": "words of the sender, Grüße", **fields}
    return json.dumps(request, ensure_ascii=False).encode()


async def _everything_happens(app: App) -> None:
    sent = f"log-{webhooks.new_sid('x')}"
    await app.take(_message(id=sent))
    await app.take(_message(id=sent))
    await app.take(_message(id=sent, body="other words of the sender"))
    await app.take(_message(id=f"{sent}-refused", to="+15005550001"))
    await app.take(_message(id=f"{sent}-call", channel="call", body=None, say="words of the sender"))
    await app.take(_message(id=f"{sent}-bad", to="4155550123", colour="words of the sender"))
    await app.take(_message()[:-20] + b"\xff")
    for target, name in (
        ("/api/sms/inbound", "sms-inbound"),
        ("/api/voice/inbound", "voice-inbound"),
        (f"/api/sms/status?delivery={sent}&v=2", "sms-status-delivered"),
        ("/api/voice/status", "voice-status-ringing"),
        ("/api/voice/status", "sms-inbound"),
    ):
        body = webhooks.body(name, sid=webhooks.new_sid("CA" if "voice" in name else "SM"))
        await app.request("POST", target, body, webhooks.headers(target, body))
        await app.request("POST", target, body, {"X-Twilio-Signature": TOKEN})
    await app.request("POST", "/api/send", _message(to="4155550123"))
    await app.request("POST", "/api/send", _message())
    await app.request("POST", "/api/deliveries/search", b'{"to": "+14155550123"}')
    await app.request("GET", f"/api/deliveries/{sent}")


def _all_of(record: logging.LogRecord) -> str:
    return f"{record.getMessage()} {vars(record)!r} {record.exc_text}"


async def test_no_number_no_text_and_no_secret_is_ever_logged(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await _everything_happens(app)
    async with App.load(settings_of(nobody())) as dead:
        await dead.request("POST", "/api/send", _message())
        body = webhooks.body("sms-inbound", sid=webhooks.new_sid("SM"))
        await dead.request("POST", "/api/sms/inbound", body, webhooks.headers("/api/sms/inbound", body))
    speakers = {record.name for record in caplog.records}
    assert speakers >= {f"shared.{room}" for room in ("outbound.send", "inbound.status", "web.twilio", "web.people")}
    logged = "\n".join(map(_all_of, caplog.records))
    assert not [private for private in PRIVATE if private in logged]


async def test_what_became_of_a_delivery_is_logged_with_its_id(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    delivery_id = f"log-{webhooks.new_sid('x')}"
    await app.take(_message(id=delivery_id))
    await app.take(_message(id=delivery_id))
    lines = [record for record in caplog.records if record.name.startswith("shared.")]
    assert len(lines) == 2
    for record in lines:
        assert getattr(record, "delivery", None) == delivery_id
        assert f"[delivery {delivery_id}]" in record.getMessage()


class Worker(logging.Handler):
    """Takes records as Microsoft's worker does: it sends the text, formatted, with the level, and nothing else.

    https://github.com/Azure/azure-functions-python-worker/blob/dev/azure_functions_worker/dispatcher.py (`on_logging`)
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.sent: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what Azure gets of it."""
        if record.name.startswith("shared."):
            self.sent.append((record.levelname, self.format(record)))


@pytest.fixture
def worker() -> Iterator[Worker]:
    """The worker's handler, where the worker puts it."""
    root, handler = logging.getLogger(), Worker()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


async def test_the_text_that_the_worker_sends_names_delivery_status_sid_and_code(app: App, worker: Worker) -> None:
    sent = f"log-{webhooks.new_sid('x')}"
    await app.take(_message(id=sent))
    await app.take(_message(id=sent))
    await app.take(_message(id=f"{sent}-refused", to="+15005550001"))
    rejected = await app.take(_message(id=f"{sent}-bad", to="4155550123"))
    sid = (await app.delivery(sent))["sid"]
    other = webhooks.new_sid("SM")
    for name, status in (("sms-status-delivered", "delivered"), ("sms-status-sent", "exploded")):
        target = f"/api/sms/status?delivery={sent}&v=2"
        body = webhooks.body(name, sid=other).replace(b"MessageStatus=sent", f"MessageStatus={status}".encode())
        await app.request("POST", target, body, webhooks.headers(target, body))
    target = f"/api/fallback/sms?delivery={sent}&v=2"
    body = webhooks.encode(("MessageSid", sid), ("ErrorCode", "11200"))
    await app.request("POST", target, body, webhooks.headers(target, body))
    misfit = f"its recipient is another [{other}]"
    reason = "to: expected E.164 (+ and the country's code), as DEFAULT_REGION is not set, got 415…23"
    assert worker.sent[:4] == [
        ("INFO", f"at Twilio: {sid} queued, to +141…23 [delivery {sent}]"),
        ("INFO", f"a duplicate: it is queued already [delivery {sent}]"),
        ("ERROR", f"failed, refused for good: Twilio refused with HTTP 400, code 21211 [delivery {sent}-refused]"),
        ("ERROR", f"rejected, a message that can't be sent: {reason} [delivery {rejected}]"),
    ]
    assert worker.sent[4:] == [
        ("ERROR", f"a callback that names this delivery and is not about it: {misfit} [delivery {sent}]"),
        ("ERROR", f"a callback that names this delivery and is not about it: {misfit} [delivery {sent}]"),
        ("ERROR", f"a status that this app does not know: 'exploded' [delivery {other}]"),
        ("ERROR", f"Twilio could not use an answer of ours, code 11200 [delivery {sid}]"),
    ]


async def test_a_callback_that_is_not_recorded_is_named_with_its_delivery_sid_and_status(worker: Worker) -> None:
    sid = webhooks.new_sid("SM")
    async with App.load(settings_of(nobody())) as dead:
        for target in ("/api/sms/status?delivery=order-1", "/api/sms/status"):
            body = webhooks.body("sms-status-undelivered", sid=sid)
            await dead.request("POST", target, body, webhooks.headers(target, body))
        body = webhooks.encode(("MessageSid", sid))
        await dead.request("POST", "/api/sms/status", body, webhooks.headers("/api/sms/status", body))
    lost = f"a callback could not be recorded, {sid} undelivered, code 30003: "
    assert [(level, text.partition("[")[0][: len(lost)]) for level, text in worker.sent[:2]] == [("ERROR", lost)] * 2
    assert [text.partition("[")[2] for _, text in worker.sent] == ["delivery order-1]", *[f"delivery {sid}]"] * 2]
    assert worker.sent[2][1].startswith(f"a callback that can't be read, {sid} -, code -: ")


@pytest.mark.parametrize(("to", "level"), [("+14155550123", logging.INFO), ("+15005550001", logging.ERROR)])
async def test_what_was_not_sent_is_louder_than_what_was(
    app: App, caplog: pytest.LogCaptureFixture, to: str, level: int
) -> None:
    caplog.set_level(logging.INFO)
    await app.take(_message(id=f"log-{webhooks.new_sid('x')}", to=to))
    assert max(record.levelno for record in caplog.records if record.name.startswith("shared.")) == level


async def test_a_message_that_cannot_be_sent_is_an_error_in_the_log(app: App, caplog: pytest.LogCaptureFixture) -> None:
    message_id = await app.take(b"no request")
    [record] = [record for record in caplog.records if record.name.startswith("shared.")]
    assert (record.levelno, getattr(record, "delivery", None)) == (logging.ERROR, message_id)


SAID = ("+14155550123", "14155550123", "415-555-0123", "Dear Mrs Jones, your code is 77", "Zoë Jones")
"""what a field may hold by mistake"""
NEVER_SHOWN = ("4155550123", "415-555-0123", "Jones")
FIELDS = sorted(set(Request.__struct_fields__) | set(Fallback.__struct_fields__) | {"from"} - {"from_"})
GOOD = {"id": "order-1", "channel": "sms", "to": "+12025550100", "body": "x"}
NESTED = ("data", "metadata", "content_variables", "fallback")
TEMPLATED = {"id": "order-1", "channel": "sms", "to": "+12025550100", "template": "one-time-code"}
FLOWN = {"id": "order-1", "channel": "call", "to": "+12025550100", "flow": "on-call"}


def _bad_requests(said: str) -> Iterator[dict[str, Any]]:
    """Requests with something in every place where it does not belong."""
    for base in (GOOD, TEMPLATED, FLOWN):
        for name in FIELDS:
            yield {**base, name: said}
            yield {**base, name: [said]}
            yield {**base, name: {said: said}}
        yield {**base, said: "x"}
        for name in NESTED:
            yield {**base, name: {"fallback": {said: said}, said: {said: said}, "code": {said: said}}}
        yield {**base, "fallback": {"channel": said, "template": said, "to": said, "when": [said]}}
        yield {**base, "fallback": {"channel": "call", "flow": said, "data": {said: said}}}
    yield {said: said}


def _bad_schedules(said: str) -> Iterator[dict[str, Any]]:
    good = {"id": "news", "cron": "0 9 * * *", "request": {"channel": "sms", "to": "+12025550100", "body": "x"}}
    for name in ("id", "at", "cron", "every", "time_zone", "start", "end", "exceptions", "missed", "request", said):
        for value in (
            said,
            [said],
            {said: said},
            {"days": 1, "at": said, said: 1},
            {"weeks": 1, "at": "09:00", "on": [said]},
        ):
            yield {**good, name: value}
    yield {**good, "request": {"channel": "sms", "to": said, "template": said, said: said}}


@pytest.mark.parametrize("said", SAID)
async def test_no_fault_tells_what_a_bad_message_holds(app: App, caplog: pytest.LogCaptureFixture, said: str) -> None:
    caplog.set_level(logging.DEBUG)
    answers = []
    documents = [
        *(("/api/send", request) for request in _bad_requests(said)),
        *(("/api/schedules", schedule) for schedule in _bad_schedules(said)),
        *(("/api/consents", {"to": value, "sender": value, "state": value, said: value}) for value in (said, [said])),
        ("/api/deliveries/search", {"to": [said], "status": said, "cursor": said, said: said}),
    ]
    for target, document in documents:
        answer = await app.request("POST", target, json.dumps(document).encode())
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            answers.append(answer.body.decode())
    for query in ("limit", "cursor", said):
        answer = await app.request("GET", "/api/schedules?" + urlencode({query: said}))
        answers.append(answer.body.decode())
    for request in islice(_bad_requests(said), None, None, 3):
        # that id can be used, and its line must lead to it
        if request.get("id") != "415-555-0123":
            await app.take(json.dumps(request).encode())
    assert len(answers) > 200
    told = "\n".join([*answers, *map(_all_of, caplog.records)])
    assert not [shown for shown in NEVER_SHOWN if shown in told]


@pytest.mark.parametrize(
    ("delivery_id", "shown"),
    [
        ("14155550123", "141…23"),
        ("tel:14155550123", "tel:141…23"),
        ("14155550123~2", "141…23~2"),
        ("order-1234567", "order-1234567"),
        ("2026-01-31", "2026-01-31"),
        ("123456", "123456"),
        ("SM" + "1" * 32, "SM" + "1" * 32),
    ],
)
def test_an_id_that_is_a_phone_number_is_masked_in_a_line(
    caplog: pytest.LogCaptureFixture, delivery_id: str, shown: str
) -> None:
    about(logging.getLogger("switchboard.test"), delivery_id).warning("a line")
    [record] = caplog.records
    assert (record.getMessage(), record.__dict__["delivery"]) == (f"a line [delivery {shown}]", shown)
