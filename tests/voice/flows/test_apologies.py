import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.voice.flows.apologies import GONE, ONE_MOMENT, SORRY, gone, trouble
from shared.voice.flows.turn import Part
from tests.voice.flows.makers import read_twiml


@given(st.text())
def test_a_turn_in_trouble_says_so_and_is_tried_again(url: str) -> None:
    say, redirect = read_twiml(trouble(f"https://app.example.com/?a=1&b={url}"))
    assert (say.tag, say.text) == ("Say", ONE_MOMENT)
    assert redirect.tag == "Redirect"
    assert (redirect.text or "").startswith("https://app.example.com/?a=1&b=")


def test_after_the_last_try_it_is_said_and_over() -> None:
    assert [(verb.tag, verb.text) for verb in read_twiml(trouble(None))] == [("Say", SORRY), ("Hangup", None)]


@pytest.mark.parametrize(("part", "verbs"), [("wait", ["Pause"]), ("whisper", []), ("screen", [])])
def test_who_waits_goes_on_waiting_and_who_is_to_be_connected_is(part: Part, verbs: list[str]) -> None:
    assert [verb.tag for verb in read_twiml(trouble(None, part=part))] == verbs
    assert [verb.tag for verb in read_twiml(trouble("https://app.example.com", part=part))] == ["Pause", "Redirect"]


def test_what_is_gone_is_said_and_the_call_is_over() -> None:
    assert [(verb.tag, verb.text) for verb in read_twiml(gone())] == [("Say", GONE), ("Hangup", None)]
