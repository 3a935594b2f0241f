"""What was pressed or said at a step that asks, and the way that it chooses. Pure."""

import re
from collections.abc import Mapping
from typing import Final

LONGEST: Final = 100
"""characters of an input that is kept for later texts"""
_WORD: Final = re.compile(r"\w+")


def chosen(ways: Mapping[str, str], *, digits: str, speech: str) -> str | None:
    """Return the way of an input: digits by exactly those, speech by whole words in it, the longest way first."""
    if digits:
        return ways.get(digits)
    said = _words(speech)
    for key in sorted(ways, key=lambda key: (-len(key), key)):
        words = _words(key)
        if words != _NOTHING and words in said:
            return ways[key]
    return None


def _words(text: str) -> str:
    return " ".join(["", *_WORD.findall(text.casefold()), ""])


_NOTHING: Final = _words("")
