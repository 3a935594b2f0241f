"""A step that asks: keys and words, right, wrong and none."""

from typing import Any

import pytest

from local.twilio.people import Act, press, say, silence
from tests.end_to_end.flows.calling import called, details, heard
from tests.end_to_end.stage import Stage

ASKING = "+14155550202"
CUSTOMER, MENU = "Your customer number, please, and the hash key.", "https://example.com/menu.mp3"
SORRY, WRONG, NOTHING = "Please press 1 or say opening hours.", "Nothing of that was a choice.", "Nothing was given."


@pytest.mark.parametrize(
    ("acts", "rest"),
    [
        ([press("1")], ["You are customer 4, 7, 1, 1, and pressed 1."]),
        ([say("What are your Opening Hours, please?")], ["You said: What are your Opening Hours, please?."]),
        ([press("7"), press("1")], [SORRY, MENU, "You are customer 4, 7, 1, 1, and pressed 1."]),
        ([say("Nonsense"), silence(), press("1")], [SORRY, MENU, MENU, "You are customer 4, 7, 1, 1, and pressed 1."]),
        ([press("7"), say("Nonsense"), press("8")], [SORRY, MENU, SORRY, MENU, WRONG]),
        ([], [MENU, MENU, NOTHING]),
    ],
)
async def test_a_caller_is_asked_until_there_is_an_answer_or_no_more_tries(
    flowing: Stage, *, acts: list[Act], rest: list[str]
) -> None:
    call = await called(flowing, press("4711#"), *acts, from_="+14155550106", to=ASKING)

    assert heard(call) == [CUSTOMER, MENU, *rest]


async def test_who_says_nothing_at_all_is_asked_as_often_as_the_step_has_it(flowing: Stage) -> None:
    call = await called(flowing, from_="+14155550107", to=ASKING)

    assert heard(call) == [CUSTOMER, NOTHING]


async def test_what_was_pressed_and_said_is_on_record(flowing: Stage) -> None:
    acts = (press("4711#"), press("7"), silence(), say("opening hours", confidence=0.5))
    call = await called(flowing, *acts, from_="+14155550108", to=ASKING)
    delivery: Any = await flowing.ended(call.sid, "completed")

    assert details(delivery, "step", "outcome", "digits", "speech", "confidence", "next") == [
        {"step": "customer", "outcome": "input", "digits": "4711", "next": "menu"},
        {"step": "menu", "outcome": "wrong-input", "digits": "7", "next": "menu"},
        {"step": "menu", "outcome": "no-input", "next": "menu"},
        {"step": "menu", "outcome": "input", "speech": "opening hours", "confidence": "0.5", "next": "hours"},
    ]
