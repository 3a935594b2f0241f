"""Colours for a person at a terminal; none in a file or a pipe, or if NO_COLOR is set."""

import os
import sys
from typing import Final, Literal, TextIO

Colour = Literal["red", "green", "yellow"]
# https://www.ecma-international.org/publications-and-standards/standards/ecma-48/ (SGR)
_CODES: Final[dict[Colour, int]] = {"red": 31, "green": 32, "yellow": 33}
_OF_STATUS: Final[dict[str, Colour]] = {
    **dict.fromkeys(("delivered", "read", "completed", "received"), "green"),
    **dict.fromkeys(("rejected", "undelivered", "failed", "busy", "no-answer"), "red"),
    **dict.fromkeys(("uncertain", "retrying", "held", "canceled", "suppressed", "expired"), "yellow"),
}


def are_shown(stream: TextIO) -> bool:
    """Whether the stream is a terminal that shows colours, and nobody asked for none: https://no-color.org."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    # The console of Windows before Windows Terminal prints the codes as they are.
    return stream.isatty() and (os.name != "nt" or "WT_SESSION" in os.environ)


def painted_status(text: str, status: str) -> str:
    """Return a text for standard output in the colour of a status: green for a success, red for a failure."""
    colour = _OF_STATUS.get(status)
    if colour is None or not are_shown(sys.stdout):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"
