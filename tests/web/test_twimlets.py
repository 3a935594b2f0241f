"""Twimlets over the wire: only Twilio is answered, with GET and with POST, and what happens is on record."""

import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import pytest

from shared.calls import desk
from shared.voice.flows.apologies import ONE_MOMENT, SORRY
from shared.voice.flows.turn_urls import MOST_AGAIN
from shared.voice.twimlets.reading import SORRY as NOT_SET_UP
from shared.web import voice
from tests.samples import webhooks
from tests.samples.calls import PERSON, Document, Phone, read
from tests.web.app import NUMBER, PUBLIC_BASE_URL, SECOND_TOKEN, Answer, App, Door, settings_of
from tests.web.storage import Storage, nobody

HELLO = "/api/twimlets/message?Message%5B0%5D=Hello"
OTHER = "+14155551212"


@pytest.fixture(params=["refuses", "says nothing"])
async def dead(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """An app whose storage is away; no test waits as long as a caller may."""
    if request.param == "refuses":
        async with App.load(settings_of(nobody())) as app:
            yield app
        return
    async with Storage.start() as storage, App.load(settings_of(storage.connection)) as app:
        monkeypatch.setattr(voice, "_DEADLINE", 0.4)
        monkeypatch.setattr(desk, "LAST_TRY", 0.1)
        storage.speaks.clear()
        yield app
        storage.speaks.set()


async def got(door: Door, target: str, fields: Mapping[str, str], *, signed: str | None = None) -> Answer:
    """GET as Twilio does: what it posts otherwise comes after the query, and the URL alone is signed."""
    whole = f"{target}&{urlencode(fields)}"
    headers = {"X-Twilio-Signature": signed or webhooks.signature(PUBLIC_BASE_URL + whole, [])}
    return await door.request("GET", whole, headers=headers)


async def test_a_url_of_old_is_answered_and_the_call_on_record(door: Door) -> None:
    phone = Phone(door)
    document = await phone.turn(HELLO, CallStatus="ringing")
    assert (document.verbs, document.said) == (["Say", "Hangup"], ["Hello"])
    delivery = await phone.delivery()
    assert (delivery["direction"], delivery["channel"], delivery["status"]) == ("inbound", "call", "ringing")
    assert (delivery["from"], len(delivery["events"])) == (PERSON, 1)


async def test_it_may_be_asked_with_get_too(door: Door) -> None:
    phone = Phone(door)
    fields = {"CallSid": phone.sid, "CallStatus": "ringing", **phone.ends}
    document = read(await got(door, "/api/twimlets/menu?Options[1]=https://example.com", fields))
    assert document.verbs == ["Gather", "Redirect"]
    assert "CallSid" not in document.next("Gather", "action")
    assert (await phone.delivery())["from"] == PERSON
    there = await phone.turn(document.next("Gather", "action"), Digits="1")
    assert there.verbs == ["Redirect"]
    assert [told["step"] for told in await phone.told()] == ["menu"]


ADDED = {"AllowedCallers[1]": "client:eve", "AllowedCallers": PERSON, "PhoneNumber": "+19005550100", "step": "dial"}


async def test_what_is_posted_adds_nothing_to_a_url(door: Door) -> None:
    phone = Phone(door, ends={"From": "client:eve", "To": "", "Direction": "inbound"})
    forward = f"/api/twimlets/forward?PhoneNumber={OTHER}&AllowedCallers[0]=510-555-1212"
    assert (await phone.turn(forward, **ADDED)).verbs == ["Say", "Hangup"]
    assert (await phone.turn("/api/twimlets/forward", PhoneNumber=OTHER)).said == [NOT_SET_UP]
    evil = {"Options[1]": "https://evil.example/dial.xml"}
    assert (await phone.turn("/api/twimlets/menu?Message=Hello", **evil)).said == [NOT_SET_UP]


@pytest.mark.parametrize("more", [{}, {"From": PERSON, "Direction": "outbound-dial"}])
async def test_who_calls_from_a_browser_is_not_answered_with_get_as_what_they_add_looks_like_the_url(
    door: Door, more: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    menu = (
        f"/api/twimlets/menu?Options[1]=https://example.com&{urlencode({'Options[2]': 'https://evil.example', **more})}"
    )
    fields = {"CallSid": webhooks.new_sid("CA"), "From": "client:eve", "Direction": "inbound"}
    assert read(await got(door, menu, fields)).said == [NOT_SET_UP]
    assert "expected POST" in caplog.text


async def test_a_leg_that_a_browsers_call_dialled_is_whispered_to_with_get_too(door: Door) -> None:
    leg = {"CallSid": webhooks.new_sid("CA"), "ParentCallSid": webhooks.new_sid("CA"), "Direction": "outbound-dial"}
    whisper = await got(door, "/api/twimlets/whisper?Message=Sales", {**leg, "From": "client:eve", "To": "client:bob"})
    assert read(whisper).said == ["Sales"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("change", ["no signature", "another token", "another URL", "another field"])
async def test_whoever_is_not_twilio_is_refused(door: Door, method: str, change: str) -> None:
    body = webhooks.encode(("CallSid", webhooks.new_sid("CA"))) if method == "POST" else b""
    token = {"token": SECOND_TOKEN} if change == "another token" else {}
    headers = webhooks.headers(HELLO, body, **token)
    target, sent = HELLO, body
    if change == "no signature":
        del headers["X-Twilio-Signature"]
    elif change == "another URL":
        target += "&Message%5B1%5D=World"
    elif change == "another field":
        sent += b"&Message=World"
    answer = await door.request(method, target, sent, headers)
    assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", ["echo", "holdmusic", "nobody", "%F0%9F%98%80"])
async def test_an_unknown_name_is_told_kindly(door: Door, method: str, name: str) -> None:
    phone = Phone(door)
    target = f"/api/twimlets/{name}?Twiml=%3CResponse%2F%3E"
    fields = {"CallSid": phone.sid, "CallStatus": "ringing", **phone.ends}
    answer = await (got(door, target, fields) if method == "GET" else phone.post(target))
    assert read(answer).verbs == ["Say", "Hangup"]
    [told] = await phone.told()
    assert "message, menu, forward" in told["problem"]


async def test_a_turn_told_twice_is_one(door: Door) -> None:
    phone = Phone(door)
    for _ in range(2):
        document = await phone.turn("/api/twimlets/conference?Password=1234&Music=jazz", CallStatus="ringing")
        await phone.turn(document.next("Gather", "action"), Digits="1234")
    assert len((await phone.delivery())["events"]) == 3, "the call, what is wrong with its URL, the code"


async def test_a_voicemail_is_on_record_with_its_link_and_its_words(door: Door) -> None:
    phone = Phone(door)
    recording = webhooks.new_sid("RE")
    link = f"https://api.twilio.com/2010-04-01/Accounts/AC/Recordings/{recording}"
    document = await phone.turn("/api/twimlets/voicemail?Email=ann%40example.com", CallStatus="ringing")
    told = {"RecordingSid": recording, "RecordingUrl": link}
    await phone.turn(document.next("Record", "action"), RecordingDuration="7", **told)
    done = await phone.post(
        document.next("Record", "recordingStatusCallback"),
        RecordingStatus="completed",
        RecordingDuration="7",
        **told,
    )
    words = await phone.post(
        document.next("Record", "transcribeCallback"),
        TranscriptionSid=webhooks.new_sid("TR"),
        TranscriptionStatus="completed",
        TranscriptionText="Call me.",
        **told,
    )
    assert (done.status, words.status) == (204, 204)
    delivery = await phone.delivery()
    assert (delivery["recording_url"], delivery["recording_seconds"]) == (link, 7)
    assert [event["kind"] for event in delivery["events"]] == [None, "flow", "recording", "transcription"]
    [left] = await phone.told()
    assert (left["email"], left["recording_url"]) == ("ann@example.com", link)


async def test_a_call_that_a_request_makes_is_told_of_in_its_own_delivery(app: App) -> None:
    delivery_id, phone = webhooks.new_sid("call-"), Phone.called_by(app)
    url = f"{PUBLIC_BASE_URL}/api/twimlets/conference?Password=1234"
    await app.take(json.dumps({"id": delivery_id, "channel": "call", "to": PERSON, "url": url}).encode())
    await phone.post(f"/api/voice/status?delivery={delivery_id}&v=2", CallStatus="initiated", SequenceNumber="0")
    document = await phone.turn(url.removeprefix(PUBLIC_BASE_URL))
    assert f"delivery={delivery_id}" in document.next("Gather", "action")
    await phone.turn(document.next("Gather", "action"), Digits="1234")
    assert [told["step"] for told in await phone.told(delivery_id)] == ["password"]
    assert (await app.request("GET", f"/api/deliveries/{phone.sid}")).status == 404


async def test_a_call_that_others_had_twilio_make_is_on_record_as_that(door: Door) -> None:
    phone = Phone.called_by(door)
    await phone.turn(HELLO)
    delivery = await phone.delivery()
    assert (delivery["direction"], delivery["to"]) == ("outbound", PERSON)


async def test_who_is_dialled_hears_of_the_call_that_dials_and_not_of_a_leg(door: Door) -> None:
    phone = Phone(door)
    dial = await phone.turn(f"/api/twimlets/findme?PhoneNumbers[]={OTHER}", CallStatus="ringing")
    leg = {"CallSid": webhooks.new_sid("CA"), "ParentCallSid": phone.sid, "Direction": "outbound-dial"}
    leg |= {"From": NUMBER, "To": OTHER}
    whisper = await phone.turn(dial.next("Number", "url"), **leg)
    assert whisper.said == [f"You are receiving a call from {', '.join(PERSON)}. Press any key to accept."]
    assert (await phone.turn(whisper.next("Gather", "action"), Digits="5", **leg)).verbs == []
    assert [told.get("screen") for told in await phone.told()] == ["accepted"]
    assert (await door.request("GET", f"/api/deliveries/{leg['CallSid']}")).status == 404


async def test_whisper_stands_alone_for_a_number_of_twiml_from_elsewhere(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    leg = {"ParentCallSid": webhooks.new_sid("CA"), "Direction": "outbound-dial"}
    phone = Phone(door, ends={"From": PERSON, "To": OTHER, **leg})
    caplog.clear()
    whisper = await phone.turn("/api/twimlets/whisper?HumanCheck=1&Message=Sales")
    assert (whisper.verbs, whisper.said) == (["Gather", "Hangup"], ["Sales"])
    assert (await phone.turn(whisper.next("Gather", "action"), Digits="5")).verbs == []
    assert not [record for record in caplog.records if record.name.startswith("shared.calls")]
    assert (await door.request("GET", f"/api/deliveries/{phone.sid}")).status == 404


async def test_what_is_pressed_at_a_whisper_is_on_record_of_the_call_where_that_is_ours(door: Door) -> None:
    caller = Phone(door)
    await caller.turn(HELLO, CallStatus="ringing")
    leg = {"ParentCallSid": caller.sid, "Direction": "outbound-dial"}
    phone = Phone(door, ends={"From": PERSON, "To": OTHER, **leg})
    whisper = await phone.turn("/api/twimlets/whisper?HumanCheck=1")
    await phone.turn(whisper.next("Gather", "action"), Digits="5")
    assert [told["screen"] for told in await caller.told()] == ["accepted"]


async def _put_off(phone: Phone, document: Document) -> Document:
    for _ in range(MOST_AGAIN):
        assert ONE_MOMENT in document.said
        document = await phone.turn(document.next("Redirect"))
    return document


async def test_without_storage_a_caller_is_put_off_a_few_times_and_then_answered(dead: App) -> None:
    phone = Phone(dead)
    document = await phone.turn("/api/twimlets/message?Message[]=Hello&Message[]=World", CallStatus="ringing")
    assert (await _put_off(phone, document)).said == ["Hello", "World"]


async def test_so_is_who_asks_with_get(dead: App) -> None:
    phone = Phone(dead)
    fields = {"CallSid": phone.sid, "CallStatus": "ringing", **phone.ends}
    assert (await _put_off(phone, read(await got(dead, HELLO, fields)))).said == ["Hello"]


async def test_without_storage_who_is_called_hears_the_whisper(dead: App) -> None:
    leg = {"ParentCallSid": webhooks.new_sid("CA"), "Direction": "outbound-dial"}
    phone = Phone(dead, ends={"From": PERSON, "To": OTHER, **leg})
    assert (await phone.turn("/api/twimlets/whisper?Message=Sales")).said == ["Sales"]


async def test_a_fault_in_the_code_is_answered_in_the_same_way(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(desk, "walk_twimlet", fail)
    phone = Phone(app)
    assert (await _put_off(phone, await phone.turn(HELLO))).said == [SORRY]


@pytest.mark.parametrize(("region", "number"), [("", "+12079460018"), ("GB", "+442079460018")])
async def test_numbers_without_a_country_are_of_the_default_region(azurite: str, region: str, number: str) -> None:
    async with App.load(settings_of(azurite, DEFAULT_REGION=region, ALLOWED_COUNTRIES="US,GB")) as app:
        written = "207-946-0018" if not region else "020+7946+0018"
        document = await Phone(app).turn(f"/api/twimlets/forward?PhoneNumber={written}")
        assert [each.text for each in document.root.iter("Number")] == [number]


async def test_the_countries_and_the_longest_call_of_the_settings_hold(azurite: str) -> None:
    async with App.load(settings_of(azurite, ALLOWED_COUNTRIES="US", MAX_CALL_SECONDS="90")) as app:
        dialled = await Phone(app).turn(f"/api/twimlets/callme?PhoneNumber={OTHER}")
        assert [each.get("timeLimit") for each in dialled.root.iter("Dial")] == ["90"]
        refused = await Phone(app).turn("/api/twimlets/callme?PhoneNumber=%2B442079460018")
        assert refused.verbs == ["Say", "Hangup"]
