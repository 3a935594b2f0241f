"""How a text message is encoded, how many segments it takes, and how to keep it in the cheaper encoding. Pure."""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from shared.text.graphemes import graphemes

Encoding = Literal["GSM-7", "UCS-2"]

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""behind an escape, so two units each: https://www.3gpp.org/ftp/Specs/html-info/23038.htm, 6.2.1.1"""
_GSM: Final = _BASIC | _EXTENSION
_LENGTHS: Final[dict[Encoding, tuple[int, int]]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
"""units of a segment that stands alone, and of one of several, which begins with a header of six bytes"""
_LAST_OF_ONE_UNIT: Final = "\uffff"

_PLAIN: Final = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u02b9\u02bb\u02bc\u02bd\u02c8\u02ca\u02cb\u00b4\u0060\uff07",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u02ba\u02ee\u301d\u301e\u301f\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2022\u2043\ufe58\ufe63\uff0d",
    "...": "\u2026",
    "/": "\u2044\u2215",
    " ": "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u0085\u2028\u2029",
    "": "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff",
}
_TO_PLAIN: Final = str.maketrans({fancy: simple for simple, many in _PLAIN.items() for fancy in many})


@dataclass(frozen=True, slots=True)
class Count:
    """What a text takes: `units` are septets in GSM-7 and 16-bit units in UCS-2; Twilio bills `segments`.

    `outside` are the characters that GSM-7 doesn't have, each once: one of them is enough to make the whole UCS-2.
    """

    encoding: Encoding
    characters: int
    units: int
    segments: int
    outside: tuple[str, ...]


def count(text: str) -> Count:
    """Count a text's segments as Twilio does; an empty one takes one.

    No character of GSM-7's extension table and no grapheme is split between two segments:
    https://www.twilio.com/docs/glossary/what-sms-character-limit. Trailing line breaks do not count, as Twilio trims
    them: https://github.com/TwilioDevEd/message-segment-calculator/blob/main/scripts/manual-test-plan.js
    """
    sent = trimmed(text)
    outside = tuple(dict.fromkeys(character for character in sent if character not in _GSM))
    costs = _utf16_units(sent) if outside else _septets(sent)
    encoding: Encoding = "UCS-2" if outside else "GSM-7"
    return Count(
        encoding=encoding,
        characters=len(sent),
        units=sum(costs),
        segments=_segments(costs, encoding),
        outside=outside,
    )


def trimmed(text: str) -> str:
    """Return a text as Twilio sends it: without line breaks at its end."""
    return text.rstrip("\r\n")


def plain(text: str) -> str:
    """Write a text in GSM-7 where typographic punctuation is all that keeps it out; any other comes back as it was.

    Quotes, dashes, ellipses and wide spaces become their plain forms, invisible characters go, and a letter with a
    separate accent becomes the one with it. Where something else needs UCS-2 all the same, or three dots for each
    ellipsis would make more segments, nothing would be won, and nothing changes:
    https://www.twilio.com/docs/messaging/services#smart-encoding
    """
    simple = unicodedata.normalize("NFC", text).translate(_TO_PLAIN)
    if not _GSM.issuperset(simple) or count(simple).segments > count(text).segments:
        return text
    return simple


def _septets(text: str) -> list[int]:
    return [2 if character in _EXTENSION else 1 for character in text]


def _utf16_units(text: str) -> list[int]:
    """Return the units of each grapheme."""
    return [sum(2 if character > _LAST_OF_ONE_UNIT else 1 for character in one) for one in graphemes(text)]


def _segments(costs: list[int], encoding: Encoding) -> int:
    """Count the segments of what is not split, as Twilio's calculator fills them.

    It begins with a segment without a header. Where that is full, it adds the header and moves what no longer fits to
    the second segment, together with the next one, whatever their length.
    """
    alone, joined = _LENGTHS[encoding]
    segments, taken, first = 1, 0, []
    for cost in costs:
        if segments == 1 and taken + cost <= alone:
            first.append(cost)
            taken += cost
        elif segments == 1:
            segments, taken = 2, cost + _moved(first, joined)
        elif taken + cost <= joined:
            taken += cost
        else:
            segments, taken = segments + 1, cost
    return segments


def _moved(first: list[int], joined: int) -> int:
    """Return how many units the first segment passes on where only `joined` fit."""
    kept = 0
    for index, cost in enumerate(first):
        if kept + cost > joined:
            return sum(first[index:])
        kept += cost
    return 0
