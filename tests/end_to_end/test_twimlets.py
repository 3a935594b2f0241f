"""Each twimlet of old with its parameters: somebody calls a number whose URL it is, and hears what they should."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from azure.storage.queue.aio import QueueClient

from local.twilio.calls import Call
from local.twilio.people import Act, Person, hang_up, press, say, silence, wait
from tests.end_to_end.flows.calling import (
    APP,
    all_is_well,
    calls_to,
    details,
    heard,
    of_kind,
    over,
    shown,
    webhooks,
)
from tests.end_to_end.stage import Stage, eventually, new_id, stage

SPELLED = "You are receiving a call from {}. Press any key to accept."


@dataclass(slots=True)
class Site:
    """Somebody else's site: TwiML, and a sound file that takes GET only, as storage does."""

    url: str
    asked: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture(scope="module")
async def site() -> AsyncIterator[Site]:
    """The site, and what was asked of it."""
    site = Site("")

    async def sound(request: web.Request) -> web.Response:
        site.asked.append((request.method, request.path))
        return web.Response(body=b"", content_type="audio/mpeg")

    application = web.Application()
    application.add_routes([web.get("/{name}.mp3", sound)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


@pytest.fixture(scope="module")
async def twimlets(azurite: str) -> AsyncIterator[Stage]:
    """A running set whose events go to a queue; each test has callers of its own."""
    name = f"events-{uuid.uuid4().hex}"
    async with QueueClient.from_connection_string(azurite, name) as events:
        await events.create_queue()
        async with stage(azurite, EVENTS_QUEUE=name, ALLOWED_COUNTRIES="US") as everything:
            yield everything


def url(twimlets: Stage, name: str, *pairs: tuple[str, str], **parameters: str) -> str:
    """The URL of a twimlet with these parameters, as it was but for the host."""
    return f"{twimlets.settings['PUBLIC_BASE_URL']}/api/twimlets/{name}?{urlencode([*parameters.items(), *pairs])}"


async def called(twimlets: Stage, there: str, *acts: Act, from_: str, **more: Any) -> Call:  # noqa: ANN401 - of Simulator.call
    """Somebody calls a number with this URL; returns the call when it has ended, and Twilio found nothing wrong."""
    return await over(twimlets, twimlets.twilio.call(*acts, from_=from_, to=APP, url=there, **more))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_message_says_and_plays(twimlets: Stage, method: str) -> None:
    there = url(twimlets, "message", ("Message[0]", "Hello & <you>"), ("Message[1]", "http://example.com/a.mp3"))
    call = await called(twimlets, there, from_=f"+1415555040{len(method)}", method=method)
    assert heard(call) == ["Hello & <you>", "http://example.com/a.mp3"]
    delivery = await twimlets.ended(call.sid, "completed")
    assert (delivery["direction"], delivery["from"]) == ("inbound", call.from_)


async def test_menu_goes_where_a_key_leads(twimlets: Stage, site: Site) -> None:
    second = url(twimlets, "message", Message="You pressed twelve.")
    there = url(
        twimlets,
        "menu",
        ("Options[1]", f"{site.url}/menu.mp3"),
        ("Options[12]", second),
        Message="Press a key.",
    )
    wrong = "I'm sorry, that wasn't a valid option."
    call = await called(twimlets, there, silence(), press("77"), press("12"), from_="+14155550405")
    assert heard(call) == ["Press a key.", "Press a key.", wrong, "Press a key.", "You pressed twelve."]
    await called(twimlets, there, press("1#"), from_="+14155550406")
    assert ("GET", "/menu.mp3") in site.asked
    delivery = await twimlets.ended(call.sid, "completed")
    assert [told["outcome"] for told in details(delivery, "outcome")] == ["no-input", "wrong-input", "input"]


async def test_menu_does_not_ask_for_ever(twimlets: Stage) -> None:
    there = url(twimlets, "menu", ("Options[1]", "https://example.com"), Message="Press a key.")
    call = await called(twimlets, there, *[silence()] * 20, from_="+14155550407")
    assert heard(call) == ["Press a key."] * 10 + ["Good bye."]


async def test_forward_connects_with_the_number(twimlets: Stage) -> None:
    twimlets.twilio.people.put("+14155550410", Person(acts=(say("Hello"), wait(5), hang_up())))
    there = url(twimlets, "forward", PhoneNumber="415-555-0410", CallerId=APP, FailUrl="http://127.0.0.1:1/")
    call = await called(twimlets, there, say("Hi"), from_="+14155550411")
    [callee] = calls_to(twimlets, "+14155550410")
    assert (heard(call, "bridged", "heard"), heard(callee, "heard")) == (["+14155550410", "Hello"], ["Hi"])
    assert callee.from_ == APP


async def test_forward_goes_to_the_fail_url_of_whom_nobody_answers(twimlets: Stage, site: Site) -> None:
    twimlets.twilio.people.put("+14155550412", Person(answers="busy"))
    there = url(twimlets, "forward", PhoneNumber="4155550412", FailUrl=f"{site.url}/please-try-later.mp3")
    call = await called(twimlets, there, from_="+14155550413")
    assert site.asked.count(("GET", "/please-try-later.mp3")) == 1
    assert details(await twimlets.ended(call.sid, "completed"), "dial") == [{"dial": "busy"}]


async def test_forward_is_for_the_callers_that_it_names(twimlets: Stage) -> None:
    there = url(twimlets, "forward", ("AllowedCallers[0]", "415-555-0414"), PhoneNumber="4155550415")
    call = await called(twimlets, there, from_="+14155550416")
    assert heard(call) == ["Sorry, you are calling from a restricted number. Good bye."]
    await called(twimlets, there, hang_up(), from_="+14155550414")
    assert [each.parent_sid == call.sid for each in calls_to(twimlets, "+14155550415")] == [False]


async def test_a_country_that_is_not_allowed_is_not_dialled(twimlets: Stage) -> None:
    call = await called(twimlets, url(twimlets, "forward", PhoneNumber="+442079460018"), from_="+14155550417")
    assert heard(call) == ["We are sorry. Nobody can be reached here at the moment. Please call again later."]
    assert calls_to(twimlets, "+442079460018") == []


async def test_simulring_rings_all_and_who_answers_first_has_the_call(twimlets: Stage) -> None:
    twimlets.twilio.people.put("+14155550420", Person(answers="no-answer"))
    twimlets.twilio.people.put("+14155550421", Person(after=1, acts=(press("5"), say("Here"), wait(5), hang_up())))
    numbers = [("PhoneNumbers[0]", "415-555-0420"), ("PhoneNumbers[1]", "415-555-0421")]
    call = await called(twimlets, url(twimlets, "simulring", *numbers, Message="Sales."), from_="+14155550422")
    [callee] = calls_to(twimlets, "+14155550421")
    assert (heard(callee)[0], heard(call, "bridged", "heard")) == ("Sales.", ["+14155550421", "Here"])
    assert len(calls_to(twimlets, "+14155550420")) == 1


async def test_findme_goes_on_until_a_person_presses_a_key(twimlets: Stage) -> None:
    twimlets.twilio.people.put("+14155550430", Person(answers="busy"))
    twimlets.twilio.people.put("+14155550431", Person(answered_by="machine_start"))
    twimlets.twilio.people.put("+14155550432", Person(acts=(press("5"), say("Found"), wait(5), hang_up())))
    numbers = [("PhoneNumbers[]", f"+1415555043{number}") for number in range(3)]
    call = await called(twimlets, url(twimlets, "findme", *numbers), from_="+14155550433")
    [machine], [person] = calls_to(twimlets, "+14155550431"), calls_to(twimlets, "+14155550432")
    words = SPELLED.format(", ".join("+14155550433"))
    assert (heard(machine), heard(person)) == ([words], [words])
    assert heard(call, "bridged", "heard") == ["+14155550432", "Found"]
    delivery = await shown(twimlets, call.sid, lambda it: len(details(it, "dial")) == 3)
    assert details(delivery, "dial") == [{"dial": "busy"}, {"dial": "no-answer"}, {"dial": "completed"}]


async def test_callme_leads_to_voicemail_where_nobody_answers(twimlets: Stage) -> None:
    twimlets.twilio.people.put("+14155550440", Person(answers="no-answer"))
    fail = url(twimlets, "voicemail", Email="ann@example.com", Message="Leave a message.", Transcribe="false")
    there = url(twimlets, "callme", PhoneNumber="415-555-0440", Timeout="5", FailUrl=fail)
    call = await called(twimlets, there, say("It is me"), press("#"), from_="+14155550441")
    assert heard(call) == ["Leave a message.", "Thanks. Good bye."]
    delivery = await shown(twimlets, call.sid, lambda it: it["recording_url"])
    assert details(delivery, "dial", "email") == [{"dial": "no-answer"}, {"email": "ann@example.com"}]
    assert of_kind(delivery, "transcription") == []


async def test_voicemail_is_on_record_and_in_the_feed(twimlets: Stage, azurite: str) -> None:
    there = url(twimlets, "voicemail", Email="bob@example.com", Voice="Polly.Amy", Language="en-GB")
    call = await called(twimlets, there, say("Please call me back"), press("#"), from_="+14155550442")
    assert heard(call) == ["Please leave a message after the beep.", "Thanks. Good bye."]
    assert {entry.voice for entry in call.transcript if entry.kind == "said"} == {"Polly.Amy"}
    delivery = await shown(twimlets, call.sid, lambda it: it["recording_url"] and of_kind(it, "transcription"))
    [recording] = [each for each in twimlets.twilio.recordings if each.call_sid == call.sid]
    assert recording.sid in delivery["recording_url"]
    assert of_kind(delivery, "transcription")[0]["TranscriptionText"] == "Please call me back"
    told: list[Any] = []

    async def feed() -> bool:
        async with QueueClient.from_connection_string(azurite, twimlets.settings["EVENTS_QUEUE"]) as events:
            told.extend([json.loads(base64.b64decode(each.content)) async for each in events.receive_messages()])
        kinds = {document["kind"] for document in told if document["id"] == call.sid}
        return kinds >= {"flow", "recording", "transcription"}

    await eventually(feed)
    [left] = [each["detail"] for each in told if each["id"] == call.sid and each["kind"] == "flow"]
    assert (left["email"], left["recording_url"]) == ("bob@example.com", delivery["recording_url"])


async def test_whisper_is_the_url_of_a_number(twimlets: Stage) -> None:
    twimlets.twilio.people.put("+14155550450", Person(answered_by="machine_start"))
    twimlets.twilio.people.put("+14155550451", Person(acts=(press("1"), say("Hello"), wait(5), hang_up())))
    whisper = url(twimlets, "whisper", Message="A call.", HumanCheck="1").replace("&", "&amp;")
    numbers = ("+14155550450", "+14155550451")
    dials = "".join(f'<Dial><Number url="{whisper}">{number}</Number></Dial>' for number in numbers)
    twimlets.twilio.people.put("+14155550452", Person(acts=(wait(5),)))
    delivery_id = new_id()
    request = {"id": delivery_id, "channel": "call", "to": "+14155550452", "twiml": f"<Response>{dials}</Response>"}
    await twimlets.enqueue(request)
    delivery = await twimlets.ended(delivery_id, "completed")
    [call] = calls_to(twimlets, "+14155550452")
    all_is_well(twimlets.twilio, call)
    [machine], [person] = (calls_to(twimlets, number) for number in numbers)
    assert (heard(machine), heard(person)) == (["A call."], ["A call."])
    assert heard(call, "bridged") == ["+14155550451"]
    assert delivery["status"] == "completed"


async def test_conference_waits_for_its_moderator(twimlets: Stage, site: Site) -> None:
    there = url(
        twimlets,
        "conference",
        ("Moderators[0]", "415-555-0461"),
        Name="stand-up",
        Password="12345",
        Message="Welcome.",
        Music=f"{site.url}/wait.mp3",
    )
    guest = twimlets.twilio.call(press("11111"), press("12345"), from_="+14155550460", to=APP, url=there)
    other = twimlets.twilio.call(press("12345"), from_="+14155550463", to=APP, url=there)
    for waiting in (guest, other):
        await twimlets.twilio.heard(waiting, "stand-up")
    [room] = twimlets.twilio.conferences
    assert (room.started, len(room.participants)) == (False, 2)
    host = twimlets.twilio.call(
        press("12345"), say("Good morning"), wait(5), hang_up(), from_="+14155550461", to=APP, url=there
    )
    hosts = await over(twimlets, host)
    code = "Please enter your conference pass code."
    assert heard(hosts)[:2] == [code, "Welcome."]
    guests = await over(twimlets, guest)
    assert heard(guests, "said", "heard") == [code, code, "Welcome.", "Good morning"]
    await over(twimlets, other)
    assert ("GET", "/wait.mp3") in site.asked


async def test_who_does_not_know_the_pass_code_stays_outside(twimlets: Stage) -> None:
    there = url(twimlets, "conference", Password="12345")
    call = await called(twimlets, there, *[press("99999")] * 5, from_="+14155550462")
    assert (heard(call)[-1], heard(call, "joined")) == ("Good bye.", [])


async def test_a_request_may_call_with_the_url_of_a_twimlet(twimlets: Stage) -> None:
    delivery_id = new_id()
    there = url(twimlets, "voicemail", Message="Tell us.", Email="carl@example.com")
    twimlets.twilio.people.put("+14155550470", Person(acts=(say("All is well"), press("#"))))
    await twimlets.enqueue({"id": delivery_id, "channel": "call", "to": "+14155550470", "url": there})
    delivery = await shown(twimlets, delivery_id, lambda it: it["recording_url"] and details(it, "email"))
    [call] = calls_to(twimlets, "+14155550470")
    all_is_well(twimlets.twilio, call)
    assert details(delivery, "email") == [{"email": "carl@example.com"}]
    assert await twimlets.get(call.sid) is None


async def test_a_twimlet_that_is_not_there_is_told_kindly(twimlets: Stage) -> None:
    call = await called(twimlets, url(twimlets, "echo", Twiml="<Response/>"), from_="+14155550471")
    assert heard(call) == ["We are sorry. This number is not set up as it should be. Please call again later."]
    assert webhooks(twimlets, call.sid)[0].status == 200
