import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.by import read_by
from shared.errors import RequestInvalid

names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=100)
CONTROLS = [chr(code) for code in (0, 7, 9, 10, 13, 27, 127, 0x85, 0x9B, 0x2028, 0x2029, 0x202E, 0x2066, 0x200F)]


@given(names)
def test_who_names_themselves_is_known_by_that_name(name: str) -> None:
    assert read_by(json.dumps({"by": name}).encode()) == name


@pytest.mark.parametrize("content", [b"", b"{}", b'{"by": null}'])
def test_nobody_has_to_name_themselves(content: bytes) -> None:
    assert read_by(content) is None


def test_the_query_may_say_it_and_the_body_goes_first() -> None:
    assert read_by(b"", query="Ada") == "Ada"
    assert read_by(b"{}", query="Ada") == "Ada"
    assert read_by(b'{"by": "Grace"}', query="Ada") == "Grace"


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("form", ["{}Ada", "A{}da", "Ada{}"])
def test_no_control_character_is_kept(control: str, form: str) -> None:
    name = form.format(control)
    with pytest.raises(RequestInvalid, match="by: expected 1 to 100 characters"):
        read_by(json.dumps({"by": name}).encode())
    with pytest.raises(RequestInvalid):
        read_by(b"", query=name)


@pytest.mark.parametrize(
    "content", [b'{"by": ""}', b'{"by": "  "}', b'{"by": 7}', b'{"who": "Ada"}', b'["Ada"]', b"Ada", b"\xff"]
)
def test_what_is_no_name_is_refused(content: bytes) -> None:
    with pytest.raises(RequestInvalid):
        read_by(content)


def test_a_name_has_100_characters_at_most() -> None:
    assert read_by(json.dumps({"by": "é" * 100}).encode()) == "é" * 100
    with pytest.raises(RequestInvalid):
        read_by(json.dumps({"by": "é" * 101}).encode())
