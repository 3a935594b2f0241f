"""What a fault shows of a value from outside."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import looks_like_name, quoted, shown_field


@pytest.mark.parametrize("name", ["reminder", "order_id", "de-AT", "on-call.v2", "_x", "2026", "a" * 40])
def test_what_looks_like_a_name_is_shown(name: str) -> None:
    assert (quoted(name), shown_field(name)) == (repr(name), name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+14155550123",
        "14155550123",
        "x4155550123",
        "415-555-0123",
        "4.1.5.5.5.5.0",
        "Mrs Jones",
        "Zoë",
        "a" * 41,
        "a\n",
    ],
)
def test_of_everything_else_only_the_length_is_told(text: str) -> None:
    assert quoted(text) == f"a text of {len(text)} characters"
    assert shown_field(text) == f"a name of {len(text)} characters"


@given(st.text() | st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True))
def test_nothing_that_is_shown_holds_seven_digits_in_a_row_or_a_space(text: str) -> None:
    if looks_like_name(text):
        assert not re.search(r"\d{7}|\s", text.translate(str.maketrans("", "", "._-")))
