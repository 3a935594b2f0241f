from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared import seal
from shared.voice.flows.turn import Turn
from shared.voice.flows.turn_urls import MOST_AGAIN, once_more, read_turn
from shared.voice.flows.urls import LONGEST, callback_url, flow_url

BASE = "https://app.example.com"
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
whatever = st.text(st.characters(), max_size=40)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,99}", fullmatch=True)
small = st.integers(0, 999_999)
turns = st.builds(
    Turn,
    step=st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True),
    part=st.sampled_from(["enter", "done", "wait", "whisper", "screen"]),
    tries=small,
    index=small,
    count=small,
    inputs=st.dictionaries(anything, anything, max_size=3),
)


@given(turns, ids)
def test_a_turn_comes_back_from_its_url(turn: Turn, delivery: str) -> None:
    parts = urlsplit(flow_url(BASE, flow="line", delivery=delivery, turn=turn))
    assert parts.path == f"/api/voice/flow/line/{turn.step}"
    assert read_turn(turn.step, parts.query, {}) == turn
    assert seal.named(parts.query) == delivery
    assert seal.is_sealed(parts.query)


@given(st.dictionaries(whatever, st.text(st.characters(), max_size=300), max_size=30), whatever, whatever)
@example({"menu": "\ud800"}, "\ud800", "\ud800")
def test_a_url_is_ascii_and_no_longer_than_every_server_takes(inputs: dict[str, str], flow: str, delivery: str) -> None:
    url = flow_url(BASE, flow=flow, delivery=delivery, turn=Turn(step="menu", inputs=inputs))
    assert url.isascii()
    assert len(url) <= LONGEST


def test_the_latest_inputs_stay_when_not_all_fit() -> None:
    inputs = {"first": "1"} | {f"s{number}": "ä" * 100 for number in range(10)}
    query = urlsplit(flow_url(BASE, flow="line", delivery="d", turn=Turn(step="menu", inputs=inputs))).query
    assert list(read_turn("menu", query, {}).inputs) == ["s7", "s8", "s9"]


def test_the_first_turn_has_a_plain_url() -> None:
    assert (
        flow_url(BASE, flow="on call", delivery="a:b", turn=Turn(step="ask"))
        == f"{BASE}/api/voice/flow/on%20call/ask?delivery=a*b&v=2"
    )


@pytest.mark.parametrize(
    "query", ["", "part=later&try=-1&n=x&turn=1e9&again=", "try=٣&n=²&turn=9999999", "=&&&%ff=%00", "part"]
)
def test_what_is_malformed_is_as_at_first(query: str) -> None:
    assert read_turn("menu", query, {"Digits": "1"}) == Turn(step="menu", form={"Digits": "1"})


@given(st.text())
def test_any_query_is_a_turn(query: str) -> None:
    assert read_turn("menu", query, {}).step == "menu"
    seal.named(query)


def test_a_call_back_is_asked_to_come_again_where_it_fails() -> None:
    assert (
        callback_url(BASE, "voice/recording", delivery="a&b")
        == f"{BASE}/api/voice/recording?delivery=a%26b&v=2#rc=5&rp=all"
    )


def test_a_turn_is_put_off_with_its_input_and_so_often_only() -> None:
    first = Turn(step="menu", part="done", tries=1, count=4, inputs={"who": "Zoë & me"})
    url: str | None = flow_url(BASE, flow="line", delivery="d", turn=first)
    form = {"Digits": "12", "SpeechResult": "", "CallSid": "CA1", "From": "+14155550100"}
    for again in range(1, MOST_AGAIN + 1):
        assert url is not None
        url = once_more(url, form)
        assert url is not None
        query = urlsplit(url).query
        assert "14155550100" not in url
        assert seal.named(query) == "d"
        assert seal.is_sealed(query)
        assert read_turn("menu", query, {"CallSid": "CA1"}) == Turn(
            step="menu",
            part="done",
            tries=1,
            count=4,
            again=again,
            inputs={"who": "Zoë & me"},
            form={"Digits": "12", "CallSid": "CA1"},
        )
        form = {"CallSid": "CA1"}
    assert url is not None
    assert once_more(url, form) is None


def test_the_name_of_a_delivery_stays_as_it_is_written_where_a_turn_is_put_off() -> None:
    """Nobody knows how Twilio signs an escaped colon: no URL of ours has one."""
    again = once_more(flow_url(BASE, flow="line", delivery="shop:1", turn=Turn(step="menu")), {})
    assert again is not None
    assert urlsplit(again).query == "delivery=shop*1&again=1&v=2"


def test_a_turn_that_is_put_off_keeps_what_twilio_tells_once() -> None:
    told = {"DialCallStatus": "busy", "QueueResult": "leave", "RecordingUrl": f"{BASE}/RE1", "AnsweredBy": "human"}
    url = once_more(f"{BASE}/api/voice/inbound", told)
    assert url is not None
    assert read_turn("menu", urlsplit(url).query, {}).form == told


@given(st.text(), st.text())
def test_a_turn_can_be_put_off_whatever_was_said(speech: str, query: str) -> None:
    url = once_more(f"{BASE}/api/voice/flow/line/menu?{query}", {"SpeechResult": speech})
    assert url is None or url.isascii()


def test_a_turn_that_is_tried_again_brings_a_name_that_stands_there_twice() -> None:
    again = once_more(f"{BASE}/api/twimlets/message?Message[]=Hello&again=1&Message[]=World", {})
    assert again is not None
    assert urlsplit(again).query == "Message%5B%5D=Hello&Message%5B%5D=World&again=2&v=2"
