"""The customer line, on a day that is open all day."""

from typing import Any

import pytest

from local.twilio.people import Act, Person, hang_up, press, say, wait
from tests.end_to_end.flows.calling import called, calls_to, details, heard, over, shown
from tests.end_to_end.stage import Stage, eventually

LINE = "+15005550006"
MENU = (
    "Welcome. For sales, press 1 or say sales. For support, press 2 or say support. "
    "For our address as a text message, press 3."
)
POSITION = "You are number 1 in the queue. To leave a message instead, press the star key."
VOICEMAIL, BYE = "Please leave a message after the tone, and press the hash key when you are done.", "Goodbye."
SALES = "+15005550177"


@pytest.mark.parametrize("act", [press("1"), say("I want to talk to Sales!")])
async def test_sales_answers_after_a_whisper_and_a_key(flowing: Stage, act: Act) -> None:
    flowing.twilio.people.put(SALES, Person(acts=(press("1"), say("Sales, hello"), wait(5), hang_up())))
    call = await called(flowing, act, from_="+14155550181", to=LINE)
    callee = calls_to(flowing, SALES)[-1]

    assert (heard(call), heard(call, "heard")) == ([MENU], ["Sales, hello"])
    assert heard(callee) == ["A call for sales."]


async def test_who_reaches_nobody_in_sales_leaves_a_voicemail(flowing: Stage) -> None:
    flowing.twilio.people.put(SALES, Person(answers="no-answer"))
    flowing.twilio.people.put("client:anna", Person(answers="no-answer"))
    acts = (press("1"), say("Please call me back about the offer"), press("#"))
    call = await called(flowing, *acts, from_="+14155550182", to=LINE)
    delivery: Any = await shown(flowing, call.sid, lambda it: it["recording_url"] and it["status"] == "completed")

    assert heard(call, "dialed") == [SALES, "client:anna"]
    thanks = "Thank you. We will call you back on +, 1, 4, 1, 5, 5, 5, 5, 0, 1, 8, 2."
    assert heard(call) == [MENU, VOICEMAIL, thanks, BYE]
    assert details(delivery, "event") == [{"event": "voicemail"}]


async def test_support_is_a_queue_whose_next_caller_an_agent_takes(flowing: Stage) -> None:
    caller = flowing.twilio.call(press("2"), from_="+14155550183", to=LINE)
    await flowing.twilio.heard(caller, POSITION)
    agent = "+14155550184"
    flowing.twilio.people.put(agent, Person(acts=(press("1"), say("How can I help?"), wait(5), hang_up())))
    request = {"channel": "call", "to": agent, "flow": "agent"}
    answer = await flowing.request("POST", "/api/send", request)
    await flowing.ended(answer.json()["id"], "completed")
    call = await over(flowing, caller)

    assert heard(call)[:2] == [MENU, POSITION]
    assert (heard(call)[-1], heard(call, "heard")) == ("You are being connected.", ["How can I help?"])
    [ready, *_] = heard(calls_to(flowing, agent)[0])
    assert ready == "To talk to the next caller, press 1. To end your shift, hang up."


async def test_who_does_not_want_to_wait_leaves_a_message(flowing: Stage) -> None:
    acts = (press("2"), press("*"), say("Please call me back"), press("#"))
    call = await called(flowing, *acts, from_="+14155550185", to=LINE)

    assert heard(call, "said")[:3] == [MENU, POSITION, VOICEMAIL]
    assert heard(call)[-1] == BYE


async def test_the_address_comes_as_a_text(flowing: Stage) -> None:
    caller = "+14155550186"
    call = await called(flowing, press("3"), from_=caller, to=LINE)

    assert heard(call) == [MENU, "You will find our address in your messages.", BYE]

    async def look() -> list[str]:
        return [message.body for message in flowing.twilio.messages if message.to == caller]

    [text] = await eventually(look)
    assert text.startswith("Example Ltd, 1 High Street, London.")


async def test_a_caller_who_says_nothing_is_asked_three_times(flowing: Stage) -> None:
    call = await called(flowing, from_="+14155550187", to=LINE)

    assert heard(call) == [MENU, MENU, MENU, BYE]
