"""Whom a step dials, and where the call goes then; a caller says whom with two keys."""

from typing import Any

import pytest

from local.twilio.people import Person, hang_up, press, say, wait
from tests.end_to_end.flows.calling import all_is_well, called, calls_to, details, heard, over, shown
from tests.end_to_end.stage import Stage, new_id

DIALLING, PLAIN, APP = "+14155550203", "+14155550205", "+15005550006"
TALKED, BUSY = "You have talked.", "They are busy."
AWAY, FAILED = "They do not answer.", "They can not be reached."


async def test_a_number_is_dialled_whispered_to_talked_to_and_recorded(flowing: Stage) -> None:
    flowing.twilio.people.put("+14155550301", Person(acts=(say("Sales, hello"), wait(20), hang_up())))
    call = await called(flowing, press("10"), say("Hi"), from_="+14155550111", to=DIALLING)
    delivery = await shown(flowing, call.sid, lambda it: it["recording_url"])
    [callee] = calls_to(flowing, "+14155550301")

    assert (heard(call), heard(call, "heard")) == (["Whom?", TALKED], ["Sales, hello"])
    assert (heard(callee), heard(callee, "heard")) == (["A call from +, 1, 4, 1, 5, 5, 5, 5, 0, 1, 1, 1."], ["Hi"])
    assert callee.from_ == APP
    [recording] = [each for each in flowing.twilio.recordings if each.call_sid == call.sid]
    assert (delivery["recording_seconds"], delivery["recording_url"][-34:]) == (recording.seconds, recording.sid)
    [told_of] = details(delivery, "dial", "dial_sid", "target")
    assert told_of == {"dial": "completed", "dial_sid": callee.sid, "target": 0}


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (Person(answers="busy"), BUSY),
        (Person(answers="no-answer"), AWAY),
        (Person(after=21), AWAY),
        (Person(answers="failed"), FAILED),
    ],
)
async def test_a_number_that_is_not_reached_goes_the_way_of_its_outcome(
    flowing: Stage, *, person: Person, words: str
) -> None:
    flowing.twilio.people.put("+14155550301", person)
    call = await called(flowing, press("10"), from_="+14155550112", to=DIALLING)

    assert heard(call) == ["Whom?", words]


async def test_a_conversation_ends_with_the_time_limit_of_the_step(flowing: Stage) -> None:
    flowing.twilio.people.put("+14155550301", Person(acts=(wait(600), hang_up())))
    call = await called(flowing, press("10"), from_="+14155550113", to=DIALLING)
    delivery = await flowing.ended(call.sid, "completed")

    assert heard(call)[-1] == TALKED
    assert 60 <= int(details(delivery, "seconds")[0]["seconds"]) <= 75


async def test_of_several_in_turn_the_next_one_is_dialled_where_the_one_before_does_not_answer(flowing: Stage) -> None:
    call = await called(flowing, press("11"), from_="+14155550114", to=DIALLING)
    delivery = await flowing.ended(call.sid, "completed")

    assert heard(call, "dialed", "bridged") == ["+15005550101", "+14155550302", "+14155550302"]
    assert heard(call)[-1] == TALKED
    assert details(delivery, "dial", "target") == [{"dial": "busy", "target": 0}, {"dial": "completed", "target": 1}]


async def test_of_several_at_once_the_first_to_answer_has_the_call(flowing: Stage) -> None:
    flowing.twilio.people.put("+14155550303", Person(after=15))
    flowing.twilio.people.put("+14155550304", Person(after=2))
    call = await called(flowing, press("12"), from_="+14155550115", to=DIALLING)

    assert heard(call, "dialed", "bridged") == ["+14155550303", "+14155550304", "+14155550304"]
    assert heard(call)[-1] == TALKED
    assert [each.status for each in calls_to(flowing, "+14155550303")] == ["canceled"]


@pytest.mark.parametrize(("keys", "to"), [("13", "client:anna"), ("14", "sip:desk@example.com")])
async def test_a_client_and_a_sip_telephone_are_dialled(flowing: Stage, *, keys: str, to: str) -> None:
    flowing.twilio.people.put(to, Person())
    call = await called(flowing, press(keys), from_="+14155550116", to=DIALLING)

    assert (heard(call, "bridged"), heard(call)[-1]) == ([to], TALKED)


async def test_who_dials_a_queue_talks_to_who_waits_there(flowing: Stage) -> None:
    caller = flowing.twilio.call(say("At last"), from_="+14155550121", to=PLAIN)
    await flowing.twilio.heard(caller, "e2e-plain")
    agent = await called(flowing, press("15"), wait(20), from_="+14155550117", to=DIALLING)
    waited = await over(flowing, caller)

    assert (heard(agent, "bridged", "heard"), heard(agent)[-1]) == (["+14155550121", "At last"], TALKED)
    assert heard(waited) == ["https://s3.amazonaws.com/com.twilio.sounds.music/index.xml"]


async def test_who_dials_a_queue_where_nobody_waits_is_told_so(flowing: Stage) -> None:
    flowing.twilio.make_queue("e2e-plain")
    agent = await called(flowing, press("15"), from_="+14155550122", to=DIALLING)

    assert heard(agent)[-1] == AWAY


async def test_a_screened_call_is_taken_with_a_key_and_else_goes_to_the_next(flowing: Stage) -> None:
    flowing.twilio.people.put("+14155550306", Person(acts=(press("5"), say("It is me"), wait(5), hang_up())))
    call = await called(flowing, press("18"), from_="+14155550118", to=DIALLING)
    delivery = await flowing.ended(call.sid, "completed")
    [machine], [person] = calls_to(flowing, "+14155550305"), calls_to(flowing, "+14155550306")

    asked = "There is a call for you. To take it, press any key."
    assert (heard(machine), heard(person)) == ([asked], [asked])
    assert (heard(call, "bridged"), heard(call, "heard"), heard(call)[-1]) == (["+14155550306"], ["It is me"], TALKED)
    assert details(delivery, "dial") == [{"dial": "no-answer"}, {"dial": "completed"}]


async def test_a_guest_waits_for_the_host_of_a_conference_who_ends_it(flowing: Stage, site: str) -> None:
    guest = flowing.twilio.call(press("17"), from_="+14155550119", to=DIALLING)
    await flowing.twilio.heard(guest, "hold.mp3")
    host = flowing.twilio.call(press("16"), say("Welcome, all"), wait(5), hang_up(), from_="+14155550120", to=DIALLING)
    guests, hosts = await over(flowing, guest), await over(flowing, host)

    assert heard(guests)[1] == f"{site}/hold.mp3"
    assert (heard(guests, "joined", "heard"), heard(guests)[-1]) == (["room", "Welcome, all"], TALKED)
    assert heard(hosts, "joined") == ["room"]


@pytest.mark.parametrize(
    ("to", "target", "words"),
    [
        ("+14155550321", "+14155550311", TALKED),
        ("+14155550322", "client:otto", TALKED),
        ("+14155550323", "+436601234567", FAILED),
        ("+14155550324", "+1415555031", FAILED),
        ("+14155550325", "sip:<Hangup/>", FAILED),
        ("+14155550326", "", FAILED),
    ],
)
async def test_whom_a_request_has_dialled_must_be_one_that_may_be(
    flowing: Stage, *, to: str, target: str, words: str
) -> None:
    delivery_id = new_id()
    flowing.twilio.people.put(to, Person(acts=(press("19"),)))
    request: Any = {"id": delivery_id, "channel": "call", "to": to, "flow": "dialling", "data": {"target": target}}
    await flowing.enqueue(request)
    await flowing.ended(delivery_id, "completed")
    [call] = calls_to(flowing, to)

    all_is_well(flowing.twilio, call)
    assert heard(call)[-1] == words
    assert heard(call, "bridged") == ([target] if words == TALKED else [])
