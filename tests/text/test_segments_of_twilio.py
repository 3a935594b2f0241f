"""The count of segments is that of Twilio's own calculator, for whatever is written."""

import random

import pytest

from shared.text.grapheme_classes import CLASSES
from shared.text.graphemes import graphemes
from shared.text.segments import count
from tests.text.segment_calculator import CalculatorMissingError, count_all

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1e9\U0001f1ea"
PIECES = ["a", "é", "€", "{", "中", "한", "e\u0301", "\u0939\u093f", "😀", "👍🏽", FAMILY, FLAG, "\u0600", "\r\n", "\n"]
LENGTHS = [0, 1, 30, 65, 66, 67, 68, 69, 70, 71, 133, 134, 135, 152, 153, 154, 159, 160, 161, 201]
TEXTS = 10_000


def _edges() -> list[str]:
    """The characters at the edges of each class, and those next to them."""
    ends = [part.split("-") for listed in CLASSES.values() for part in listed.split()]
    points = {int(end, 16) + step for pair in ends for end in pair for step in (-1, 0, 1)}
    return [chr(point) for point in sorted(points) if 0 <= point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF]


def _written(dice: random.Random, edges: list[str]) -> str:
    """A text around the length of a segment, with what is not split somewhere in it, and marks one after the other."""
    piece = dice.choice(PIECES)
    text = (piece * dice.choice(LENGTHS))[: dice.choice(LENGTHS)]
    for _ in range(dice.choice([0, 1, 1, 2, 5, 20])):
        at = dice.randint(0, len(text))
        text = text[:at] + "".join(dice.choices(PIECES + edges, k=dice.choice([1, 2, 3]))) + text[at:]
    return text.rstrip("\r\n")


def test_ten_thousand_texts_take_the_segments_that_twilios_calculator_says() -> None:
    dice, edges = random.Random(14), _edges()  # noqa: S311 - the same texts each time
    # each edge of a class once, where the second segment begins
    texts = [f"{'中' * 65}👦{edge}\u0301{'a' * 66}" for edge in edges]
    texts += [_written(dice, edges) for _ in range(TEXTS - len(texts))]
    try:
        expected = count_all(texts)
    except CalculatorMissingError as missing:
        pytest.skip(str(missing))
    counted = [(found.encoding, found.segments) for found in map(count, texts)]
    differing = [
        (text, ours, theirs) for text, ours, theirs in zip(texts, counted, expected, strict=True) if ours != theirs
    ]
    assert differing == []


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("中" * 66 + "e\u0301" + "a" * 66, 3),
        ("中" * 66 + "é" + "a" * 67, 2),
        ("中" * 65 + "e\u0301" + "a" * 67, 2),
        ("e\u0301" * 35, 1),
        ("e\u0301" * 67, 3),
        (FLAG * 17 + "中", 1),
        (FLAG * 33, 3),
        (FAMILY * 16, 2),
        (FAMILY * 17, 3),
        ("中" * 66 + "👍🏽" + "a" * 64, 3),
        ("\u1112\u1161\u11ab" * 45, 3),
        ("a" * 80 + "\r\n" + "a" * 79, 2),
        ("e" + "\u0301" * 70, 2),
    ],
)
def test_what_twilios_calculator_says_of_these_is_known(text: str, segments: int) -> None:
    """Made with version 1.3.0 of the calculator, for machines without npm."""
    assert count(text).segments == segments


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("ab", ["a", "b"]),
        ("\r\n", ["\r", "\n"]),
        ("e\u0301\u0302x", ["e\u0301\u0302", "x"]),
        (FAMILY + FLAG + FLAG, [FAMILY, FLAG, FLAG]),
        ("\U0001f1e9" + FLAG, ["\U0001f1e9\U0001f1e9", "\U0001f1ea"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("👍\ufe0f🏽", ["👍\ufe0f🏽"]),
        ("👍\ufe0f\ufe0f🏽", ["👍\ufe0f\ufe0f", "🏽"]),
        (FLAG + "\u0301\u0301", [FLAG + "\u0301", "\u0301"]),
        ("한\u1112\u1161\u11ab", ["한", "\u1112\u1161\u11ab"]),
        ("\u0600a", ["\u0600a"]),
    ],
    ids=ascii,
)
def test_a_text_is_parted_as_the_calculator_parts_it(text: str, parts: list[str]) -> None:
    assert graphemes(text) == parts
