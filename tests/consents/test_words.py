"""The words with which people end texts, want them again, or ask for help."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.consents.words import HELP, START, STOP, Word, may_be_an_answer, word_of

WORDS: list[tuple[str, Word]] = [
    *((text, "stop") for text in sorted(STOP)),
    *((text, "start") for text in sorted(START)),
    *((text, "help") for text in sorted(HELP)),
]
spaces = st.text(" \t\r\n\u00a0", max_size=4)


def test_they_are_the_words_that_twilio_knows() -> None:
    assert {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"} == STOP
    assert {"START", "YES", "UNSTOP"} == START
    assert {"HELP", "INFO"} == HELP


@given(known=st.sampled_from(WORDS), before=spaces, after=spaces, upper=st.integers(0, 2**11 - 1))
def test_a_word_counts_in_any_case_and_between_any_spaces(
    known: tuple[str, Word], before: str, after: str, upper: int
) -> None:
    text, word = known
    written = "".join(letter.upper() if upper >> place & 1 else letter.lower() for place, letter in enumerate(text))
    assert word_of(f"{before}{written}{after}", None) == word


@given(known=st.sampled_from(WORDS), more=st.from_regex(r"[0-9.!?,'\U0001F6D1]{1,3}|[ \n]\w+", fullmatch=True))
def test_a_word_is_the_whole_message_or_none(known: tuple[str, Word], more: str) -> None:
    assert word_of(known[0] + more, None) is None
    assert word_of(more + known[0], None) is None


@given(st.none() | st.text())
def test_any_other_text_is_no_word(text: str | None) -> None:
    known = {text for text, _ in WORDS}
    assert (word_of(text, None) is not None) == ((text or "").strip().upper() in known)


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("Arrêt", "STOP", "stop"),
        ("Hallo", "START", "start"),
        ("Hilfe", "HELP", "help"),
        ("STOP", "HELP", "help"),
        ("START", "STOP", "stop"),
        (None, "STOP", "stop"),
    ],
)
def test_what_advanced_opt_out_made_of_it_goes_before_the_text(body: str | None, kind: str, expected: Word) -> None:
    assert word_of(body, kind) == expected


@pytest.mark.parametrize("kind", ["", " ", "PAUSE", "QUIT", "YES"])
def test_a_type_that_nobody_knows_leaves_it_to_the_text(kind: str) -> None:
    assert word_of("stop", kind) == "stop"
    assert word_of("Hello", kind) is None


def test_yes_may_be_an_answer_unless_twilio_says_what_it_is() -> None:
    assert may_be_an_answer("yes ", None)
    assert may_be_an_answer("YES", "")
    assert not may_be_an_answer("Yes", "START")


def test_no_other_word_may_be_an_answer() -> None:
    assert [text for text, _ in WORDS if may_be_an_answer(text, None)] == ["YES"]
