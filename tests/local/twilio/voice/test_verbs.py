"""Reject, Sms, Leave, and how documents end."""

import pytest

from local.twilio import Simulator
from local.twilio.people import hang_up
from tests.local.twilio.receiver import Receiver, Reply
from tests.local.twilio.voice.calling import APP, CALLER, OTHER, answers, called, codes, heard


@pytest.mark.parametrize(
    ("verbs", "status", "history"),
    [
        ("<Reject/>", "no-answer", ["ringing", "no-answer"]),
        ("<Reject reason='rejected'/><Say>No</Say>", "no-answer", ["ringing", "no-answer"]),
        ("<Reject reason='busy'/>", "busy", ["ringing", "busy"]),
        ("<Say>Hello</Say><Reject reason='busy'/><Say>No</Say>", "completed", ["ringing", "in-progress", "completed"]),
        ("", "completed", ["ringing", "in-progress", "completed"]),
    ],
)
async def test_only_as_the_first_verb_does_reject_not_answer(
    simulator: Simulator, receiver: Receiver, *, verbs: str, status: str, history: list[str]
) -> None:
    url = answers(receiver, start=verbs)
    sid = simulator.call(from_=CALLER, to=APP, url=url, status_callback=f"{receiver.url}/status")
    await simulator.settled()
    call, (told,) = simulator.call_of(sid), receiver.forms("/status")

    assert (call.status, [word for word, _ in call.history]) == (status, history)
    assert (told["CallStatus"], told["CallDuration"]) == (status, "1" if status == "completed" else "0")
    assert "No" not in heard(call)


async def test_a_text_goes_to_the_caller_and_the_action_is_told(simulator: Simulator, receiver: Receiver) -> None:
    sms = "<Sms action='sent' statusCallback='status'>Your code is 1</Sms>"
    call = await called(simulator, receiver, start=sms, sent="<Say>Look at your telephone</Say>")
    (message,), (form,) = simulator.messages, receiver.forms("/sent")

    assert (message.to, message.from_, message.body) == (CALLER, APP, "Your code is 1")
    assert (message.direction, message.status) == ("outbound-call", "delivered")
    assert (form["SmsSid"], form["SmsStatus"], form["CallSid"]) == (message.sid, "sent", call.sid)
    assert heard(call, "said") == ["Look at your telephone"]
    assert [form["MessageStatus"] for form in receiver.forms("/status")] == ["sent", "delivered"]


async def test_a_text_without_an_action_goes_on_with_the_next_verb(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, start=f"<Sms to='{OTHER}' from='{APP}'>Hi</Sms><Say>Sent</Say>")

    assert ([message.to for message in simulator.messages], heard(call, "said")) == ([OTHER], ["Sent"])


@pytest.mark.parametrize(
    ("sms", "code"),
    [("<Sms to='nobody'>Hi</Sms>", 14101), ("<Sms from='not a sender at all'>Hi</Sms>", 14102), ("<Sms/>", 14103)],
)
async def test_a_text_that_cannot_be_sent_is_invalid(
    simulator: Simulator, receiver: Receiver, *, sms: str, code: int
) -> None:
    call = await called(simulator, receiver, start=sms.replace("<Sms", "<Sms action='sent'"), sent="")

    assert (codes(call), receiver.forms("/sent")[0]["SmsStatus"]) == ([code], "invalid")


async def test_leave_outside_of_a_queue_does_nothing(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, start="<Leave/><Say>Still here</Say>")

    assert heard(call, "said") == ["Still here"]


async def test_an_action_that_fails_leads_to_the_fallback(simulator: Simulator, receiver: Receiver) -> None:
    url = answers(receiver, start="<Enqueue action='broken' waitUrl='music'>a</Enqueue>", music="<Leave/>")
    receiver.answers("/broken", Reply(status=500))
    fallback = answers(receiver, fallback="<Say>Sorry</Say>")
    sid = simulator.call(from_=CALLER, to=APP, url=url, fallback_url=fallback)
    await simulator.settled()
    (form,) = receiver.forms("/fallback")

    assert (form["ErrorCode"], form["ErrorUrl"]) == ("11200", f"{receiver.url}/broken")
    assert heard(simulator.call_of(sid), "said") == ["Sorry"]


async def test_what_is_known_of_the_caller_is_in_every_request(simulator: Simulator, receiver: Receiver) -> None:
    url = answers(receiver, start="<Redirect>next</Redirect>", next="")
    simulator.call(from_=CALLER, to=APP, url=url, forwarded_from=OTHER, caller_name="JO")
    await simulator.settled()

    for (form,) in (receiver.forms("/start"), receiver.forms("/next")):
        assert (form["ForwardedFrom"], form["CallerName"]) == (OTHER, "JO")


async def test_who_hangs_up_while_something_is_said_hears_no_more(simulator: Simulator, receiver: Receiver) -> None:
    call = await called(simulator, receiver, hang_up(interrupts=True), start="<Say>One</Say><Say>Two</Say>")

    assert (heard(call), call.status) == (["One"], "completed")


async def test_who_hangs_up_after_a_time_does_so_wherever_the_call_is(simulator: Simulator, receiver: Receiver) -> None:
    url = answers(receiver, start="<Pause length='20'/><Pause length='20'/><Say>No</Say>")
    sid = simulator.call(from_=CALLER, to=APP, url=url, hangs_up_after=30)
    await simulator.settled()
    call = simulator.call_of(sid)

    assert (call.duration, heard(call)) == (30, ["20", "20"])
