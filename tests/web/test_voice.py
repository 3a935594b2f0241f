"""Calls in a flow: whoever is on the line hears something valid, and what happens is on record first."""

import base64
import json
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import cast

import pytest
from azure.storage.queue.aio import QueueClient

from shared.calls import desk
from shared.inbound import arrivals
from shared.voice.flows.apologies import GONE, ONE_MOMENT, SORRY
from shared.voice.flows.turn_urls import MOST_AGAIN
from shared.web import voice
from tests.samples import webhooks
from tests.samples.calls import AGENT, FLOWLESS, FLOWS, INBOUND, LINE, PERSON, Document, Phone
from tests.web import problems
from tests.web.app import NUMBER, App, Door, Served, settings_of
from tests.web.storage import Storage, nobody

ALERT = {"channel": "call", "to": PERSON, "flow": "alert", "data": {"service": "Mail & <web>", "incident": "7"}}
BEGIN = "/api/voice/flow/alert/alert?delivery="


@pytest.fixture(scope="module")
async def app(azurite: str) -> AsyncIterator[App]:
    """The app with the flows of tests, its functions called directly."""
    async with App.load(settings_of(azurite), flows=FLOWS) as app:
        yield app


@pytest.fixture(scope="module")
async def served(azurite: str) -> AsyncIterator[Served]:
    """The same over real HTTP."""
    async with Served.start(settings_of(azurite), flows=FLOWS) as served:
        yield served


@pytest.fixture(params=["app", "served"], ids=["called directly", "over HTTP"])
def door(request: pytest.FixtureRequest) -> Door:
    """Both ways to the functions, one after the other."""
    return cast("Door", request.getfixturevalue(request.param))


@pytest.fixture(params=["refuses", "fails", "says nothing"])
async def dead(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """An app whose storage is away, in each of three ways; no test waits as long as a caller may."""
    if request.param == "refuses":
        async with App.load(settings_of(nobody()), flows=FLOWS) as app:
            yield app
        return
    async with Storage.start() as storage, App.load(settings_of(storage.connection), flows=FLOWS) as app:
        storage.status = 500
        if request.param == "says nothing":
            monkeypatch.setattr(voice, "_DEADLINE", 0.4)
            monkeypatch.setattr(desk, "LAST_TRY", 0.1)
            storage.speaks.clear()
        yield app
        storage.speaks.set()


async def _alerted(app: App) -> str:
    """An outbound call as it is on record once it was asked for; Twilio can't be reached."""
    delivery_id = webhooks.new_sid("alert-")
    await app.take(json.dumps({"id": delivery_id, **ALERT}).encode())
    return delivery_id


async def _put_off(phone: Phone, target: str, **told: str) -> tuple[int, Document]:
    """Follow the redirects of a turn that meets trouble; return how many there were, and what came then."""
    document, count = await phone.turn(target, **told), 0
    while ONE_MOMENT in document.said:
        assert document.verbs == ["Say", "Redirect"]
        again = document.next("Redirect")
        assert again.partition("?")[0] == target.partition("?")[0]
        count += 1
        assert count <= MOST_AGAIN, "it goes on for ever"
        # a redirect tells nothing of what was pressed
        document = await phone.turn(again)
    return count, document


async def test_whoever_calls_a_number_of_a_flow_walks_it_and_all_of_it_is_on_record(door: Door) -> None:
    phone = Phone(door)
    menu = await phone.turn(INBOUND, CallStatus="ringing")
    assert menu.said == [f"Press a key, {PERSON}."]
    assert await phone.told() == [{"step": "menu", "event": "called"}]
    bye = await phone.turn(menu.next("Gather", "action"), Digits="42")
    assert (bye.verbs, bye.said) == (["Say", "Say", "Hangup"], ["You said 42.", "Goodbye."])
    delivery = await phone.delivery()
    assert (delivery["direction"], delivery["channel"], delivery["from"]) == ("inbound", "call", PERSON)
    assert [event["kind"] for event in delivery["events"]] == [None, "flow", "flow", "flow"]
    assert await phone.told() == [
        {"step": "menu", "event": "called"},
        {"step": "menu", "outcome": "input", "digits": "42", "next": "repeat"},
        {"step": "bye", "event": "left"},
    ]


async def test_a_turn_told_twice_is_one(door: Door) -> None:
    phone = Phone(door)
    first, again = [await phone.turn(INBOUND, CallStatus="ringing") for _ in range(2)]
    assert first.said == again.said
    for _ in range(2):
        await phone.turn(first.next("Gather", "action"), Digits="7")
    assert len((await phone.delivery())["events"]) == 4


async def test_what_a_caller_brings_comes_back_as_text(door: Door) -> None:
    words = '</Say><Dial>+1900</Dial> & "quotes" ]]> \x01 😀'
    phone = Phone(door, ends={"From": words, "To": LINE})
    menu = await phone.turn(INBOUND, CallStatus="ringing")
    assert menu.verbs == ["Gather", "Redirect"]
    assert menu.said == [f"Press a key, {words}.".replace("\x01", " ")]
    bye = await phone.turn(menu.next("Gather", "action"), SpeechResult=words)
    assert bye.verbs == ["Say", "Say", "Hangup"]
    assert bye.said[0] == f"You said {words}.".replace("\x01", " ")
    assert (await phone.told())[1]["speech"] == words


async def test_the_text_of_a_step_is_sent_once_however_often_the_turn_comes(app: App) -> None:
    phone = Phone(app)
    menu = await phone.turn(INBOUND, CallStatus="ringing")
    for _ in range(2):
        await phone.turn(menu.next("Gather", "action"), Digits="1")
    storage, name = app.settings["AzureWebJobsStorage"], app.settings["OUTBOUND_QUEUE"]
    async with QueueClient.from_connection_string(storage, name) as queue:
        messages = [json.loads(base64.b64decode(message.content)) async for message in queue.receive_messages()]
    texts = [message for message in messages if message.get("origin") == phone.sid]
    assert {text["id"] for text in texts} == {f"{phone.sid}~1.1-text-text"}
    for text in texts:
        await app.take(json.dumps(text).encode())
    sent = await phone.delivery(texts[0]["id"])
    assert (sent["channel"], sent["to"], sent["origin"]) == ("sms", PERSON, phone.sid)
    assert json.loads(sent["request"])["request"]["body"] == f"Thank you, {PERSON}."
    assert sent["attempts"] == 1


@pytest.mark.parametrize(
    "target", ["/api/voice/flow/nobody/menu?delivery=", "/api/voice/flow/line/nowhere?part=done&turn=4&delivery="]
)
async def test_a_flow_or_a_step_that_is_gone_is_told_kindly_and_on_record(
    door: Door, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    phone = Phone(door)
    await phone.turn(INBOUND, CallStatus="ringing")
    caplog.clear()
    document = await phone.turn(f"{target}{phone.sid}&v=2", Digits="1")
    assert (document.verbs, document.said) == (["Say", "Hangup"], [GONE])
    assert "got another" in (await phone.told())[-1]["problem"]
    assert [record.levelno for record in caplog.records if record.name == "shared.calls.desk"] == [logging.ERROR]


async def test_a_call_that_could_not_be_put_on_record_is_put_there_in_a_later_turn(door: Door) -> None:
    phone = Phone(door)
    await phone.turn(f"/api/voice/flow/line/menu?part=done&turn=1&delivery={phone.sid}", Digits="7")
    delivery = await phone.delivery()
    assert (delivery["direction"], delivery["status"], delivery["from"]) == ("inbound", "in-progress", PERSON)
    assert [told["step"] for told in await phone.told()] == ["menu", "bye"]


async def test_without_storage_a_caller_is_put_off_a_few_times_and_then_answered(
    dead: App, caplog: pytest.LogCaptureFixture
) -> None:
    phone = Phone(dead)
    count, menu = await _put_off(phone, INBOUND, CallStatus="ringing")
    assert (count, menu.said) == (MOST_AGAIN, [f"Press a key, {PERSON}."])
    count, bye = await _put_off(phone, menu.next("Gather", "action"), Digits="42")
    assert (count, bye.said) == (MOST_AGAIN, ["You said 42.", "Goodbye."])
    lost = [record.getMessage() for record in caplog.records if record.name == "shared.calls.desk"]
    assert any("a turn of its call is lost" in line for line in lost)


async def test_without_storage_a_call_whose_words_stand_there_hears_an_apology(dead: App) -> None:
    count, document = await _put_off(Phone.called_by(dead), f"{BEGIN}some-id")
    assert count == MOST_AGAIN
    assert (document.verbs, document.said) == (["Say", "Hangup"], [SORRY])


@pytest.mark.parametrize(("part", "verbs"), [("wait", ["Pause"]), ("whisper", []), ("screen", [])])
async def test_without_storage_who_waits_keeps_waiting_and_who_is_called_is_connected(
    dead: App, part: str, verbs: list[str]
) -> None:
    phone = Phone.called_by(dead)
    document = await phone.turn(f"/api/voice/flow/alert/person?part={part}&delivery=some-id&again={MOST_AGAIN - 1}")
    assert document.verbs == ["Pause", "Redirect"]
    assert (await phone.turn(document.next("Redirect"))).verbs == verbs


async def test_a_fault_in_the_code_is_answered_in_the_same_way(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(desk, "walk", fail)
    count, document = await _put_off(Phone(app), INBOUND, CallStatus="ringing")
    assert (count, document.said) == (MOST_AGAIN, [SORRY])
    [*_, record] = [record for record in caplog.records if record.name == "shared.web.voice"]
    assert record.exc_info is not None, "it can't be mended without its trace"


async def test_whoever_calls_another_number_is_greeted_whatever_breaks(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    phone = Phone(app, ends={"From": PERSON, "To": FLOWLESS})
    greeting = await phone.turn(INBOUND)
    monkeypatch.setattr(arrivals, "file_call", fail)
    assert (await phone.turn(INBOUND)).said == greeting.said
    assert greeting.verbs == ["Say"]


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ({"service": "Mail"}, {"data.incident"}),
        ({"service": "Mail", "incident": 7}, {"data.incident"}),
        ({"service": "Mail", "incident": "7", "colour": "red"}, {"data.colour"}),
        (None, {"data.service", "data.incident"}),
    ],
)
async def test_a_request_whose_values_do_not_fit_its_flow_is_refused(
    door: Door, data: object, faults: set[str]
) -> None:
    request = {name: value for name, value in {**ALERT, "data": data}.items() if value is not None}
    answer = await door.request("POST", "/api/send", json.dumps(request).encode())
    assert problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY).keys() == faults


async def test_a_request_for_a_flow_that_is_not_there_is_told_which_there_are(door: Door) -> None:
    answer = await door.request("POST", "/api/send", json.dumps({**ALERT, "flow": "alarm"}).encode())
    assert "alert" in problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)["flow"]


async def test_a_call_that_was_asked_for_knows_its_values_in_every_turn(app: App) -> None:
    delivery_id = await _alerted(app)
    phone = Phone.called_by(app)
    alert = await phone.turn(f"{BEGIN}{delivery_id}&v=2")
    assert alert.said == ["Mail & <web> is down, incident 7."]
    elsewhere = await phone.turn(alert.next("Gather", "action"), Digits="3")
    other = await phone.turn(elsewhere.next("Redirect"))
    assert other.said == ["Elsewhere, too, Mail & <web> is down."], "of the values, those that the other flow takes"
    assert [told["step"] for told in await phone.told(delivery_id)] == ["alert"]


async def test_who_is_dialled_hears_of_the_call_and_not_of_their_own_leg(app: App) -> None:
    delivery_id = await _alerted(app)
    outbound, inbound = Phone.called_by(app), Phone(app)
    dial = await outbound.turn(f"/api/voice/flow/alert/person?turn=2&delivery={delivery_id}&v=2")
    menu = await inbound.turn(INBOUND, CallStatus="ringing")
    sales = await inbound.turn(menu.next("Gather", "action"), Digits="2")
    for phone, target, words in (
        (outbound, dial.next("Number", "url"), f"{NUMBER} alerted {PERSON} of Mail & <web>."),
        (inbound, sales.next("Number", "url"), f"A call from {PERSON}."),
    ):
        leg = {"CallSid": webhooks.new_sid("CA"), "ParentCallSid": phone.sid, "Direction": "outbound-dial"}
        whisper = await phone.turn(target, **leg, From=NUMBER, To=AGENT)
        assert whisper.said == [words]
    accepted = await inbound.turn(whisper.next("Gather", "action"), **leg, From=NUMBER, To=AGENT, Digits="5")
    assert accepted.verbs == []
    assert (await inbound.told())[-1] == {"step": "sales", "screen": "accepted", "target": 0}


@pytest.mark.parametrize(
    ("answered_by", "said"),
    [
        ("machine_end_beep", "To the machine: Mail & <web> is down."),
        ("human", "Mail & <web> is down, incident 7."),
    ],
)
async def test_a_machine_that_answers_hears_its_own_words_and_is_on_record(
    app: App, answered_by: str, said: str
) -> None:
    delivery_id = await _alerted(app)
    phone = Phone.called_by(app)
    assert (await phone.turn(f"{BEGIN}{delivery_id}&v=2", AnsweredBy=answered_by)).said == [said]
    assert (await phone.delivery(delivery_id))["answered_by"] == answered_by
    assert (await phone.told(delivery_id))[0] == {"step": "alert", "answered_by": answered_by}


async def test_who_answered_is_on_record_from_a_status_callback_too(door: Door) -> None:
    phone = Phone(door, ends={"From": NUMBER, "To": PERSON, "Direction": "outbound-api"})
    await phone.post("/api/voice/status", CallStatus="ringing", SequenceNumber="1")
    await phone.post("/api/voice/status", CallStatus="completed", SequenceNumber="3", AnsweredBy="machine_start")
    assert (await phone.delivery())["answered_by"] == "machine_start"
