"""The words with which people end texts, want them again, or ask for help."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.consents.words import HELP, START, STOP, Word, is_twilios, may_be_an_answer, word_of

WORDS: list[tuple[str, Word]] = [
    *((text, "stop") for text in sorted(STOP)),
    *((text, "start") for text in sorted(START)),
    *((text, "help") for text in sorted(HELP)),
]
MARKS = " .,;:!?-_*\"'()\u00ad\u200b\u200d\u200e\u2066\u2069\ufe0f\ufeff\u00a0\n"
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
    assert is_twilios(f"{before}{written}{after}")


@pytest.mark.parametrize(
    "text",
    [
        "Opt out",
        "opt-out",
        "OPT OUT.",
        "Stop.",
        "STOP!",
        "stop ALL",
        '"STOP"',
        "\u201cStop\u201d",
        "\u200eSTOP",
        "STOP\u200b",
        "S\u200bTOP",
        "\ufeffstop\u2069",
        "STOP\ufe0f",
        "*STOP*",
        "_stop_",
        "S.T.O.P.",
        "\uff33\uff34\uff2f\uff30",
        "Un-subscribe!",
        "STOP \U0001f6d1",
    ],
    ids=ascii,
)
def test_punctuation_and_what_nobody_sees_keep_no_opt_out_from_counting(text: str) -> None:
    assert word_of(text, None) == "stop"
    assert not is_twilios(text)


@given(known=st.sampled_from(WORDS), marks=st.lists(st.text(MARKS, max_size=3), min_size=12, max_size=12))
def test_a_word_counts_with_any_marks_between_its_letters_and_around_it(
    known: tuple[str, Word], marks: list[str]
) -> None:
    text, word = known
    written = "".join(mark + letter for mark, letter in zip(marks, text, strict=False)) + marks[-1]
    assert is_twilios(written) == (written.strip() == text)
    expected = None if text == "YES" and not is_twilios(written) else word
    assert word_of(written, None) == expected


@pytest.mark.parametrize(
    "text",
    [
        "stop by later",
        "Please stop",
        "Stop it!",
        "STOP STOP",
        "don't stop",
        "stop 5",
        "the end",
        "End of June?",
        "opt out of what?",
        "stopp",
        "nonstop",
        "quite",
        "\U0001f6d1",
        "st\u00f6p",
        "",
    ],
    ids=ascii,
)
def test_a_text_that_says_more_is_no_opt_out(text: str) -> None:
    assert word_of(text, None) is None


@given(
    known=st.sampled_from(WORDS),
    more=st.text("abcxyz0159\u00e9\u4e2d", min_size=1, max_size=5),
    gap=st.sampled_from(["", " ", "\n", ", "]),
)
def test_a_word_is_the_whole_message_or_none(known: tuple[str, Word], more: str, gap: str) -> None:
    for text in (known[0] + gap + more, more + gap + known[0]):
        assert word_of(text, None) is None


@given(st.none() | st.text())
def test_any_other_text_is_no_word(text: str | None) -> None:
    read = "".join(letter for letter in unicodedata.normalize("NFKC", text or "") if letter.isalnum()).casefold()
    if read.upper() not in {text for text, _ in WORDS}:
        assert word_of(text, None) is None


@pytest.mark.parametrize("text", ["Yes!", "yes.", "Y E S", "\u200eYES"], ids=ascii)
def test_a_yes_that_twilio_does_not_know_is_no_word_at_all(text: str) -> None:
    assert word_of(text, None) is None
    assert not may_be_an_answer(text, None)


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
