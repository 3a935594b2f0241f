"""How a call goes from step to step, and from turn to turn."""

import pytest

from shared.voice.flows.apologies import GONE
from shared.voice.flows.context import LONGEST_SAID, LONGEST_SAID_BY_POLLY
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.message import Message
from shared.voice.flows.kinds.pause import Pause
from shared.voice.flows.kinds.record import Record
from shared.voice.flows.kinds.say import Say
from shared.voice.flows.model import Action, Flow
from shared.voice.flows.turn import Part, Turn
from shared.voice.flows.walk import MOST_STEPS
from tests.voice.flows.makers import BASE, call, flow, speech, text, walked

MACHINE = flow(
    {
        "person": Hangup(say=speech("Hello you.")),
        "leave_word": Hangup(say=speech("Hello machine.")),
    },
    machine="leave_word",
)


def test_steps_that_ask_nothing_go_on_in_one_document() -> None:
    made = flow(
        {
            "hello": Say(speech=speech("Hello."), next="wait"),
            "wait": Pause(seconds=1, next="text"),
            "text": Message(body=text("Hi"), next="bye"),
            "bye": Hangup(say=speech("Bye.")),
        },
        events={"wait": "waited", "bye": "ended"},
    )
    document = walked(made)
    assert document.verbs == ["Say", "Pause", "Say", "Hangup"]
    assert [(each.key, each.what) for each in document.happened] == [
        ("0.2-wait-event", {"flow": "line", "step": "wait", "event": "waited"}),
        ("0.4-bye-event", {"flow": "line", "step": "bye", "event": "ended"}),
    ]


def loop() -> Flow:
    """A flow that never asks; no file has one, but no call may hang in one either."""
    return flow(
        {"one": Say(speech=speech("One."), next="two"), "two": Message(body=text("Hi"), next="one")},
        events={"two": "again"},
    )


def test_a_long_way_goes_on_in_the_next_document() -> None:
    document = walked(loop())
    assert document.verbs == ["Say"] * (MOST_STEPS // 2) + ["Redirect"]
    assert document.next("Redirect") == Turn(step="one", count=1)


def test_a_document_that_grows_long_goes_on_in_the_next_one() -> None:
    made = flow({"one": Say(speech=speech("&" * 5000), next="two"), "two": Say(speech=speech("Two."), next="one")})
    document = walked(made)
    assert document.verbs == ["Say", "Redirect"]
    assert len(document.said[0]) == LONGEST_SAID
    [problem] = [each.what["problem"] for each in document.happened]
    assert problem == "expected a text of at most 4096 characters, got 5000: the rest is not said"
    assert document.next("Redirect") == Turn(step="two", count=1)


@pytest.mark.parametrize(("voice", "longest"), [("Polly.Amy", LONGEST_SAID_BY_POLLY), ("alice", LONGEST_SAID)])
def test_what_a_voice_says_at_once_has_an_end_which_is_no_secret(voice: str, longest: int) -> None:
    for length in (longest, longest + 1):
        document = walked(flow({"one": Hangup(say=speech("x" * length, voice=voice))}))
        assert len(document.said[0]) == longest
        assert bool(document.happened) is (length > longest)


def test_a_webhook_that_comes_twice_tells_the_same() -> None:
    for turn in (Turn(step="one"), Turn(step="two", count=3)):
        first, second = walked(loop(), turn), walked(loop(), turn)
        assert first.happened == second.happened
        assert first.texts == second.texts
    put_off = walked(loop(), Turn(step="two", count=3, again=2))
    assert put_off.texts == second.texts


def test_each_visit_of_a_step_tells_for_itself() -> None:
    documents = [walked(loop(), Turn(step="one", count=count)) for count in range(3)]
    for keys in (
        [each.key for document in documents for each in document.happened],
        [each.key for document in documents for each in document.texts],
    ):
        assert len(keys) == 3 * MOST_STEPS // 2
        assert len(set(keys)) == len(keys)


def test_keys_fit_into_ids_however_long_a_step_is_called() -> None:
    made = flow({"x" * 60: Message(body=text("Hi"), next=None)}, events={"x" * 60: "reached"})
    document = walked(made, Turn(step="x" * 60, count=299))
    (sent,), (happened,) = document.texts, document.happened
    assert len(f"CA{'0' * 32}~{sent.key}") <= 100
    assert len(happened.key) < 64


@pytest.mark.parametrize(
    "answered_by", ["machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other"]
)
def test_a_machine_hears_its_own_step(answered_by: str) -> None:
    document = walked(MACHINE, Turn(step="person", form={"AnsweredBy": answered_by}), by=call(outbound=True))
    assert document.said == ["Hello machine."]
    assert document.told == [{"step": "person", "answered_by": answered_by}]


@pytest.mark.parametrize("answered_by", ["human", "unknown"])
def test_a_person_does_not(answered_by: str) -> None:
    document = walked(MACHINE, Turn(step="person", form={"AnsweredBy": answered_by}))
    assert document.said == ["Hello you."]
    assert document.told == [{"step": "person", "answered_by": answered_by}]


def test_a_fax_is_hung_up() -> None:
    document = walked(MACHINE, Turn(step="person", form={"AnsweredBy": "fax"}))
    assert document.verbs == ["Hangup"]
    assert document.told == [{"step": "person", "answered_by": "fax"}]


def test_who_answered_counts_once_though_twilio_may_tell_it_again() -> None:
    document = walked(MACHINE, Turn(step="person", count=1, form={"AnsweredBy": "machine_start"}))
    assert document.said == ["Hello you."]
    assert document.told == []


def test_without_a_step_for_machines_they_hear_what_people_do() -> None:
    made = flow({"person": Hangup(say=speech("Hello you."))})
    assert walked(made, Turn(step="person", form={"AnsweredBy": "machine_start"})).said == ["Hello you."]


def test_a_step_that_is_gone_is_said_and_the_call_is_over() -> None:
    document = walked(loop(), Turn(step="three", part="done"))
    assert (document.said, document.verbs) == ([GONE], ["Say", "Hangup"])
    assert [told["step"] for told in document.told if "problem" in told] == ["three"]


@pytest.mark.parametrize("part", ["done", "wait", "whisper", "screen"])
def test_a_step_that_a_deploy_made_another_does_what_it_can(part: Part) -> None:
    turn = Turn(step="hello", part=part, count=2)
    document = walked(flow({"hello": Hangup(say=speech("Hello."))}), turn)
    assert (
        document.verbs
        == {
            "done": ["Say", "Hangup"],
            "wait": ["Leave"],
            "whisper": [],
            "screen": ["Hangup"],
        }[part]
    )


@pytest.mark.parametrize(
    ("form", "said", "told"),
    [
        (
            {"RecordingUrl": "https://api/RE1", "RecordingSid": "RE1", "RecordingDuration": "9", "Digits": "hangup"},
            "Thanks.",
            {"recording_url": "https://api/RE1", "recording_sid": "RE1", "seconds": "9"},
        ),
        ({}, "Nothing?", {"recording": "empty"}),
        ({"RecordingUrl": "https://api/RE1", "RecordingDuration": "0"}, "Nothing?", {"recording": "empty"}),
    ],
)
def test_a_recording_goes_on_by_whether_there_is_one(form: dict[str, str], said: str, told: dict[str, str]) -> None:
    actions: dict[str, Action] = {
        "record": Record(prompt=speech("Speak."), empty="empty", next="thanks"),
        "thanks": Hangup(say=speech("Thanks.")),
        "empty": Hangup(say=speech("Nothing?")),
    }
    document = walked(flow(actions), Turn(step="record", part="done", count=1, form=form))
    assert document.said == [said]
    assert document.told == [{"step": "record", **told}]


def test_all_urls_are_under_the_public_one() -> None:
    document = walked(flow({"record": Record(prompt=speech("Speak."), empty="record", next="record")}))
    urls = [value for element in document.root.iter() for value in element.attrib.values() if "http" in value]
    assert urls
    assert all(url.startswith(f"{BASE}/api/voice/") for url in urls)
