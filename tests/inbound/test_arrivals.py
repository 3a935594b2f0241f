"""Texts and calls that come in: on record with all that Twilio said, and answered with TwiML."""

from xml.etree import ElementTree as ET

import pytest

from shared.deliveries.status import Channel
from shared.inbound.arrivals import first_told
from shared.inbound.form import Form
from tests.deliveries.samples import an_event
from tests.samples import webhooks
from tests.web.app import Answer, App, Door, settings_of

SMS, VOICE = "/api/sms/inbound", "/api/voice/inbound"
FLOWLESS = b"To=%2B15005550010"
"""a number that no flow answers: whoever calls it is greeted"""
NASTY = [
    "plain",
    "<Hangup/>",
    "</Say></Response><Response><Dial>+14155550100</Dial></Response>",
    "quotes \" and ' and & and &amp; and &#60;",
    "<![CDATA[ x ]]> ]]> <!-- x --> <?xml version='1.0'?>",
    "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>&x;",
    "Grüße, 你好, 🎉, \u202eright to left",
    "two\nlines\tand a tab",
]
UNSPEAKABLE = ["a\x01b\x0bc\x1fd", "e\ufffff\udcffg"]
"""characters that XML has no way to write, the last as an environment with broken bytes brings it"""


def _a_call(name: str = "voice-inbound", *, sid: str) -> bytes:
    return webhooks.body(name, sid=sid).replace(b"To=%2B15005550006", FLOWLESS)


def _a_text() -> bytes:
    """A text of somebody who was not answered yet."""
    sender = webhooks.new_number().removeprefix("+").encode()
    return webhooks.body("sms-inbound", sid=webhooks.new_sid("MM")).replace(
        b"From=%2B14155550177", b"From=%2B" + sender
    )


async def _arrive(door: Door, target: str, body: bytes) -> Answer:
    return await door.request("POST", target, body, webhooks.headers(target, body))


def _twiml(answer: Answer) -> ET.Element:
    assert answer.content_type == "text/xml"
    root = ET.fromstring(answer.body)  # noqa: S314 - what our own app wrote
    assert root.tag == "Response"
    return root


async def test_a_text_is_on_record_with_its_media_and_all_that_twilio_said(door: Door) -> None:
    sid = webhooks.new_sid("MM")
    answer = await _arrive(door, SMS, webhooks.body("sms-inbound", sid=sid))
    assert answer.status == 200
    assert len(_twiml(answer)) == 0, "no reply is set"
    delivery = (await door.request("GET", f"/api/deliveries/{sid}")).json()
    assert {name: delivery[name] for name in ("id", "sid", "channel", "direction", "status", "from", "to")} == {
        "id": sid,
        "sid": sid,
        "channel": "sms",
        "direction": "inbound",
        "status": "received",
        "from": "+14155550177",
        "to": "+15005550006",
    }
    [event] = delivery["events"]
    assert event["status"] == "received"
    assert event["raw"]["Body"] == "Schöne Grüße 🎉 <Body> 100% & more\nsecond line"
    assert (event["raw"]["NumMedia"], event["raw"]["MediaContentType1"]) == ("2", "application/pdf")
    assert event["raw"]["MediaUrl1"].endswith("ME00000000000000000000000000000001")
    assert (event["raw"]["ToCity"], event["raw"]["FromCity"]) == ("SAN FRANCISCO", "")


async def test_a_call_is_on_record_and_greeted(door: Door) -> None:
    sid = webhooks.new_sid("CA")
    answer = await _arrive(door, VOICE, _a_call(sid=sid))
    assert answer.status == 200
    assert [verb.tag for verb in _twiml(answer)] == ["Say"]
    delivery = (await door.request("GET", f"/api/deliveries/{sid}")).json()
    assert (delivery["channel"], delivery["direction"], delivery["status"]) == ("call", "inbound", "ringing")
    assert delivery["events"][0]["raw"]["StirVerstat"] == "TN-Validation-Passed-A"


async def test_a_caller_without_a_number_is_greeted_too(door: Door) -> None:
    sid = webhooks.new_sid("CA")
    answer = await _arrive(door, VOICE, _a_call("voice-inbound-anonymous", sid=sid))
    assert answer.status == 200
    assert (await door.request("GET", f"/api/deliveries/{sid}")).json()["from"] == "Anonymous"


async def test_an_arrival_told_twice_is_there_once(door: Door) -> None:
    sid = webhooks.new_sid("MM")
    body = webhooks.body("sms-inbound", sid=sid)
    first, second = await _arrive(door, SMS, body), await _arrive(door, SMS, body)
    assert (first.status, first.body) == (second.status, second.body)
    assert len((await door.request("GET", f"/api/deliveries/{sid}")).json()["events"]) == 1


async def test_an_inbound_call_goes_on_to_its_end(door: Door) -> None:
    sid = webhooks.new_sid("CA")
    await _arrive(door, VOICE, _a_call(sid=sid))
    ended = webhooks.body("voice-status-completed", sid=sid)
    assert (await _arrive(door, "/api/voice/status", ended)).status == 204
    delivery = (await door.request("GET", f"/api/deliveries/{sid}")).json()
    assert (delivery["status"], delivery["direction"], len(delivery["events"])) == ("completed", "inbound", 2)


@pytest.mark.parametrize("target", [SMS, VOICE])
async def test_an_arrival_that_cannot_be_read_is_answered_all_the_same(door: Door, target: str) -> None:
    answer = await _arrive(door, target, b"From=%2B14155550177&Body=")
    assert answer.status == 200
    _twiml(answer)


@pytest.mark.parametrize("text", NASTY)
async def test_what_the_settings_say_comes_back_as_text(azurite: str, text: str) -> None:
    async with App.load(settings_of(azurite, SMS_REPLY=text, VOICE_GREETING=text)) as app:
        sms = await _arrive(app, SMS, _a_text())
        voice = await _arrive(app, VOICE, _a_call(sid=webhooks.new_sid("CA")))
    [message], [say] = _twiml(sms), _twiml(voice)
    assert (message.tag, message.text, len(message)) == ("Message", text, 0)
    assert (say.tag, say.text, len(say)) == ("Say", text, 0)


@pytest.mark.parametrize("text", UNSPEAKABLE)
async def test_characters_that_xml_cannot_write_spoil_no_answer(azurite: str, text: str) -> None:
    async with App.load({**settings_of(azurite), "SMS_REPLY": text, "VOICE_GREETING": text}) as app:
        sms = await _arrive(app, SMS, _a_text())
        voice = await _arrive(app, VOICE, _a_call(sid=webhooks.new_sid("CA")))
    for answer in (sms, voice):
        [verb] = _twiml(answer)
        assert [letter for letter in "".join(verb.itertext()) if letter.isalpha()] == list(
            filter(str.isalpha, text.encode(errors="ignore").decode())
        )


async def test_our_own_number_is_never_answered(azurite: str) -> None:
    async with App.load(settings_of(azurite, SMS_REPLY="Hello")) as app:
        replies = []
        for sender in (app.settings["TWILIO_FROM_NUMBER"], webhooks.new_number()):
            sid = webhooks.new_sid("SM")
            body = webhooks.encode(("MessageSid", sid), ("From", sender), ("To", "+15005550010"), ("Body", "Hi"))
            replies.append(len(_twiml(await _arrive(app, SMS, body))))
    assert replies == [0, 1]


async def test_a_name_of_any_length_does_not_keep_a_caller_from_being_greeted(door: Door) -> None:
    sid = webhooks.new_sid("CA")
    body = webhooks.encode(("CallSid", sid), ("CallStatus", "ringing"), ("From", "sip:" + "x" * 5000), ("To", "+1"))
    assert (await _arrive(door, VOICE, body)).status == 200
    delivery = (await door.request("GET", f"/api/deliveries/{sid}")).json()
    assert len(delivery["from"]) == 300
    assert len(delivery["events"][0]["raw"]["From"]) == 5004


async def test_a_text_of_any_length_that_twilio_posts_is_kept_whole(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    text = "語" * 1600
    body = webhooks.encode(("MessageSid", sid), ("From", "+14155550177"), ("To", "+15005550006"), ("Body", text))
    assert (await _arrive(door, SMS, body)).status == 200
    assert (await door.request("GET", f"/api/deliveries/{sid}")).json()["events"][0]["raw"]["Body"] == text


@pytest.mark.parametrize(("channel", "lowest"), [("sms", "accepted"), ("call", "queued")])
@pytest.mark.parametrize("word", ["scheduled", "uncertain", "teleported"])
def test_no_word_of_twilios_makes_what_it_told_of_one_that_is_ours_to_send(
    channel: Channel, lowest: str, word: str
) -> None:
    told = first_told(Form([]), an_event(word), channel=channel, direction="outbound")
    assert told.status == lowest
