"""What an error of a send means: the table of shared/outbound/outcome.py, which docs/reference/statuses.md shows."""

import re
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import SignatureInvalid, SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.outcome import MEANINGS, Decision, Meaning, decide, is_unknown, wait_for

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "statuses.md"
EXPECTED = {
    "not processed": (Decision.RETRY, {20429, 21611}),
    "ambiguous": (Decision.FIND_OUT, {20500, 20503}),
    "opted out": (Decision.SUPPRESS, {21610, 63014}),
    "permanent, recipient": (
        Decision.FAIL,
        {21211, 21217, 21612, 21614, 21635, 30004, 30005, 30006, 63003, 63024, 13223, 13224, 13226},
    ),
    "permanent, request": (
        Decision.FAIL,
        {21602, 21603, 21604, 21617, 21620, 21609, 35114, 35115, 35117, 63016},
    ),
    "possibly temporary": (Decision.ONCE_MORE, {21214, 30003, 30008, 30017, 30022, 30023, 30450, 63018}),
    "account": (Decision.HOLD, {20003, 20005, 30002}),
    "configuration": (
        Decision.FAIL,
        {20404, 21212, 21210, 21408, 21215, 21216, 21601, 21606, 21608, 21219, 21703, 30007, 30032, 30034},
    ),
    "queue": (Decision.FAIL, {30001, 30036}),
}


def refused(code: int, status: int = 400) -> TwilioRefused:
    return TwilioRefused(status=status, code=code, explanation="")


def codes_of(group: str) -> set[int]:
    return {code for code, meaning in MEANINGS.items() if meaning.group == group}


@pytest.mark.parametrize("group", EXPECTED)
def test_each_code_has_one_meaning_and_each_meaning_one_decision(group: str) -> None:
    decision, codes = EXPECTED[group]
    assert codes_of(group) == codes
    assert {MEANINGS[code] for code in codes} == {Meaning(group, decision)}
    assert {decide(refused(code)) for code in codes} == {decision}


def test_there_is_nothing_else_in_the_table() -> None:
    assert MEANINGS.keys() == set().union(*(codes for _, codes in EXPECTED.values()))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TwilioUnavailable("429", code=20429, retry_after=3), Decision.RETRY),
        (TwilioUnavailable("refused connection"), Decision.RETRY),
        (TooLate("nothing left this process"), Decision.RETRY),
        (TwilioUnclear("HTTP 500", code=20500), Decision.FIND_OUT),
        (TwilioUnclear("HTTP 503", code=20503), Decision.FIND_OUT),
        (TwilioUnclear("no answer"), Decision.FIND_OUT),
        (refused(20003, status=401), Decision.HOLD),
        (refused(70051, status=401), Decision.HOLD),
        (refused(21211, status=401), Decision.HOLD),
        (refused(99999), Decision.FAIL),
        (refused(20404, status=404), Decision.FAIL),
        (TwilioUnclear("HTTP 401 without Twilio's error body", retry_after=9), Decision.FIND_OUT),
    ],
    ids=lambda value: f"{value}" if isinstance(value, SwitchboardError) else value.name,
)
def test_an_error_of_a_send_says_what_becomes_of_the_request(error: SwitchboardError, expected: Decision) -> None:
    assert decide(error) is expected


def test_what_may_be_temporary_is_tried_once_more_and_is_permanent_the_second_time() -> None:
    for code in codes_of("possibly temporary"):
        assert decide(refused(code), before=20429) is Decision.ONCE_MORE, "the first was another"
        for before in codes_of("possibly temporary"):
            assert decide(refused(code), before=before) is Decision.FAIL
    assert decide(refused(21611), before=21611) is Decision.RETRY, "what was not processed is tried on and on"


@pytest.mark.parametrize(("code", "minutes"), [(30003, 15), (30008, 15), (30450, 30), (30023, 24 * 60)])
def test_how_long_what_may_be_temporary_waits(code: int, minutes: int) -> None:
    assert wait_for(refused(code)) == timedelta(minutes=minutes)


def test_a_refusal_that_the_table_does_not_have_is_unknown_and_nothing_else_is() -> None:
    assert is_unknown(refused(99999))
    known = [refused(21211), refused(99999, status=401), TwilioUnclear("HTTP 500"), TwilioUnavailable("busy", code=7)]
    assert not any(is_unknown(error) for error in known)


def test_an_error_of_something_else_is_no_outcome() -> None:
    with pytest.raises(TypeError, match="SignatureInvalid"):
        decide(SignatureInvalid("x"))


def test_the_table_in_the_documentation_is_this_one() -> None:
    shown: dict[str, tuple[str, set[int]]] = defaultdict(lambda: ("", set()))
    for row in re.findall(
        r"^\| ([a-z, ]+) \| ([^|]*\d{5}[^|]*) \| ([a-z, ]+?)(?:: [^|]*)? \|$", DOCS.read_text("utf-8"), re.MULTILINE
    ):
        group, codes, decision = row
        shown[group] = (decision, {int(code) for code in re.findall(r"\b\d{5}\b", codes)})
    assert shown == {group: (decision.value, codes) for group, (decision, codes) in EXPECTED.items()}
