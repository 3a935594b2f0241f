"""Waiting in a queue, and how that ends."""

from typing import Any

import pytest

from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.queue import HOLD_MUSIC, Queue
from shared.voice.flows.model import Flow
from shared.voice.flows.turn import Turn
from tests.voice.flows.makers import Document, flow, speech, walked


def waiting(**more: Any) -> Flow:  # noqa: ANN401 - what the model takes
    return flow(
        {
            "support": Queue(name="support", full="full", **more),
            "full": Hangup(say=speech("Full.")),
            "left": Hangup(say=speech("Left.")),
            "talked": Hangup(say=speech("Talked.")),
        }
    )


def heard(made: Flow, **form: str) -> Document:
    return walked(made, Turn(step="support", part="wait", count=1, form=form))


def after(made: Flow, result: str) -> Document:
    form = {"QueueResult": result, "QueueTime": "9"}
    return walked(made, Turn(step="support", part="done", count=1, form=form))


def test_who_waits_hears_their_position_and_then_music() -> None:
    document = heard(waiting(wait=speech("You are number {{ position }}.")), QueuePosition="3")
    assert document.verbs == ["Say", "Play"]
    assert document.said == ["You are number 3."]
    assert document.one("Play").text == HOLD_MUSIC


@pytest.mark.parametrize("position", ["", "x", "-1", "9" * 5000])
def test_without_a_position_there_is_only_music(position: str) -> None:
    made = waiting(wait=speech("You are number {{ position }}."), music="https://example.com/a.mp3?a=1&b=2")
    document = heard(made, QueuePosition=position)
    assert document.verbs == ["Play"]
    assert document.one("Play").text == "https://example.com/a.mp3?a=1&b=2"


def test_who_waits_leaves_with_a_key_and_no_other() -> None:
    made = waiting(wait=speech("Press star to leave."), leave_key="*", leave="left")
    document = heard(made)
    assert document.verbs == ["Gather"]
    gather = document.one("Gather")
    assert [each.tag for each in gather] == ["Say", "Play"]
    assert (gather.get("numDigits"), gather.get("finishOnKey")) == ("1", "")
    turn = document.next("Gather", "action", Digits="*")
    assert walked(made, turn).verbs == ["Leave"]
    other = walked(made, document.next("Gather", "action", Digits="1"))
    assert (other.verbs, other.happened) == ([], ()), "its end has Twilio ask again, with the position"
    assert heard(made, Digits="*").happened == ()


@pytest.mark.parametrize(("seconds", "verbs"), [("59", ["Play"]), ("60", ["Leave"]), ("x", ["Play"])])
def test_who_waited_long_enough_leaves(seconds: str, verbs: list[str]) -> None:
    assert heard(waiting(max_wait_seconds=60, leave="left"), QueueTime=seconds).verbs == verbs


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("bridged", ["Talked."]),
        ("redirected-from-bridged", ["Talked."]),
        ("leave", ["Left."]),
        ("queue-full", ["Full."]),
        ("error", ["Full."]),
        ("system-error", ["Full."]),
        ("unheard-of", ["Full."]),
        ("hangup", []),
        ("redirected", []),
    ],
)
def test_each_result_goes_its_way(result: str, said: list[str]) -> None:
    document = after(waiting(leave_key="*", leave="left", next="talked"), result)
    assert document.said == said
    assert document.verbs[-1] == "Hangup"
    assert [(each.key, each.what) for each in document.happened] == [
        (
            "1.0-support-queue",
            {"flow": "line", "step": "support", "queue": "support", "result": result, "seconds": "9"},
        )
    ]


def test_after_a_talk_the_call_is_over_where_nothing_else_is_said() -> None:
    assert after(waiting(), "bridged").verbs == ["Hangup"]


def test_who_leaves_without_a_way_of_their_own_goes_as_from_a_full_queue() -> None:
    assert after(waiting(max_wait_seconds=60), "leave").said == ["Full."]
