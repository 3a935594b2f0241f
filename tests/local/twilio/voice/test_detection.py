import pytest
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.people import Person
from tests.local.twilio.conftest import ACCOUNT_SID
from tests.local.twilio.receiver import Receiver
from tests.local.twilio.voice.calling import APP, CALLER, answers, codes, heard


@pytest.mark.parametrize(
    ("mode", "person", "found"),
    [
        ("Enable", Person(), "human"),
        ("Enable", Person(answered_by="machine_start"), "machine_start"),
        ("Enable", Person(answered_by="machine_end_silence"), "machine_start"),
        ("Enable", Person(answered_by="fax"), "fax"),
        ("DetectMessageEnd", Person(), "human"),
        ("DetectMessageEnd", Person(answered_by="machine_start"), "machine_end_beep"),
        ("DetectMessageEnd", Person(answered_by="machine_end_silence"), "machine_end_silence"),
        ("DetectMessageEnd", Person(answered_by="unknown"), "unknown"),
    ],
)
async def test_the_first_request_says_who_answered(
    client: Client, simulator: Simulator, receiver: Receiver, *, mode: str, person: Person, found: str
) -> None:
    simulator.people.put("*", person)
    url = answers(receiver, start="<Say>Hi</Say>")
    await client.calls.create_async(
        to=CALLER, from_=APP, url=url, machine_detection=mode, status_callback=f"{receiver.url}/status"
    )
    await simulator.settled()

    assert receiver.forms("/start")[0]["AnsweredBy"] == found
    assert receiver.forms("/status")[0]["AnsweredBy"] == found


async def test_a_callback_says_it_where_the_call_does_not_wait(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.people.put(CALLER, Person(answered_by="machine_start"))
    created = await client.calls.create_async(
        to=CALLER,
        from_=APP,
        url=answers(receiver, start="<Say>Hi</Say>"),
        machine_detection="DetectMessageEnd",
        async_amd="true",
        async_amd_status_callback=f"{receiver.url}/amd",
    )
    await simulator.settled()
    (form,) = receiver.forms("/amd")

    assert "AnsweredBy" not in receiver.forms("/start")[0]
    assert form["MachineDetectionDuration"].isdecimal()
    assert {name: form[name] for name in ("CallSid", "AccountSid", "AnsweredBy")} == {
        "CallSid": created.sid,
        "AccountSid": ACCOUNT_SID,
        "AnsweredBy": "machine_end_beep",
    }
    assert (await client.calls(created.sid).fetch_async()).answered_by == "machine_end_beep"


async def test_detection_that_nobody_is_told_of_is_noted(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    url = answers(receiver, start="<Say>Hi</Say>")
    await client.calls.create_async(to=CALLER, from_=APP, url=url, machine_detection="Enable", async_amd="true")
    await simulator.settled()

    assert (codes(simulator.calls[0]), heard(simulator.calls[0])) == ([21262], ["Hi"])


@pytest.mark.parametrize(("after", "status"), [(9, "completed"), (11, "no-answer")])
async def test_a_call_rings_as_long_as_its_timeout_says(
    client: Client, simulator: Simulator, *, after: int, status: str
) -> None:
    simulator.people.put(CALLER, Person(after=after))
    await client.calls.create_async(to=CALLER, from_=APP, twiml="<Response/>", timeout=10)
    await simulator.settled()

    assert simulator.calls[0].status == status
