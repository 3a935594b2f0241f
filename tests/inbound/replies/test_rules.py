"""Which rule a text meets, and what follows a prefix: in any case, with any punctuation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.replies.rules import Rule, choose
from shared.text.words import words_of

NUMBER, OTHER, SERVICE = "+15005550006", "+15005550010", "MG" + "5" * 32


def a_rule(name: str = "rule", *, words: str = "", prefixes: str = "", numbers: str = "") -> Rule:
    """A rule, its words and prefixes written with | between them."""
    return Rule(
        name=name,
        words=tuple(words_of(word) for word in words.split("|") if word),
        prefixes=tuple(words_of(prefix) for prefix in prefixes.split("|") if prefix),
        numbers=frozenset(filter(None, numbers.split("|"))),
    )


def met(text: str, *rules: Rule, at: tuple[str, ...] = (NUMBER,)) -> str | None:
    chosen = choose(rules, text, at=set(at))
    return None if chosen is None else chosen.rule.name


def rest(text: str, prefix: str) -> str | None:
    chosen = choose([a_rule(prefixes=prefix)], text, at={NUMBER})
    return None if chosen is None else chosen.rest


@pytest.mark.parametrize(
    "text",
    [
        "hours",
        "HOURS",
        " Hours? ",
        "“hours”",
        "hours!!\n",
        "\uff48\uff4f\uff55\uff52\uff53",
        "\u200ehours\u200b",
        "ho\u00adurs",
        "_hours_",
    ],
    ids=ascii,
)
def test_a_word_counts_in_any_case_and_with_any_punctuation(text: str) -> None:
    assert met(text, a_rule(words="hours")) == "rule"


@pytest.mark.parametrize("text", ["hour", "hours today", "your hours", "h ours", "", "?"])
def test_a_word_counts_only_as_the_whole_text(text: str) -> None:
    assert met(text, a_rule(words="hours")) is None


def test_a_word_may_be_several_and_an_emoji() -> None:
    assert met("Opening   hours", a_rule(words="opening hours")) == "rule"
    assert met("👍", a_rule(words="yes please|👍")) == "rule"
    assert met("👎", a_rule(words="👍")) is None
    assert met("STRASSE", a_rule(words="straße")) == "rule"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order 4711", "4711"),
        ("ORDER: 4711", "4711"),
        ("Order-4711", "4711"),
        ("order", ""),
        ("order  Zoë's Parcel, please.", "Zoë's Parcel, please"),
        ("  order #4711\nthank you", "#4711\nthank you"),
        ("order4711", None),
        ("reorder 4711", None),
        ("my order 4711", None),
        ("", None),
    ],
)
def test_what_follows_a_prefix_is_kept_as_it_was_written(text: str, expected: str | None) -> None:
    assert rest(text, "order") == expected


def test_what_nobody_sees_is_no_part_of_a_word_and_stays_in_what_follows() -> None:
    assert (
        rest("\u200eor\u200bder\u200b: \U0001f469\u200d\U0001f692 4711", "order") == "\U0001f469\u200d\U0001f692 4711"
    )
    assert met("\u2764\ufe0f", a_rule(words="\u2764")) == met("\u2764", a_rule(words="\u2764\ufe0f")) == "rule"


def test_a_prefix_may_be_several_words() -> None:
    assert rest("Where  IS my parcel?", "where is") == "my parcel?"
    assert rest("where was it", "where is") is None
    assert rest("where", "where is") is None


def test_the_first_rule_that_fits_is_the_one() -> None:
    rules = a_rule("exact", words="order"), a_rule("begins", prefixes="order"), a_rule("any")
    assert [met(text, *rules) for text in ("order", "order 1", "else", "")] == ["exact", "begins", "any", "any"]


def test_a_rule_for_a_number_is_for_no_other_and_one_for_a_service_for_all_of_its() -> None:
    rules = a_rule("here", numbers=NUMBER), a_rule("service", numbers=SERVICE), a_rule("anywhere", words="hello")
    assert met("hello", *rules) == "here"
    assert met("hello", *rules, at=(OTHER,)) == "anywhere"
    assert met("hello", *rules, at=(OTHER, SERVICE)) == "service"
    assert met("bye", *rules, at=(OTHER, "")) is None


@given(st.text(max_size=50))
def test_whatever_is_written_a_text_meets_its_own_words_and_no_other_text_is_needed(text: str) -> None:
    own = Rule(name="own", words=(words_of(text),))
    assert met(text, own) == met(f"  {text}\n", own) == "own"


@given(st.text(max_size=50))
def test_whatever_follows_a_prefix_it_is_met(more: str) -> None:
    assert met(f"order {more}", a_rule(prefixes="order")) == "rule"


def test_the_words_of_every_rule_are_asked_before_a_rule_for_every_text() -> None:
    assert met("", a_rule(words="hello")) is None
    assert met("", a_rule("any")) == "any"
