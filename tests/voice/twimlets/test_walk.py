"""What holds for every twimlet: any URL, and any word of Twilio, gives a document that Twilio takes."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.voice.flows.turn import Turn
from shared.voice.twimlets.parameters import KNOWN, Parameters, read_parameters
from shared.voice.twimlets.reading import SORRY, Twimlet
from shared.voice.twimlets.urls import read_twimlet_turn, twimlet_url
from shared.voice.twimlets.walk import TWIMLETS, walk_twimlet
from tests.voice.flows.makers import BASE, call, read, world
from tests.voice.twimlets.makers import ANN, asked, at, problems, url

names = st.sampled_from([*TWIMLETS, "echo", "holdmusic", "x" * 100, "\ud800"])
values = st.one_of(
    st.sampled_from([ANN, "415-555-1212", "12345", "rock", "true", "https://example.com/a.mp3", "http://", " ", "0"]),
    st.text(max_size=60),
)
keys = st.sampled_from(["", "[]", "[0]", "[1]", "[*]", "[#]", "[x]"])
pairs = st.lists(st.tuples(st.builds(str.__add__, st.sampled_from(sorted(KNOWN)), keys), values), max_size=12)
told = st.dictionaries(
    st.sampled_from(["Digits", "DialCallStatus", "DialBridged", "RecordingUrl", "RecordingDuration", "CallStatus"]),
    st.one_of(st.sampled_from(["1", "completed", "busy", "failed", "false", ""]), st.text(max_size=20)),
)
steps = st.sampled_from(
    ["", "dial", "menu", "option-1", "conference", "password", "voicemail", "thanks", "whisper", "\0"]
)
turns = st.builds(
    Turn,
    step=steps,
    part=st.sampled_from(["enter", "done", "wait", "whisper", "screen"]),
    tries=st.integers(0, 20),
    index=st.integers(0, 20),
    count=st.integers(0, 400),
    form=told,
)


@given(names, pairs, turns, st.text(max_size=20))
def test_whatever_comes_the_document_is_one_that_twilio_takes(
    name: str, given_pairs: list[tuple[str, str]], turn: Turn, caller: str
) -> None:
    twimlet = Twimlet(name=name, parameters=Parameters(tuple(given_pairs)), region="US")
    document = read(walk_twimlet(twimlet, call(caller=caller), turn, world()))
    for element in document.root.iter():
        for there in (element.text or "", *element.attrib.values()):
            if there.startswith(f"{BASE}/api/twimlets/"):
                assert there.isascii()


@given(st.sampled_from(sorted(TWIMLETS)), pairs, turns.filter(lambda turn: bool(turn.step)))
def test_a_turn_and_the_parameters_come_back_from_their_url(
    name: str, given_pairs: list[tuple[str, str]], turn: Turn
) -> None:
    query = urlencode(given_pairs, errors="replace")
    parameters = read_parameters(query)
    parts = urlsplit(twimlet_url(BASE, Twimlet(name=name, parameters=parameters, region="US"), delivery="d", turn=turn))
    assert parts.path == f"/api/twimlets/{name}"
    assert read_parameters(parts.query) == parameters
    again = read_twimlet_turn(name, parts.query, turn.form)
    assert (again.step, again.part, again.tries, again.index, again.count) == (
        turn.step,
        turn.part,
        turn.tries,
        turn.index,
        turn.count,
    )
    assert dict(parse_qsl(parts.query))["delivery"] == "d"


def test_a_document_that_would_be_too_large_is_a_sentence() -> None:
    numbers = [("PhoneNumbers[]", f"+1415555{number:04}") for number in range(1000, 1010)]
    document = asked(url("simulring", *numbers, Message="A long message. " * 400))
    assert document.said == [SORRY]
    assert [problem for problem in problems(document) if "64000 bytes" in problem]


def test_a_step_that_a_deploy_took_away_is_told_kindly() -> None:
    document = asked("message?Message=Hi&step=gone&turn=2")
    assert document.verbs == ["Say", "Hangup"]


def test_what_is_wrong_with_a_url_is_told_once_in_a_call() -> None:
    first = asked(url("findme", ("PhoneNumbers[]", ANN), ("PhoneNumbers[]", "x"), FailUrl="x"))
    assert len(problems(first)) == 2
    later = asked(at(first, "Dial", "action"), DialCallStatus="busy")
    assert problems(later) == []


def test_two_twimlets_of_one_call_are_told_apart() -> None:
    happened = [asked(url("message", Voice=voice)).happened for voice in ("alice", "man")]
    assert len({each.key for document in happened for each in document}) == 2


@pytest.mark.parametrize("name", TWIMLETS)
def test_what_happens_bears_the_name_of_the_twimlet(name: str) -> None:
    document = asked(url(name, PhoneNumber="x", Music="x"))
    assert {each.what["flow"] for each in document.happened} <= {f"twimlets/{name}"}
