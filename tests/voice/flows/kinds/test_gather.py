"""What is pressed and said."""

import pytest

from shared.voice.flows.kinds.gather import Gather, branch
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.message import Message
from shared.voice.flows.kinds.say import Say
from shared.voice.flows.model import Flow
from shared.voice.flows.turn import Turn
from tests.voice.flows.makers import Document, flow, speech, text, walked

WAYS = {"1": "sales", "2": "support", "12": "both", "support": "support", "new support": "both", "c#": "sharp"}


def menu(*, other: str | None = None, inputs: frozenset[str] = frozenset()) -> Flow:
    return flow(
        {
            "menu": Gather(
                prompt=speech("Which?"),
                branches={"1": "sales", "support": "support"},
                other=other,
                speech=True,
                retries=1,
                sorry=speech("Not that."),
                no_input="silent",
                wrong_input="wrong",
            ),
            "sales": Hangup(say=speech("Sales.")),
            "support": Hangup(say=speech("Support.")),
            "silent": Hangup(say=speech("Silent.")),
            "wrong": Hangup(say=speech("Wrong.")),
            "free": Gather(
                prompt=speech("And?"), branches={"1": "echo"}, retries=0, no_input="echo", wrong_input="echo"
            ),
            "echo": Hangup(say=speech("You are {{ input.menu }}.")),
        },
        events={"menu": "asked"},
        inputs=inputs,
    )


def given(made: Flow, *, tries: int = 0, **form: str) -> Document:
    return walked(made, Turn(step="menu", part="done", tries=tries, count=1, form=form))


@pytest.mark.parametrize(
    ("digits", "speech", "way"),
    [
        ("1", "", "sales"),
        ("12", "", "both"),
        ("123", "", None),
        ("3", "support", None),
        ("", "Support, please!", "support"),
        ("", "SUPPORT", "support"),
        ("", "I want the new support.", "both"),
        ("", "unsupported", None),
        ("", "2", "support"),
        ("", "22", None),
        ("", "", None),
        ("", "?!", None),
    ],
)
def test_digits_choose_exactly_and_speech_by_its_words(digits: str, speech: str, way: str | None) -> None:
    assert branch(WAYS, digits=digits, speech=speech) == way


def test_a_way_without_a_word_is_never_said() -> None:
    assert branch({"#": "hash", "": "nothing"}, digits="", speech="anything") is None


def test_an_input_goes_its_way_and_is_on_record() -> None:
    document = given(menu(), Digits="1")
    assert document.said == ["Sales."]
    assert [(each.key, each.what) for each in document.happened] == [
        ("1.0-menu-input", {"flow": "line", "step": "menu", "outcome": "input", "digits": "1", "next": "sales"})
    ]


def test_what_is_said_is_on_record_with_its_confidence() -> None:
    document = given(menu(), SpeechResult="Support.", Confidence="0.9")
    assert document.said == ["Support."]
    assert document.told == [
        {"step": "menu", "outcome": "input", "speech": "Support.", "confidence": "0.9", "next": "support"}
    ]


def test_after_a_wrong_input_it_says_so_and_asks_again() -> None:
    document = given(menu(), Digits="7")
    assert document.verbs == ["Say", "Gather", "Redirect"]
    assert document.said == ["Not that.", "Which?"]
    assert document.next("Gather", "action", Digits="1") == Turn(
        step="menu", part="done", tries=1, count=2, form={"Digits": "1"}
    )
    assert document.told == [{"step": "menu", "outcome": "wrong-input", "digits": "7", "next": "menu"}]


def test_after_no_input_it_only_asks_again() -> None:
    document = given(menu())
    assert document.said == ["Which?"]
    assert document.next("Redirect").tries == 1
    assert document.told == [{"step": "menu", "outcome": "no-input", "next": "menu"}]


def test_after_the_last_try_it_goes_on() -> None:
    assert given(menu(), tries=1, Digits="7").said == ["Wrong."]
    assert given(menu(), tries=1, Digits="").said == ["Silent."]
    assert given(menu(), tries=99).said == ["Silent."]


def test_a_free_input_is_kept_for_the_texts_that_use_it() -> None:
    document = given(menu(other="free", inputs=frozenset({"menu"})), Digits="4711")
    assert document.verbs == ["Gather", "Redirect"]
    later = document.next("Redirect")
    assert later.inputs == {"menu": "4711"}
    assert walked(menu(inputs=frozenset({"menu"})), later).said == ["You are 4711."]


def test_an_input_that_no_text_uses_stands_in_no_url() -> None:
    document = given(menu(other="free"), Digits="4711")
    assert "4711" not in str([element.attrib for element in document.root.iter()])
    assert document.next("Redirect").inputs == {}


def test_a_way_that_is_named_is_kept_too_and_a_later_input_takes_its_place() -> None:
    made = menu(inputs=frozenset({"menu"}), other="echo")
    turn = Turn(
        step="menu", part="done", count=5, inputs={"menu": "old", "free": "1"}, form={"SpeechResult": "x" * 500}
    )
    assert walked(made, turn).said == [f"You are {'x' * 100}."]


def test_the_event_of_a_step_that_asks_is_told_when_it_is_reached() -> None:
    assert [told.get("event") for told in walked(menu()).told] == ["asked"]
    assert [told.get("event") for told in given(menu()).told] == [None]


def test_an_input_reaches_a_text_message() -> None:
    made = flow(
        {
            "ask": Gather(prompt=speech("Number?"), branches={}, other="send", no_input="bye", wrong_input="bye"),
            "send": Message(body=text("You said {{ input.ask }}."), next="bye"),
            "bye": Say(speech=speech("Bye."), next=None),
        },
        inputs=frozenset({"ask"}),
    )
    document = walked(made, Turn(step="ask", part="done", count=1, form={"SpeechResult": "<five & six>"}))
    assert [sent.body for sent in document.texts] == ["You said <five & six>."]
