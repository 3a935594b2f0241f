import asyncio

import pytest
from twilio.rest import Client

from local.twilio import Simulator
from local.twilio.calls import Call
from local.twilio.people import Act, hang_up, press, say, wait
from tests.local.twilio.receiver import Receiver, Reply
from tests.local.twilio.voice.calling import APP, CALLER, OTHER, answers, called, codes, heard

WAITING = "<Enqueue action='left' waitUrl='music'>support</Enqueue><Say>Next</Say>"
MUSIC = "<Play>/music.mp3</Play>"
AGENT = "<Dial action='served'><Queue>support</Queue></Dial>"


async def waiting(simulator: Simulator, receiver: Receiver, *, size: int = 1, **documents: str) -> str:
    """Somebody calls who waits in the queue; returns the SID when they are in it."""
    sid = simulator.call(from_=CALLER, to=APP, url=answers(receiver, start=WAITING, left="<Say>Bye</Say>", **documents))
    await simulator.until(lambda: simulator.queues and len(simulator.queues[0].callers) == size)
    return sid


async def agent(simulator: Simulator, receiver: Receiver, *acts: Act, verbs: str = AGENT) -> Call:
    """Somebody calls who takes the next caller; returns when all has ended."""
    url = answers(receiver, agent=verbs, served="<Say>Done</Say>")
    sid = simulator.call(*acts, from_=OTHER, to=APP, url=url)
    async with asyncio.timeout(10):
        await simulator.settled()
    return simulator.call_of(sid)


async def test_a_caller_waits_until_an_agent_takes_them(simulator: Simulator, receiver: Receiver) -> None:
    sid = await waiting(simulator, receiver, music=MUSIC)
    (shown,) = simulator.queues
    served = await agent(simulator, receiver, say("How can I help?"), wait(20), hang_up())
    caller, (left,), (done,) = simulator.call_of(sid), receiver.forms("/left"), receiver.forms("/served")

    assert (shown.name, shown.callers) == ("support", (sid,))
    assert (left["QueueResult"], left["QueueSid"]) == ("bridged", shown.sid)
    assert int(left["QueueTime"]) >= 0
    assert (done["DialCallStatus"], done["DialCallSid"], done["QueueSid"]) == ("completed", sid, shown.sid)
    assert (heard(caller, "heard"), heard(caller, "said")) == (["How can I help?"], ["Bye"])
    assert (heard(served, "bridged"), served.status) == ([CALLER], "completed")
    assert simulator.queues[0].callers == ()


async def test_an_agent_who_comes_first_waits_for_a_caller(simulator: Simulator, receiver: Receiver) -> None:
    simulator.make_queue("support")
    url = answers(receiver, agent=AGENT, served="<Say>Done</Say>")
    first = simulator.call(from_=OTHER, to=APP, url=url, live=True)
    await simulator.until(lambda: simulator.call_of(first).status == "in-progress")
    sid = simulator.call(from_=CALLER, to=APP, url=answers(receiver, start=WAITING, left="", music=MUSIC))
    await simulator.until(lambda: heard(simulator.call_of(first), "bridged"))
    simulator.act(first, hang_up())
    await simulator.settled()

    assert receiver.forms("/left")[0]["QueueResult"] == "bridged"
    assert simulator.call_of(sid).status == "completed"


@pytest.mark.parametrize(("made", "status"), [(True, "no-answer"), (False, "failed")])
async def test_an_agent_whom_nobody_waits_for_is_told(
    simulator: Simulator, receiver: Receiver, *, made: bool, status: str
) -> None:
    if made:
        simulator.make_queue("support")
    served = await agent(simulator, receiver)

    assert receiver.forms("/served")[0]["DialCallStatus"] == status
    assert heard(served, "said") == ["Done"]


async def test_the_music_is_asked_for_again_and_again_with_the_place_in_the_queue(
    simulator: Simulator, receiver: Receiver
) -> None:
    first = await waiting(simulator, receiver, music=MUSIC)
    url = answers(receiver, start=WAITING)
    second = simulator.call(wait(30), hang_up(), from_=OTHER, to=APP, url=url)
    await simulator.ended(second)
    simulator.act(first, hang_up())
    await simulator.settled()
    forms = [form for form in receiver.forms("/music") if form["CallSid"] == second]

    assert len(forms) == 7
    assert [form["QueueTime"] for form in forms] == ["0", "5", "10", "15", "20", "25", "30"]
    assert {form["QueuePosition"] for form in forms} == {"2"}
    assert {form["CurrentQueueSize"] for form in forms} == {"2"}
    assert all(form["AvgQueueTime"].isdecimal() for form in forms)
    assert forms[0]["QueueSid"] == simulator.queues[0].sid


async def test_who_hangs_up_while_waiting_is_told(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, hang_up(), start=WAITING, music=MUSIC, left="<Say>Bye</Say>")
    (form,) = receiver.forms("/left")

    assert (form["QueueResult"], form["CallStatus"]) == ("hangup", "completed")
    assert heard(call, "said") == []


async def test_who_hangs_up_after_a_time_is_told_too(simulator: Simulator, receiver: Receiver) -> None:
    url = answers(receiver, start=WAITING, music=MUSIC, left="")
    sid = simulator.call(from_=CALLER, to=APP, url=url, hangs_up_after=23)
    await simulator.settled()
    (form,) = receiver.forms("/left")

    assert (form["QueueResult"], form["QueueTime"]) == ("hangup", "23")
    assert simulator.call_of(sid).duration == 23


async def test_a_key_can_leave_the_queue(simulator: Simulator, receiver: Receiver) -> None:
    music = "<Gather numDigits='1' action='key'><Say>Press 1 to leave</Say></Gather>"
    call = await called(
        simulator,
        receiver,
        press("1"),
        start=WAITING.replace(" action='left'", ""),
        music=music,
        key="<Say>All right</Say><Leave/>",
    )

    assert heard(call, "said") == ["Press 1 to leave", "All right", "Next"]


async def test_who_leaves_is_told_to_the_action(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, start=WAITING, music="<Leave/>", left="<Say>Bye</Say>")
    (form,) = receiver.forms("/left")

    assert (form["QueueResult"], heard(call, "said")) == ("leave", ["Bye"])


async def test_a_full_queue_lets_nobody_in(simulator: Simulator, receiver: Receiver) -> None:
    simulator.make_queue("support", max_size=1)
    first = await waiting(simulator, receiver, music=MUSIC)
    second = simulator.call(from_=OTHER, to=APP, url=f"{receiver.url}/start")
    await simulator.ended(second)
    simulator.act(first, hang_up())
    await simulator.settled()
    full, gone = receiver.forms("/left")

    assert (full["QueueResult"], full["CallSid"], "QueueSid" in full) == ("queue-full", second, False)
    assert gone["QueueResult"] == "hangup"


async def test_callers_are_taken_in_the_order_in_which_they_came(simulator: Simulator, receiver: Receiver) -> None:
    first = await waiting(simulator, receiver, music=MUSIC)
    second = await waiting(simulator, receiver, music=MUSIC, size=2)
    url = answers(receiver, agent=AGENT, served="")
    await simulator.ended(simulator.call(from_=OTHER, to=APP, url=url))
    await agent(simulator, receiver)

    assert [form["DialCallSid"] for form in receiver.forms("/served")] == [first, second]


async def test_a_waiting_caller_hears_the_url_before_they_are_connected(
    simulator: Simulator, receiver: Receiver
) -> None:
    sid = await waiting(simulator, receiver, music=MUSIC, soon="<Say>Just a moment</Say>")
    verbs = "<Dial action='served'><Queue url='soon'>support</Queue></Dial>"
    served = await agent(simulator, receiver, verbs=verbs)
    (form,) = receiver.forms("/soon")

    assert (form["CallSid"], form["DequeingCallSid"]) == (sid, served.sid)
    assert form["QueueSid"] == simulator.queues[0].sid
    assert heard(simulator.call_of(sid), "said") == ["Just a moment"]


async def test_a_caller_who_is_sent_elsewhere_leaves_the_queue(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    sid = await waiting(simulator, receiver, music=MUSIC)
    await client.calls(sid).update_async(twiml="<Response><Say>Elsewhere</Say></Response>")
    await simulator.settled()

    assert [form["QueueResult"] for form in receiver.forms("/left")] == ["redirected"]
    assert heard(simulator.call_of(sid), "said") == ["Elsewhere"]


async def test_music_that_cannot_be_had_is_an_error(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, start=WAITING, music="<Say>", left="<Say>Bye</Say>")

    assert (receiver.forms("/left")[0]["QueueResult"], codes(call)) == ("error", [12100])
    assert heard(call, "said") == ["Bye"]


async def test_verbs_that_no_waiting_caller_can_hear_are_noted(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, hang_up(), start=WAITING, music="<Dial>+1</Dial><Record/>", left="")

    assert codes(call)[:2] == [12200, 12200]


async def test_twilios_own_music_is_not_fetched(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, wait(60), hang_up(), start="<Enqueue>support</Enqueue>")

    assert (len(heard(call, "played")), call.duration) == (1, 60)


async def test_a_flood_of_requests_does_not_come_of_waiting(simulator: Simulator, receiver: Receiver) -> None:
    sid = await waiting(simulator, receiver, music="<Say>Wait</Say>")
    url = answers(receiver, other="<Redirect>/again</Redirect>", again="<Hangup/>")
    for _ in range(20):
        await simulator.ended(simulator.call(from_=OTHER, to=APP, url=url))
    simulator.act(sid, hang_up())
    await simulator.settled()

    assert 1 <= len(receiver.at("/music")) < 20


async def test_what_comes_after_a_queue_is_relative_to_its_own_document(
    simulator: Simulator, receiver: Receiver
) -> None:
    verbs = "<Enqueue waitUrl='deep/music'>support</Enqueue><Play>bye.mp3</Play>"
    receiver.answers("/deep/music", Reply(text="<Response><Leave/></Response>"))
    call = await called(simulator, receiver, start=verbs)

    assert heard(call, "played") == [f"{receiver.url}/bye.mp3"]
