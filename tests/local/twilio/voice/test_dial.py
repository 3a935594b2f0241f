import pytest
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.calls import Call
from local.twilio.people import Act, Person, hang_up, press, say, wait
from tests.local.twilio.receiver import Receiver
from tests.local.twilio.voice.calling import APP, CALLER, OTHER, THIRD, answers, called, codes, heard

BYE = "<Say>Bye</Say>"


def calls_to(simulator: Simulator, to: str) -> list[Call]:
    return [call for call in simulator.calls if call.to == to]


async def test_who_answers_is_talked_to_and_the_action_is_told(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.people.put(OTHER, Person(acts=(say("Hello"), wait(27), hang_up())))
    call = await called(simulator, receiver, say("Hi"), start=f"<Dial action='done'>{OTHER}</Dial>", done=BYE)
    (form,) = receiver.forms("/done")
    (child,) = await client.calls.list_async(parent_call_sid=call.sid)

    assert (form["DialCallStatus"], form["DialCallSid"], form["DialBridged"]) == ("completed", child.sid, "true")
    assert (form["DialCallDuration"], form["CallStatus"]) == ("33", "in-progress")
    assert (child.direction, child.parent_call_sid, child.status) == ("outbound-dial", call.sid, "completed")
    assert (child._from, child.to) == (CALLER, OTHER)
    assert (heard(call, "heard"), heard(calls_to(simulator, OTHER)[0], "heard")) == (["Hello"], ["Hi"])
    assert heard(call, "said") == ["Bye"]


@pytest.mark.parametrize(
    ("person", "status"),
    [
        (Person(answers="busy"), "busy"),
        (Person(answers="declined"), "busy"),
        (Person(answers="no-answer"), "no-answer"),
        (Person(answers=False), "no-answer"),
        (Person(answers="failed"), "failed"),
        (Person(after=31), "no-answer"),
        (Person(after=29), "completed"),
    ],
)
async def test_who_does_not_answer_is_told_to_the_action(
    simulator: Simulator, receiver: Receiver, *, person: Person, status: str
) -> None:
    simulator.people.put(OTHER, person)
    await called(simulator, receiver, start=f"<Dial action='done'>{OTHER}</Dial>", done=BYE)
    (form,), (child,) = receiver.forms("/done"), calls_to(simulator, OTHER)

    assert (form["DialCallStatus"], form["DialCallSid"], child.status) == (status, child.sid, status)
    assert form["DialBridged"] == str(status == "completed").lower()
    assert ("DialCallDuration" in form) == (status == "completed")


@pytest.mark.parametrize(("number", "status"), [("+15005550101", "busy"), ("+15005550102", "no-answer")])
async def test_the_special_numbers_do_what_they_do(
    simulator: Simulator, receiver: Receiver, *, number: str, status: str
) -> None:
    await called(simulator, receiver, start=f"<Dial action='done'>{number}</Dial>", done=BYE)

    assert [form["DialCallStatus"] for form in receiver.forms("/done")] == [status]


async def test_without_an_action_the_next_verb_comes(simulator: Simulator, receiver: Receiver) -> None:
    dials = f"<Dial>{OTHER}</Dial><Dial>{THIRD}</Dial>{BYE}"
    simulator.people.put(OTHER, Person(answers="busy"))
    call = await called(simulator, receiver, start=dials)

    assert heard(call) == [OTHER, THIRD, THIRD, "Bye"]


@pytest.mark.parametrize("number", ["(415) 555-0123", "415-555-0123", "+1 415 555 0123", "14155550123"])
async def test_north_american_numbers_are_called_as_they_are_written(
    simulator: Simulator, receiver: Receiver, number: str
) -> None:
    await called(simulator, receiver, start=f"<Dial><Number>{number}</Number></Dial>")

    assert [call.to for call in simulator.calls] == [APP, OTHER]


@pytest.mark.parametrize(
    ("dial", "code"),
    [
        ("<Dial action='done'>nobody</Dial>", 13223),
        ("<Dial action='done'>+15005550001</Dial>", 13224),
        ("<Dial action='done'><Sip>bob</Sip></Dial>", 13243),
        (f"<Dial action='done' callerId='me'>{OTHER}</Dial>", 13214),
    ],
)
async def test_who_cannot_be_called_fails(simulator: Simulator, receiver: Receiver, *, dial: str, code: int) -> None:
    call = await called(simulator, receiver, start=dial, done=BYE)
    (form,) = receiver.forms("/done")

    assert (form["DialCallStatus"], "DialCallSid" in form, codes(call)) == ("failed", False, [code])
    assert len(simulator.calls) == 1


@pytest.mark.parametrize(("attributes", "noted"), [("", [13214]), (f"callerId='{APP}'", [])])
async def test_a_browser_that_calls_a_number_needs_a_caller_id(
    simulator: Simulator, receiver: Receiver, *, attributes: str, noted: list[int]
) -> None:
    url = answers(receiver, start=f"<Dial {attributes}>{OTHER}</Dial>")
    sid = simulator.call(from_="client:jo", to=APP, url=url)
    await simulator.settled()

    assert codes(simulator.call_of(sid)) == noted
    assert [call.from_ for call in calls_to(simulator, OTHER)] == ([] if noted else [APP])


@pytest.mark.parametrize(
    ("noun", "to"),
    [
        ("<Client>jo</Client>", "client:jo"),
        ("<Client><Identity>jo</Identity><Parameter name='a' value='b'/></Client>", "client:jo"),
        ("<Sip>sip:jo@example.com</Sip>", "sip:jo@example.com"),
    ],
)
async def test_clients_and_sip_are_called(simulator: Simulator, receiver: Receiver, *, noun: str, to: str) -> None:
    call = await called(simulator, receiver, start=f"<Dial>{noun}</Dial>")

    assert [other.to for other in simulator.calls] == [APP, to]
    assert codes(call) == []


async def test_of_several_the_first_to_answer_wins_and_the_others_are_hung_up(
    simulator: Simulator, receiver: Receiver
) -> None:
    simulator.people.put(OTHER, Person(after=12))
    simulator.people.put(THIRD, Person(after=4))
    numbers = f"<Number>+15005550101</Number><Number>{OTHER}</Number><Number>{THIRD}</Number>"
    await called(simulator, receiver, start=f"<Dial action='done'>{numbers}</Dial>", done=BYE)
    (form,), (winner,) = receiver.forms("/done"), calls_to(simulator, THIRD)

    assert form["DialCallSid"] == winner.sid
    assert [call.status for call in simulator.calls] == ["completed", "busy", "canceled", "completed"]


async def test_sequential_numbers_are_called_one_after_the_other(simulator: Simulator, receiver: Receiver) -> None:
    simulator.people.put(OTHER, Person(after=12))
    numbers = f"<Number>+15005550101</Number><Number>{OTHER}</Number><Number>{THIRD}</Number>"
    await called(simulator, receiver, start=f"<Dial sequential='true'>{numbers}</Dial>")

    assert [call.to for call in simulator.calls] == [APP, "+15005550101", OTHER]


@pytest.mark.parametrize(
    ("acts", "status", "child_status"),
    [
        ((press("1"),), "completed", "completed"),
        ((), "no-answer", "completed"),
        ((hang_up(),), "no-answer", "completed"),
    ],
)
async def test_a_whisper_is_heard_by_the_callee_alone_who_can_decline(
    simulator: Simulator, receiver: Receiver, *, acts: tuple[Act, ...], status: str, child_status: str
) -> None:
    simulator.people.put(OTHER, Person(acts=acts))
    call = await called(
        simulator,
        receiver,
        start=f"<Dial action='done'><Number url='whisper'>{OTHER}</Number></Dial>",
        done=BYE,
        whisper="<Gather numDigits='1' action='yes'><Say>Press 1</Say></Gather><Hangup/>",
        yes="<Say>Here you are</Say>",
    )
    (form,), (child,), (asked,) = receiver.forms("/done"), calls_to(simulator, OTHER), receiver.forms("/whisper")

    assert (form["DialCallStatus"], child.status) == (status, child_status)
    assert heard(child, "said") == (["Press 1", "Here you are"] if status == "completed" else ["Press 1"])
    assert heard(call, "said") == ["Bye"]
    assert (asked["CallSid"], asked["ParentCallSid"], asked["Direction"]) == (child.sid, call.sid, "outbound-dial")


async def test_of_several_who_hear_a_whisper_the_first_to_accept_wins(simulator: Simulator, receiver: Receiver) -> None:
    simulator.people.put(OTHER, Person(after=1))
    simulator.people.put(THIRD, Person(after=2, acts=(press("1"),)))
    numbers = f"<Number url='whisper'>{OTHER}</Number><Number url='whisper'>{THIRD}</Number>"
    await called(
        simulator,
        receiver,
        start=f"<Dial action='done'>{numbers}</Dial>",
        done=BYE,
        whisper="<Gather numDigits='1' action='yes'/><Hangup/>",
        yes="",
    )

    assert receiver.forms("/done")[0]["DialCallSid"] == calls_to(simulator, THIRD)[0].sid


async def test_a_whisper_cannot_dial(simulator: Simulator, receiver: Receiver) -> None:
    noun = f"<Number url='whisper'>{OTHER}</Number>"
    await called(simulator, receiver, start=f"<Dial>{noun}</Dial>", whisper=f"<Dial>{THIRD}</Dial>")

    assert codes(calls_to(simulator, OTHER)[0]) == [13201]


async def test_a_whisper_that_cannot_be_had_hangs_up(simulator: Simulator, receiver: Receiver) -> None:
    noun = f"<Number url='nothing'>{OTHER}</Number>"
    await called(simulator, receiver, start=f"<Dial action='done'>{noun}</Dial>", done=BYE, nothing="<Say>")

    assert codes(calls_to(simulator, OTHER)[0]) == [12100]
    assert receiver.forms("/done")[0]["DialBridged"] == "false"


async def test_the_time_limit_ends_the_conversation_alone(simulator: Simulator, receiver: Receiver) -> None:
    simulator.people.put(OTHER, Person(acts=(wait(600), hang_up())))
    start = f"<Dial action='done' timeLimit='60'>{OTHER}</Dial>"
    call = await called(simulator, receiver, start=start, done=BYE)

    assert receiver.forms("/done")[0]["DialCallDuration"] == "60"
    assert (heard(call, "said"), calls_to(simulator, OTHER)[0].status) == (["Bye"], "completed")


@pytest.mark.parametrize(("star", "seconds"), [("true", "5"), ("false", "15")])
async def test_the_star_hangs_up_where_it_may(
    simulator: Simulator, receiver: Receiver, *, star: str, seconds: str
) -> None:
    start = f"<Dial action='done' hangupOnStar='{star}'>{OTHER}</Dial>"
    call = await called(simulator, receiver, wait(5), press("*"), start=start, done=BYE)
    (form,) = receiver.forms("/done")

    assert (form["DialCallStatus"], form["DialCallDuration"]) == ("completed", seconds)
    assert heard(call, "said") == ["Bye"]


async def test_a_caller_who_hangs_up_ends_both_and_the_action_is_told(simulator: Simulator, receiver: Receiver) -> None:
    start = f"<Dial action='done'>{OTHER}</Dial>"
    call = await called(simulator, receiver, wait(7), hang_up(), start=start, done=BYE)
    (form,), (child,) = receiver.forms("/done"), calls_to(simulator, OTHER)

    assert (form["DialCallStatus"], form["DialCallDuration"], form["CallStatus"]) == ("completed", "7", "completed")
    assert (call.status, child.status, heard(call, "said")) == ("completed", "completed", [])


async def test_keys_that_nobody_hears_in_a_conversation_wait_for_a_later_gather(
    simulator: Simulator, receiver: Receiver
) -> None:
    start = f"<Dial>{OTHER}</Dial><Gather action='rated' numDigits='1'><Say>How was it?</Say></Gather>"
    await called(simulator, receiver, say("Hi"), press("5"), start=start, rated=BYE)

    assert receiver.forms("/rated")[0]["Digits"] == "5"


@pytest.mark.parametrize(
    ("record", "channels"), [("record-from-answer", 1), ("record-from-ringing-dual", 2), ("true", 1)]
)
async def test_a_conversation_is_recorded(
    simulator: Simulator, receiver: Receiver, *, record: str, channels: int
) -> None:
    attributes = f"record='{record}' recordingStatusCallback='tape'"
    start = f"<Dial action='done' {attributes}>{OTHER}</Dial>"
    call = await called(simulator, receiver, start=start, done=BYE)
    (recording,), (form,), (told,) = simulator.recordings, receiver.forms("/done"), receiver.forms("/tape")

    assert form["RecordingUrl"].endswith(recording.sid)
    assert (recording.call_sid, recording.source, recording.channels) == (call.sid, "DialVerb", channels)
    assert (told["RecordingSid"], told["RecordingSource"]) == (recording.sid, "DialVerb")


async def test_a_number_tells_of_its_call(simulator: Simulator, receiver: Receiver) -> None:
    noun = (
        "<Number statusCallback='status' statusCallbackEvent='initiated ringing answered completed'"
        f" sendDigits='ww12'>{OTHER}</Number>"
    )
    call = await called(simulator, receiver, start=f"<Dial>{noun}</Dial>")
    forms = receiver.forms("/status")

    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert [form["SequenceNumber"] for form in forms] == ["0", "1", "2", "3"]
    assert {form["ParentCallSid"] for form in forms} == {call.sid}
    assert {form["Direction"] for form in forms} == {"outbound-dial"}
    assert heard(calls_to(simulator, OTHER)[0], "played") == ["ww12"]


@pytest.mark.parametrize(
    ("person", "status", "history"),
    [
        (Person(), "completed", ["ringing", "in-progress", "completed"]),
        (Person(answers="busy"), "no-answer", ["ringing", "no-answer"]),
    ],
)
async def test_a_call_can_ring_until_the_other_answers(
    simulator: Simulator, receiver: Receiver, *, person: Person, status: str, history: list[str]
) -> None:
    simulator.people.put(OTHER, person)
    start = f"<Dial answerOnBridge='true'>{OTHER}</Dial><Reject/>"
    call = await called(simulator, receiver, start=start)

    assert (call.status, [status for status, _ in call.history]) == (status, history)


async def test_either_of_both_can_be_sent_elsewhere_and_the_other_goes_on(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    simulator.people.put(OTHER, Person(live=True))
    for moved in (0, 1):
        url = answers(receiver, start=f"<Dial action='done'>{OTHER}</Dial>", done=BYE)
        sid = simulator.call(from_=CALLER, to=APP, url=url)
        await simulator.until(lambda sid=sid: heard(simulator.call_of(sid), "bridged"))  # type: ignore[misc]
        both = simulator.calls[-2:]
        await client.calls(both[moved].sid).update_async(twiml="<Response><Say>Elsewhere</Say></Response>")
        await simulator.settled()
        parent, child = simulator.calls[-2:]
        assert heard((parent, child)[moved], "said") == ["Elsewhere"]
        assert (parent.status, child.status) == ("completed", "completed")
        assert heard(parent, "said") == (["Elsewhere"] if moved == 0 else ["Bye"])


async def test_machines_are_detected_at_numbers_too(simulator: Simulator, receiver: Receiver) -> None:
    simulator.people.put(OTHER, Person(answered_by="machine_start"))
    noun = f"<Number machineDetection='Enable' amdStatusCallback='amd'>{OTHER}</Number>"
    await called(simulator, receiver, start=f"<Dial>{noun}</Dial>")
    (form,), (child,) = receiver.forms("/amd"), calls_to(simulator, OTHER)

    assert (form["AnsweredBy"], form["CallSid"]) == ("machine_start", child.sid)
