from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.voice.twimlets.parameters import KNOWN, read_parameters

values = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("Message=Hello", ["Hello"]),
        ("Message%5B0%5D=Hello&Message%5B1%5D=World", ["Hello", "World"]),
        ("Message[0]=Hello&Message[1]=World", ["Hello", "World"]),
        ("Message[]=Hello&Message[]=World", ["Hello", "World"]),
        ("Message[1]=World&Message[0]=Hello", ["World", "Hello"]),
        ("Message[0]=Hello&Message[0]=World", ["World"]),
        ("Message[7]=Hello&Message[]=World", ["Hello", "World"]),
        ("Message[]=&Message[]=+&Message[]=Hello", ["Hello"]),
        ("Message=Hello+there%21", ["Hello there!"]),
        ("message=Hello&Messages=Hello&Message[=Hello&Message[[0]]=Hello&=Hello", []),
        ("", []),
    ],
)
def test_values_stand_alone_or_in_a_list_as_php_has_it(query: str, texts: list[str]) -> None:
    assert list(read_parameters(query).texts("Message")) == texts


def test_a_key_is_what_is_pressed() -> None:
    parameters = read_parameters("Options[1]=a&Options[12]=b&Options[*]=c&Options[]=d")
    assert parameters.keyed("Options") == {"1": "a", "12": "b", "*": "c", "13": "d"}


def test_what_twilio_tells_is_no_parameter() -> None:
    told = "Message=Hello&CallSid=CA1&From=%2B1&delivery=d&step=menu&part=done&i.menu=1"
    assert read_parameters(told).pairs == (("Message", "Hello"),)


def test_a_blank_one_is_there_all_the_same() -> None:
    parameters = read_parameters("HumanCheck=")
    assert (parameters.has("HumanCheck"), parameters.text("HumanCheck")) == (True, None)
    assert not parameters.has("Message")


@given(st.lists(st.tuples(st.sampled_from(sorted(KNOWN)), values), max_size=8))
def test_what_was_read_is_read_again_from_a_url_of_it(pairs: list[tuple[str, str]]) -> None:
    listed = [(f"{name}[]", value) for name, value in pairs]
    parameters = read_parameters(urlencode(listed))
    assert list(parameters.pairs) == listed
    assert read_parameters(urlencode(parameters.pairs)) == parameters


@given(st.text(max_size=80))
def test_any_query_can_be_read(text: str) -> None:
    for query in (text, quote(text, errors="replace"), f"Message[{text}]={text}"):
        parameters = read_parameters(query)
        for name in KNOWN:
            assert all(value.strip() for value in parameters.texts(name))
