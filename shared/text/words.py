"""A text as its words, read the same way for consent and for reply rules. Pure."""

import re
import unicodedata
from typing import Final

Words = tuple[str, ...]
"""the words of a text in lower case, without punctuation, white space and invisible characters"""
_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point: https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt"""
_IGNORED: Final = re.compile(f"[{_INVISIBLE}]")
# an underscore is punctuation: WhatsApp writes italics as _word_
_WORD: Final = re.compile(rf"[^\W_{_INVISIBLE}](?:[^\W_]|[{_INVISIBLE}])*")
_BETWEEN: Final = " \t\r\n,.:;-"


def words_of(text: str) -> Words:
    """Return a text as its words; a text without any, such as an emoji, is one word."""
    written = _normalized(text)
    words = tuple(_visible(match.group()).casefold() for match in _WORD.finditer(written))
    return words or (_visible(written).strip().casefold(),)


def after(text: str, count: int) -> str:
    """Return what follows the first `count` words of a text, without the punctuation around it."""
    written = _normalized(text)
    ends = [word.end() for word in _WORD.finditer(written)]
    return written[ends[count - 1] if ends else len(written) :].strip(_BETWEEN)


def _normalized(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _visible(text: str) -> str:
    return _IGNORED.sub("", text)
