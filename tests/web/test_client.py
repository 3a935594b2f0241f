"""Calls that browsers start, over HTTP: whatever they ask for and whatever storage does, Twilio gets TwiML."""

import logging
from collections.abc import AsyncIterator
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest

from shared.voice.browser import REFUSED
from shared.web import voice
from tests.samples import webhooks
from tests.samples.calls import Phone
from tests.web.app import App, Door, Served, settings_of
from tests.web.storage import Storage, nobody

TARGET = "/api/voice/client"
NUMBER = "+4930123456"
MORE = {"CLIENT_MAY_CALL": "+49*, client:*", "ALLOWED_COUNTRIES": "DE"}


@pytest.fixture(scope="module")
async def app(azurite: str) -> AsyncIterator[App]:
    """An app whose browsers may call Germany, its functions called directly."""
    async with App.load(settings_of(azurite, **MORE)) as app:
        yield app


@pytest.fixture(scope="module")
async def served(azurite: str) -> AsyncIterator[Served]:
    """The same over real HTTP."""
    async with Served.start(settings_of(azurite, **MORE)) as served:
        yield served


@pytest.fixture(params=["app", "served"], ids=["called directly", "over HTTP"])
def door(request: pytest.FixtureRequest) -> Door:
    """Both ways to the functions, one after the other."""
    return cast("Door", request.getfixturevalue(request.param))


def calling(door: Door, to: str) -> Phone:
    """A call that a browser starts."""
    return Phone(door, ends={"From": "client:anna", "To": to, "Direction": "inbound"})


def told(delivery: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a JSON document
    """What is on record of a browser's call beside its statuses."""
    return [event["raw"] for event in delivery["events"] if event["kind"] == "browser"]


async def test_a_call_is_connected_and_on_record_with_what_came_of_it(door: Door) -> None:
    phone = calling(door, NUMBER)
    document = await phone.turn(TARGET, CallStatus="ringing")
    assert [number.text for number in document.root.iter("Number")] == [NUMBER]
    end = {"DialCallStatus": "busy", "DialCallSid": webhooks.new_sid("CA")}
    assert (await phone.turn(document.next("Dial", "action"), **end)).said == ["The line is busy."]
    delivery = await phone.delivery()
    assert (delivery["direction"], delivery["from"], delivery["to"]) == ("inbound", "client:anna", NUMBER)
    assert told(delivery) == [{"dial": "number"}, {"dial": "busy", "dial_sid": end["DialCallSid"]}]


async def test_a_webhook_that_comes_twice_is_on_record_once(app: App) -> None:
    phone = calling(app, NUMBER)
    first, second = [await phone.turn(TARGET, CallStatus="ringing") for _ in range(2)]
    assert ET.tostring(first.root) == ET.tostring(second.root)
    assert len((await phone.delivery())["events"]) == 2


async def test_who_may_not_be_called_is_refused_in_a_sentence_and_on_record(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    phone = calling(door, "+12684601234")
    document = await phone.turn(TARGET, CallStatus="ringing")
    assert (document.verbs, document.said) == (["Say", "Hangup"], [REFUSED])
    [event] = told(await phone.delivery())
    assert event["dial"] == "refused"
    assert event["problem"]
    [line] = [record for record in caplog.records if "goes nowhere" in record.getMessage()]
    assert "2684601234" not in line.getMessage()
    assert line.levelno == logging.WARNING


async def test_a_callback_about_such_a_call_ends_it(app: App) -> None:
    phone = calling(app, NUMBER)
    await phone.turn(TARGET, CallStatus="ringing")
    await phone.post("/api/voice/status", CallStatus="completed", SequenceNumber="0")
    assert (await phone.delivery())["status"] == "completed"


async def test_what_could_not_be_recorded_at_first_is_when_the_call_is_over(app: App) -> None:
    phone = calling(app, NUMBER)
    await phone.turn(f"{TARGET}?part=done", DialCallStatus="completed")
    delivery = await phone.delivery()
    assert (delivery["from"], told(delivery)) == ("client:anna", [{"dial": "completed"}])


async def test_of_a_call_that_was_erased_nothing_is_kept(app: App) -> None:
    phone = calling(app, NUMBER)
    document = await phone.turn(TARGET, CallStatus="ringing")
    await phone.post("/api/voice/status", CallStatus="completed", SequenceNumber="0")
    delivery = await app.wiring.log.get(phone.sid)
    assert delivery is not None
    await app.wiring.log.erase(delivery, now=delivery.updated_at)
    assert (await phone.turn(document.next("Dial", "action"), DialCallStatus="completed")).verbs == ["Hangup"]
    assert (await phone.delivery())["events"] == []


async def test_nobody_but_twilio_is_answered(door: Door) -> None:
    body = webhooks.encode(("CallSid", webhooks.new_sid("CA")), ("From", "client:anna"), ("To", NUMBER))
    for headers in (None, webhooks.headers(f"{TARGET}?part=done", body), webhooks.headers(TARGET, body + b"1")):
        answer = await door.request("POST", TARGET, body, headers)
        assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize("how", ["refuses", "fails", "says nothing"])
async def test_whatever_storage_does_the_call_is_connected(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_DEADLINE", 0.4)
    async with Storage.start() as storage:
        storage.status = 500
        connection = nobody() if how == "refuses" else storage.connection
        async with App.load(settings_of(connection, **MORE)) as app:
            if how == "says nothing":
                storage.speaks.clear()
            document = await calling(app, NUMBER).turn(TARGET, CallStatus="ringing")
            storage.speaks.set()
    assert [number.text for number in document.root.iter("Number")] == [NUMBER]


async def test_a_form_that_lacks_everything_is_answered_too(app: App) -> None:
    answer = await app.request("POST", TARGET, b"", webhooks.headers(TARGET, b""))
    assert answer.status == 200
    assert REFUSED.encode() in answer.body
