"""Whom a call is connected with, and what becomes of that."""

from typing import Any

import pytest

from shared.voice.flows.dial_status import UNANSWERED
from shared.voice.flows.kinds.dial import Conference, Dial
from shared.voice.flows.kinds.dial.answered import SCREENING
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.take import TAKE_SECONDS, Take
from shared.voice.flows.model import Flow, Speech
from shared.voice.flows.targets import Target
from shared.voice.flows.turn import Part, Turn
from tests.voice.flows.makers import APP, BASE, CALLED, CALLER, Document, call, flow, speech, text, walked, who

ANNA = Target(kind="client", name=text("anna"))
DESK = Target(kind="number", name=text("+14155550177"))
ON_CALL = Target(kind="number", name=text("{{ on_call }}"))
SIP = Target(kind="sip", name=text("sip:desk@example.com"))
DONE = f"{BASE}/api/voice/flow/line/dial?delivery=CA1&part=done"


def dialling(*targets: Target, answered: str | None = None, **more: Any) -> Flow:  # noqa: ANN401 - what the model takes
    branches = {status: status for status in UNANSWERED}
    return flow(
        {
            "dial": Dial(targets=targets, answered=answered, branches=branches, **more),
            **{status: Hangup(say=speech(status)) for status in UNANSWERED},
            "thanks": Hangup(say=speech("Thanks.")),
        },
        events={"dial": "dialled"},
    )


def after(made: Flow, index: int = 0, /, **form: str) -> Document:
    return walked(made, Turn(step="dial", part="done", index=index, count=1, form=form))


def part(made: Flow, name: Part, *, index: int = 0, **form: str) -> Document:
    return walked(made, Turn(step="dial", part=name, index=index, count=1, form=form))


def test_a_number_is_dialled_with_the_callers_own_as_it_is_by_default() -> None:
    document = walked(dialling(DESK, timeout=15))
    assert document.verbs == ["Dial"]
    assert document.one("Dial").attrib == {
        "action": f"{DONE}&turn=1&v=2",
        "timeout": "15",
        "timeLimit": "3600",
    }
    assert (document.one("Number").text, document.one("Number").attrib) == ("+14155550177", {})


@pytest.mark.parametrize(
    ("given", "outbound", "caller", "shown"),
    [
        (None, False, CALLER, None),
        (None, False, "anonymous", APP),
        (None, False, "client:browser", APP),
        (None, True, CALLED, CALLED),
        (None, True, "client:us", APP),
        ("+14155550111", True, CALLED, "+14155550111"),
        ("+14155550111", False, CALLER, "+14155550111"),
    ],
)
def test_who_is_shown_as_calling(given: str | None, caller: str, shown: str | None, *, outbound: bool) -> None:
    document = walked(dialling(DESK, caller_id=given), by=call(caller=caller, outbound=outbound))
    assert document.one("Dial").get("callerId") == shown


@pytest.mark.parametrize(("wanted", "got"), [(None, "600"), (60, "60"), (7200, "600")])
def test_nobody_talks_longer_than_a_call_may_last(wanted: int | None, got: str) -> None:
    document = walked(dialling(DESK, time_limit=wanted), max_call_seconds=600)
    assert document.one("Dial").get("timeLimit") == got


def test_several_are_dialled_at_once() -> None:
    document = walked(dialling(DESK, ANNA, SIP, together=True))
    assert [(noun.tag, who(noun)) for noun in document.one("Dial")] == [
        ("Number", "+14155550177"),
        ("Client", "anna"),
        ("Sip", "sip:desk@example.com"),
    ]


def test_a_client_is_told_who_calls_and_what_that_is_on_record_as() -> None:
    client = walked(dialling(ANNA), by=call(caller="<+1 & co>")).one("Client")
    told = {each.get("name"): each.get("value") for each in client.iter("Parameter")}
    assert told == {"caller": "<+1 & co>", "delivery": "CA1"}


def test_several_are_dialled_one_after_the_other() -> None:
    made = dialling(DESK, ANNA, SIP)
    first = walked(made)
    assert [noun.tag for noun in first.one("Dial")] == ["Number"]
    turn = first.next("Dial", "action", DialCallStatus="busy")
    second = walked(made, turn)
    assert [who(noun) for noun in second.one("Dial")] == ["anna"]
    assert second.told == [{"step": "dial", "dial": "busy", "target": 0}]
    third = walked(made, second.next("Dial", "action", DialCallStatus="no-answer"))
    assert [who(noun) for noun in third.one("Dial")] == ["sip:desk@example.com"]
    last = walked(made, third.next("Dial", "action", DialCallStatus="busy"))
    assert last.said == ["busy"]


@pytest.mark.parametrize("status", UNANSWERED)
def test_each_outcome_goes_its_way(status: str) -> None:
    assert after(dialling(DESK), DialCallStatus=status).said == [status]
    assert after(dialling(DESK, ANNA, together=True), 1, DialCallStatus=status).said == [status]


def test_an_outcome_that_nobody_knows_is_a_failure() -> None:
    assert after(dialling(DESK), DialCallStatus="on-the-moon").said == ["failed"]
    assert after(dialling(DESK)).said == ["failed"]


@pytest.mark.parametrize("status", ["completed", "answered"])
@pytest.mark.parametrize(("answered", "said"), [("thanks", ["Thanks."]), (None, [])])
def test_after_a_talk_it_goes_on_or_is_over(status: str, answered: str | None, said: list[str]) -> None:
    document = after(
        dialling(DESK, ANNA, answered=answered),
        DialCallStatus=status,
        DialCallSid="CA2",
        DialCallDuration="9",
        DialBridged="true",
        RecordingUrl="https://api/RE1",
    )
    assert document.said == said
    assert document.verbs[-1] == "Hangup"
    assert document.told == [
        {
            "step": "dial",
            "dial": status,
            "target": 0,
            "dial_sid": "CA2",
            "seconds": "9",
            "recording_url": "https://api/RE1",
        }
    ]


def test_whom_the_data_names_is_dialled() -> None:
    for written, tag, name in [
        ("+14155550133", "Number", "+14155550133"),
        ("\u202a+1\u202f4155550133\u200b ", "Number", "+14155550133"),
        ("client:bob", "Client", "bob"),
        ("sip:bob@example.com:5060", "Sip", "sip:bob@example.com:5060"),
    ]:
        document = walked(dialling(ON_CALL), by=call(data={"on_call": written}))
        assert [(noun.tag, who(noun)) for noun in document.one("Dial")] == [(tag, name)]


@pytest.mark.parametrize(
    "target", ["", "0900 5550133", "+0900", "911", "client:", "client:a b", "sip:", "sip:a@b c", "sips:x", "tel:+1415"]
)
def test_what_is_no_address_is_not_dialled_but_a_failure(target: str) -> None:
    document = walked(dialling(ON_CALL), by=call(data={"on_call": target}))
    assert document.said == ["failed"]
    assert [told["dial"] for told in document.told if "problem" in told] == ["failed"]
    assert not target or target not in str([told.get("problem") for told in document.told])


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (Target(kind="client", name=text("{{ on_call }}")), "sip:a@example.com"),
        (Target(kind="sip", name=text("{{ on_call }}")), "+14155550133"),
        (Target(kind="queue", name=text("{{ on_call }}")), "x" * 65),
        (Target(kind="conference", name=text("{{ on_call }}")), "a\x00b"),
    ],
)
def test_a_kind_takes_only_its_own(target: Target, name: str) -> None:
    assert walked(dialling(target), by=call(data={"on_call": name})).said == ["failed"]


def test_who_may_not_be_dialled_is_passed_over() -> None:
    abroad = Target(kind="sip", name=text("sip:+442079460000@example.com"))
    only = frozenset({"DE"})
    document = walked(dialling(DESK, abroad, ANNA), allowed_countries=only)
    assert [who(noun) for noun in document.one("Dial")] == ["anna"]
    assert document.next("Dial", "action").index == 2
    assert [told["target"] for told in document.told if "problem" in told] == [0, 1]
    together = walked(dialling(DESK, abroad, ANNA, together=True), allowed_countries=only)
    assert [who(noun) for noun in together.one("Dial")] == ["anna"]
    assert walked(dialling(DESK, abroad, together=True), allowed_countries=only).said == ["failed"]
    assert after(dialling(ANNA, DESK), DialCallStatus="busy").verbs == ["Dial"]


@pytest.mark.parametrize(
    ("name", "values", "countries"),
    [
        ("sip:00{{ number }}@gw.example.com", {"number": "442079460000"}, {"US"}),
        ("{{ number }}", {"number": "sip:011442079460000@gw.example.com"}, {"US"}),
        ("sip:{{ number }}@gw.example.com;user=phone", {"number": "442079460000"}, {"US"}),
        ("sip:%2B{{ number }}@gw.example.com", {"number": "442079460000"}, {"US"}),
        ("+{{ number }}", {"number": "19005551234"}, {"US"}),
        ("+{{ number }}", {"number": "19005551234"}, None),
        ("sip:{{ input.ask }}@gw.example.com", {}, {"US"}),
        ("sip:{{ setting.gateway_user }}@gw.example.com", {}, {"US"}),
        ("{{ caller }}", {}, {"US"}),
    ],
)
def test_a_value_reaches_nobody_outside_the_allowed_countries_whatever_its_spelling(
    name: str, values: dict[str, str], countries: set[str] | None
) -> None:
    document = walked(
        dialling(Target(kind="sip" if name.startswith("sip") else "number", name=text(name))),
        Turn(step="dial", inputs={"ask": "011442079460000"}),
        by=call(data=values, caller="sip:442079460000@forged.example.com"),
        allowed_countries=countries,
        settings={"gateway_user": "00442079460000"},
    )
    assert document.said == ["failed"]
    assert [told["dial"] for told in document.told if "nobody was dialled" in told.get("problem", "")] == ["failed"]


def test_a_target_that_stands_whole_in_the_file_is_the_operators() -> None:
    only = frozenset({"US"})
    for name in ("+19005551234", "sip:002079460000@pbx.example.com"):
        target = Target(kind="sip" if name.startswith("sip") else "number", name=text(name))
        assert [who(noun) for noun in walked(dialling(target), allowed_countries=only).one("Dial")] == [name]


def test_a_talk_is_recorded_and_the_recording_is_told_of() -> None:
    dial = walked(dialling(DESK, record=True)).one("Dial")
    assert dial.get("record") == "record-from-answer-dual"
    assert dial.get("recordingStatusCallback") == f"{BASE}/api/voice/recording?delivery=CA1&v=2#rc=5&rp=all"


@pytest.mark.parametrize("moderator", [True, False])
def test_a_conference_begins_and_ends_with_its_moderator(*, moderator: bool) -> None:
    room = Conference(moderator=moderator, muted=not moderator, music="https://example.com/a.mp3")
    target = Target(kind="conference", name=text("room {{ caller }}"))
    document = walked(dialling(target, conference=room, record=True))
    assert document.one("Conference").text == f"room {CALLER}"
    assert document.one("Conference").attrib == {
        "startConferenceOnEnter": str(moderator).lower(),
        "endConferenceOnExit": str(moderator).lower(),
        "muted": str(not moderator).lower(),
        "waitUrl": "https://example.com/a.mp3",
        "waitMethod": "GET",
        "record": "record-from-start",
        "recordingStatusCallback": f"{BASE}/api/voice/recording?delivery=CA1&v=2#rc=5&rp=all",
    }
    assert document.one("Dial").get("record") is None
    assert document.one("Dial").get("callerId") is None


def test_who_answers_hears_a_whisper() -> None:
    made = dialling(DESK, ANNA, SIP, together=True, whisper=speech("From {{ caller }}."))
    document = walked(made)
    for index, tag in enumerate(["Number", "Client", "Sip"]):
        turn = document.next(tag, "url")
        assert turn == Turn(step="dial", part="whisper", index=index, count=1)
        heard = walked(made, turn)
        assert (heard.verbs, heard.said) == (["Say"], [f"From {CALLER}."])


@pytest.mark.parametrize(("whisper", "said"), [(speech("A call. Press 1."), "A call. Press 1."), (None, SCREENING)])
def test_who_answers_has_to_press_a_key(whisper: Speech | None, said: str) -> None:
    made = dialling(DESK, screen=True, whisper=whisper)
    asked = walked(made, walked(made).next("Number", "url"))
    assert asked.verbs == ["Gather", "Hangup"]
    assert asked.said == [said]
    accepted = walked(made, asked.next("Gather", "action", Digits="5"))
    assert accepted.verbs == []
    assert accepted.told == [{"step": "dial", "screen": "accepted", "target": 0}]
    declined = part(made, "screen")
    assert declined.verbs == ["Hangup"]
    assert declined.told == [{"step": "dial", "screen": "declined", "target": 0}]


def test_who_did_not_take_the_call_was_not_reached() -> None:
    def said(made: Flow) -> list[str]:
        return after(made, DialCallStatus="completed", DialBridged="false").said

    assert said(dialling(DESK, screen=True)) == ["no-answer"]
    assert said(dialling(DESK, whisper=speech("Hi."))) == ["no-answer"]
    assert said(dialling(DESK, answered="thanks")) == ["Thanks."]


def test_a_queue_can_be_dialled_and_who_waits_there_is_not_screened() -> None:
    queue = Target(kind="queue", name=text("support"))
    made = dialling(queue, whisper=speech("Here we are."), screen=True)
    document = walked(made)
    assert document.one("Queue").text == "support"
    assert walked(made, document.next("Queue", "url")).verbs == ["Say"]


def test_the_event_of_a_step_that_dials_is_told_once() -> None:
    made = dialling(DESK, ANNA)
    assert [told.get("event") for told in walked(made).told] == ["dialled"]
    assert [told.get("event") for told in after(made, DialCallStatus="busy").told] == [None]


TAKING = flow(
    {
        "agent": Take(queue="support", whisper=speech("Here we are."), empty="nobody", next="thanks"),
        "nobody": Hangup(say=speech("Nobody.")),
        "thanks": Hangup(say=speech("Thanks.")),
    }
)


def test_an_agent_takes_the_next_caller_who_hears_that() -> None:
    document = walked(TAKING)
    assert document.one("Dial").get("timeout") == str(TAKE_SECONDS)
    assert document.one("Queue").text == "support"
    assert walked(TAKING, document.next("Queue", "url")).said == ["Here we are."]
    document = walked(TAKING, document.next("Dial", "action", DialCallStatus="completed"))
    assert document.said == ["Thanks."]
    assert document.told == [{"step": "agent", "queue": "support", "dial": "completed"}]


@pytest.mark.parametrize("status", ["no-answer", "failed", ""])
def test_an_agent_whom_nobody_waits_for_is_told(status: str) -> None:
    document = walked(TAKING, Turn(step="agent", part="done", count=1, form={"DialCallStatus": status}))
    assert document.said == ["Nobody."]
