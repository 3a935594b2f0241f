"""How Twilio's segment calculator parts a text into graphemes; it never splits one between two segments. Pure.

The calculator, https://github.com/TwilioDevEd/message-segment-calculator, uses the npm package grapheme-splitter 1.0.4:
UAX 29 of Unicode 10.0.0, https://www.unicode.org/reports/tr29/tr29-31.html, with deviations that this module follows.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from shared.text.grapheme_classes import CLASSES

_HANGUL: Final = range(0xAC00, 0xD7A4)
_HANGUL_FINALS: Final = 28
_SECOND: Final = 3
"""where the second class of a grapheme stands, behind two blanks and the first"""
_OTHER: Final = "OTHER"
_BASES: Final = frozenset({"BASE", "BASE_OR_GLUE"})
_CONTINUES: Final = frozenset({"EXTEND", "ZWJ", "SPACING"})
_JOINED: Final = frozenset(
    {
        *(("L", after) for after in ("L", "V", "LV", "LVT")),
        *(("LV", after) for after in ("V", "T")),
        *(("V", after) for after in ("V", "T")),
        *(("LVT", "T"), ("T", "T")),
        *(("ZWJ", after) for after in ("GLUE", "BASE_OR_GLUE")),
    }
)
"""neighbours that belong together whatever stands before them"""


def _ranges() -> Iterator[tuple[int, int, str]]:
    for name, listed in CLASSES.items():
        for part in listed.split():
            first, _, last = part.partition("-")
            yield int(first, 16), int(last or first, 16), name


_SORTED: Final = sorted(_ranges())
_FIRSTS: Final = [first for first, _, _ in _SORTED]


def graphemes(text: str) -> list[str]:
    """Return the graphemes of a text, in order; CR LF are two, as the calculator counts them."""
    begins: list[int] = []
    cluster = _Cluster()
    for index, character in enumerate(text):
        kind = _class_of(character)
        if not cluster.takes(kind):
            cluster = _Cluster()
            begins.append(index)
        cluster.add(kind)
    return [text[begin:end] for begin, end in zip(begins, [*begins[1:], None], strict=False)]


class _Cluster:
    """The classes of a grapheme so far, as far as the next character depends on them."""

    def __init__(self) -> None:
        self._kinds: list[str] = ["", ""]
        self._is_extended = False

    def add(self, kind: str) -> None:
        self._kinds.append(kind)
        self._is_extended |= kind == "EXTEND"

    def takes(self, kind: str) -> bool:
        """Tell whether a character of this class belongs to the grapheme; an empty one takes none."""
        before, last = self._kinds[-2:]
        if not last or "CONTROL" in {last, kind} or self._has_flag_and_mark():
            return False
        if kind in _CONTINUES or last == "PREPEND" or (last, kind) in _JOINED:
            return True
        if kind == "MODIFIER":
            # a deviation: one mark may stand between an emoji and the colour of its skin, not two
            return before in _BASES if last == "EXTEND" else last in _BASES and not self._is_extended
        return last == kind == "REGIONAL" and "REGIONAL" not in self._kinds[_SECOND:]

    def _has_flag_and_mark(self) -> bool:
        # a deviation: one mark may follow a flag, not two
        is_flag = self._kinds[_SECOND : _SECOND + 1] == ["REGIONAL"]
        return is_flag and self._kinds[-1] not in {"PREPEND", "REGIONAL"}


def _class_of(character: str) -> str:
    point = ord(character)
    if point in _HANGUL:
        return "LVT" if (point - _HANGUL.start) % _HANGUL_FINALS else "LV"
    _, last, name = _SORTED[bisect_right(_FIRSTS, point) - 1]
    return name if point <= last else _OTHER
