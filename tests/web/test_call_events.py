"""What Twilio tells of calls beside their turns: recordings, transcriptions, and webhooks of ours that failed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.voice.flows.apologies import SORRY
from tests.samples import webhooks
from tests.samples.calls import INBOUND, PERSON, Phone, read
from tests.web.app import NUMBER, App, Door, settings_of
from tests.web.storage import nobody

RECORDING, TRANSCRIPTION = "/api/voice/recording", "/api/voice/transcription"
URL = "https://api.twilio.com/2010-04-01/Accounts/AC0/Recordings/RE0"
TROUBLE = {"ErrorCode": "11200", "ErrorUrl": "https://switchboard.example/api/voice/flow/line/menu?i.menu=1&x=a/b"}


@pytest.fixture(scope="module")
async def dead() -> AsyncIterator[App]:
    """An app whose storage is not there."""
    async with App.load(settings_of(nobody())) as app:
        yield app


def _recorded(**more: str) -> dict[str, str]:
    sid = webhooks.new_sid("RE")
    return {
        "RecordingSid": sid,
        "RecordingStatus": "completed",
        "RecordingUrl": URL,
        "RecordingDuration": "7",
        # it tells nothing of these
        **dict.fromkeys(("CallStatus", "From", "To", "Direction"), ""),
        **more,
    }


def _kinds(delivery: Any) -> list[str | None]:  # noqa: ANN401 - a JSON document
    return [event["kind"] for event in delivery["events"]]


@pytest.mark.parametrize("named", [True, False], ids=["the URL names it", "only its SID"])
async def test_a_recording_puts_its_link_and_its_length_on_the_delivery(door: Door, named: bool) -> None:  # noqa: FBT001 - a parameter of the test
    phone = Phone(door)
    await phone.turn(INBOUND, CallStatus="ringing")
    target = f"{RECORDING}?delivery={phone.sid}" if named else RECORDING
    told = _recorded()
    for _ in range(2):
        answer = await phone.post(target, **told)
        assert (answer.status, answer.body) == (204, b"")
    delivery = await phone.delivery()
    assert (delivery["recording_url"], delivery["recording_seconds"]) == (URL, 7)
    assert _kinds(delivery).count("recording") == 1, "told twice it is one"
    assert delivery["events"][-1]["raw"]["RecordingSid"] == told["RecordingSid"]
    assert delivery["status"] == "ringing", "a recording says nothing of the call's status"


async def test_a_recording_of_a_dialled_leg_belongs_to_the_call_that_dialled_it(door: Door) -> None:
    phone = Phone(door)
    await phone.turn(INBOUND, CallStatus="ringing")
    leg = webhooks.new_sid("CA")
    assert (await phone.post(RECORDING, **_recorded(CallSid=leg, ParentCallSid=phone.sid))).status == 204
    assert (await phone.delivery())["recording_seconds"] == 7


async def test_a_recording_that_is_not_there_leaves_no_link(door: Door) -> None:
    phone = Phone(door)
    await phone.turn(INBOUND, CallStatus="ringing")
    await phone.post(RECORDING, **_recorded(RecordingStatus="absent"))
    delivery = await phone.delivery()
    assert (delivery["recording_url"], delivery["recording_seconds"]) == (None, None)
    assert "recording" in _kinds(delivery)


async def test_a_transcription_is_an_event(door: Door) -> None:
    phone = Phone(door)
    await phone.turn(INBOUND, CallStatus="ringing")
    told = {"TranscriptionSid": webhooks.new_sid("TR"), "TranscriptionStatus": "completed"}
    for _ in range(2):
        assert (await phone.post(TRANSCRIPTION, **told, TranscriptionText="Call me <back> & soon")).status == 204
    delivery = await phone.delivery()
    assert _kinds(delivery).count("transcription") == 1
    assert delivery["events"][-1]["raw"]["TranscriptionText"] == "Call me <back> & soon"


@pytest.mark.parametrize("target", [RECORDING, f"{RECORDING}?delivery=nobody", f"{RECORDING}?delivery=%2F%23"])
async def test_a_recording_of_a_call_that_is_not_on_record_is_asked_for_again(door: Door, target: str) -> None:
    answer = await Phone(door).post(target, **_recorded())
    assert (answer.status, answer.body) == (503, b"")


@pytest.mark.parametrize("target", [RECORDING, TRANSCRIPTION])
async def test_a_callback_that_names_no_recording_can_not_be_read(door: Door, target: str) -> None:
    for told in ({}, {"RecordingSid": "RE1", "RecordingStatus": "completed", "TranscriptionSid": "x/y"}):
        answer = await Phone(door).post(target, **told)
        assert (answer.status, answer.body) == (400, b"")


async def test_while_storage_is_away_twilio_is_asked_to_tell_it_again(dead: App) -> None:
    assert (await Phone(dead).post(RECORDING, **_recorded())).status == 503


async def test_of_a_call_that_was_erased_nothing_is_kept(app: App) -> None:
    phone = Phone(app)
    await phone.post("/api/voice/status", CallStatus="completed", SequenceNumber="3")
    delivery = await app.wiring.log.get(phone.sid)
    assert delivery is not None
    await app.wiring.log.erase(delivery, now=delivery.updated_at)
    assert (await phone.post(f"{RECORDING}?delivery={phone.sid}", **_recorded())).status == 204
    read(await phone.post("/api/fallback/voice", **TROUBLE))
    delivery = await phone.delivery()
    assert (delivery["events"], delivery["recording_url"]) == ([], None)


@pytest.mark.parametrize("known", [True, False], ids=["on record", "not yet"])
async def test_a_call_whose_webhook_failed_hears_an_apology_and_leaves_an_event(door: Door, known: bool) -> None:  # noqa: FBT001 - a parameter of the test
    phone = Phone(door)
    if known:
        await phone.turn(INBOUND, CallStatus="ringing")
    for url in (TROUBLE["ErrorUrl"], TROUBLE["ErrorUrl"], "https://switchboard.example/api/voice/inbound"):
        document = await phone.turn("/api/fallback/voice", **{**TROUBLE, "ErrorUrl": url})
        assert (document.verbs, document.said) == (["Say", "Hangup"], [SORRY])
    delivery = await phone.delivery()
    assert _kinds(delivery).count("trouble") == 2, "told twice it is one; at another URL it is another"
    raw = next(event["raw"] for event in delivery["events"] if event["kind"] == "trouble")
    assert {name: raw[name] for name in TROUBLE} == TROUBLE
    assert delivery["from"] == PERSON


async def test_a_text_whose_webhook_failed_is_on_record_all_the_same(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    fields = {"MessageSid": sid, "From": PERSON, "To": NUMBER, "Body": "Hello <there>", **TROUBLE}
    body = webhooks.encode(*fields.items())
    for _ in range(2):
        answer = await door.request("POST", "/api/fallback/sms", body, webhooks.headers("/api/fallback/sms", body))
        assert read(answer).verbs == []
    delivery = (await door.request("GET", f"/api/deliveries/{sid}")).json()
    assert (delivery["status"], delivery["from"]) == ("received", PERSON)
    assert sorted(map(str, _kinds(delivery))) == ["None", "trouble"]


@pytest.mark.parametrize("target", ["/api/fallback/sms", "/api/fallback/voice", "/api/fallback/voice?delivery=some-id"])
@pytest.mark.parametrize("fields", [[], [("ErrorCode", "x"), ("CallSid", "\ufffd/"), ("MessageSid", "/")]])
async def test_a_fallback_answers_come_what_may(
    dead: App, app: App, target: str, fields: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    body = webhooks.encode(*fields)
    for door in (app, dead):
        caplog.clear()
        read(await door.request("POST", target, body, webhooks.headers(target, body)))
        said = [record.getMessage() for record in caplog.records if record.name == "shared.web.twilio"]
        assert said[0].startswith("Twilio could not use an answer of ours, code ")
