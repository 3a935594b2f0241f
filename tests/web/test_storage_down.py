"""Storage is away: Twilio is told to come again, callers hear their sentence, people get a problem document."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from xml.etree import ElementTree as ET

import pytest
from azure.core.exceptions import AzureError

from shared.housekeeping.run import ChoresFailed
from shared.web import twilio, voice
from tests.samples import webhooks
from tests.web import problems
from tests.web.app import Answer, App, settings_of
from tests.web.storage import Storage, nobody

TEXT = {"channel": "sms", "to": "+14155550100", "body": "Hello"}


@pytest.fixture(scope="module")
async def app() -> AsyncIterator[App]:
    """An app whose storage is not there."""
    async with App.load(settings_of(nobody(), SMS_REPLY="<later>", VOICE_GREETING="Call & again")) as app:
        yield app


async def _post(app: App, target: str, name: str) -> Answer:
    body = webhooks.body(name, sid=webhooks.new_sid("CA" if "voice" in target else "SM"))
    # a number that no flow answers
    body = body.replace(b"To=%2B15005550006", b"To=%2B15005550010")
    return await app.request("POST", target, body, webhooks.headers(target, body))


async def test_twilio_is_told_to_come_again_and_callers_are_answered_all_the_same(app: App) -> None:
    sms_status, voice_status, sms, call, unnamed = await asyncio.gather(
        _post(app, "/api/sms/status?delivery=some-id", "sms-status-sent"),
        _post(app, "/api/voice/status?delivery=some-id", "voice-status-ringing"),
        _post(app, "/api/sms/inbound", "sms-inbound"),
        _post(app, "/api/voice/inbound", "voice-inbound"),
        _post(app, "/api/sms/status", "sms-status-sent"),
    )
    for callback in (sms_status, voice_status, unnamed):
        assert (callback.status, callback.body) == (503, b"")
    assert (sms.status, call.status) == (503, 200)
    for answer, said in ((sms, []), (call, [("Say", "Call & again")])):
        assert answer.content_type == "text/xml"
        found = ET.fromstring(answer.body)  # noqa: S314 - what our own app wrote
        assert [(element.tag, element.text) for element in found] == said


@pytest.mark.parametrize(("timer", "chores"), [("scheduled", {"due"}), ("housekeeping", None)])
async def test_a_timer_says_that_its_chores_failed(app: App, timer: str, chores: set[str] | None) -> None:
    with pytest.raises(ChoresFailed) as caught:
        await app.tick(timer)
    failed = set(re.findall(r"(\w+) \(", str(caught.value)))
    assert failed == (chores or set(app.wiring.chores))


async def test_people_are_told_that_storage_does_not_answer(app: App) -> None:
    # the SDKs' own retries alone would take half a minute
    async with asyncio.timeout(20):
        answers = await asyncio.gather(
            app.request("POST", "/api/send", json.dumps(TEXT).encode()),
            app.request("GET", "/api/deliveries/some-id"),
            app.request("POST", "/api/deliveries/search", b"{}"),
            app.request("POST", "/api/consents", b'{"to": "+14155550100", "state": "opted-out"}'),
            app.request("POST", "/api/consents/search", b'{"to": "+14155550100"}'),
        )
    for answer in answers:
        assert problems.check(answer, HTTPStatus.SERVICE_UNAVAILABLE) == {}


@pytest.mark.parametrize("given", [{"id": "order-1"}, {}])
async def test_a_request_that_may_be_enqueued_or_not_is_told_with_its_id_to_ask_again_with(
    app: App, given: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = await app.request("POST", "/api/send", json.dumps({**given, **TEXT}).encode())
    problems.check(answer, HTTPStatus.SERVICE_UNAVAILABLE)
    problem = answer.json()
    assert problem["id"] == given.get("id", problem["id"])
    assert problem["id"] in problem["detail"]
    [line] = [record for record in caplog.records if "enqueued" in record.getMessage()]
    assert line.__dict__["delivery"] == problem["id"]


async def test_people_who_erase_or_replay_are_told_that_storage_does_not_answer(app: App) -> None:
    async with asyncio.timeout(20):
        answers = await asyncio.gather(
            app.request("DELETE", "/api/deliveries/some-id"),
            app.request("POST", "/api/deliveries/some-id/replay"),
            app.request("POST", "/api/deliveries/replay", b'{"status": "failed"}'),
        )
    for answer in answers:
        problems.check(answer, HTTPStatus.SERVICE_UNAVAILABLE)


async def test_what_needs_no_storage_is_answered_as_ever(app: App) -> None:
    problems.check(await app.request("POST", "/api/send", b"{}"), HTTPStatus.UNPROCESSABLE_ENTITY)
    problems.check(await app.request("GET", "/api/deliveries/%20"), HTTPStatus.NOT_FOUND)
    assert (await app.request("POST", "/api/sms/status", b"MessageSid=forged")).status == 403


async def test_a_message_of_the_queue_is_left_to_come_again(app: App) -> None:
    with pytest.raises(AzureError):
        await app.take(json.dumps({"id": "some-id", **TEXT}).encode())


async def test_storage_that_says_nothing_is_not_waited_for_longer_than_twilio_waits(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for room, name in ((twilio, "_DEADLINE"), (twilio, "_FALLBACK_DEADLINE"), (voice, "_DEADLINE")):
        monkeypatch.setattr(room, name, 0.2)
    async with Storage.start() as storage, App.load(settings_of(storage.connection)) as app:
        storage.speaks.clear()
        # whoever waited for storage would wait for ever
        async with asyncio.timeout(20):
            call, status, text, again = await asyncio.gather(
                _post(app, "/api/voice/inbound", "voice-inbound"),
                _post(app, "/api/sms/status", "sms-status-sent"),
                _post(app, "/api/sms/inbound", "sms-inbound"),
                _post(app, "/api/fallback/sms", "sms-inbound"),
            )
        storage.speaks.set()
    assert (call.status, status.status, text.status, again.status) == (200, 503, 503, 200)
    for answer in (call, text, again):
        assert ET.fromstring(answer.body).tag == "Response"  # noqa: S314 - what our own app wrote
    lost = [record for record in caplog.records if "a text could not be taken: TimeoutError" in record.getMessage()]
    assert [record.__dict__["delivery"][:2] for record in lost] == ["SM", "SM"], "so that somebody finds it at Twilio"


async def test_a_fallback_has_one_deadline_for_all_that_it_puts_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the text has used up the time, nothing more is asked of a storage that says nothing."""
    monkeypatch.setattr(twilio, "_DEADLINE", 0.2)
    monkeypatch.setattr(twilio, "_FALLBACK_DEADLINE", 0.2)
    async with Storage.start() as storage, App.load(settings_of(storage.connection)) as app:
        storage.speaks.clear()
        await _post(app, "/api/sms/inbound", "sms-inbound")
        by_the_text = storage.asked
        again = await _post(app, "/api/fallback/sms", "sms-inbound")
        storage.speaks.set()
    assert again.status == 200
    assert (by_the_text > 0, storage.asked) == (True, 2 * by_the_text)


def test_a_fallback_answers_within_six_seconds() -> None:
    assert twilio._FALLBACK_DEADLINE <= 6
