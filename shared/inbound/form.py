"""The form that Twilio posts: every field kept, blank and repeated ones too. Pure."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qsl

from shared.errors import FormInvalid
from shared.text.sids import SID, in_one_form

_SIDS: Final = "Sid"
"""how the names of fields end that hold one"""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
"""Twilio adds words: an unknown one is an event, and changes no state"""


class Form:
    """Named values in the order of their arrival; a name may stand more than once."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    @classmethod
    def parse(cls, body: bytes) -> "Form":
        """Parse application/x-www-form-urlencoded; bytes that are no UTF-8 come out as replacement characters."""
        # every field counts for the signature: whoever takes the body in limits it, as a whole
        return cls(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getall(self, name: str) -> list[str]:
        """Return all values of a name, as twilio.request_validator asks for them."""
        return self._values[name]

    def get(self, name: str) -> str | None:
        """Return the first value of a name, a SID in the one form it is known by; None where it is missing or blank."""
        return _known_as(name, next(iter(self._values.get(name, ())), "")) or None

    def sid(self, name: str) -> str:
        """Return the SID under a name.

        Raises:
            FormInvalid: it is missing, or not of a SID's shape.
        """
        return self._shaped(name, SID, "a SID")

    def word(self, name: str) -> str:
        """Return the status word under a name.

        Raises:
            FormInvalid: it is missing, or no such word.
        """
        return self._shaped(name, _WORD, "a status word")

    def _shaped(self, name: str, shape: re.Pattern[str], expected: str) -> str:
        value = self.get(name)
        if value is None or not shape.fullmatch(value):
            raise FormInvalid(f"expected {expected} in {name}, got {len(value or '')} other characters")
        return value

    def integer(self, name: str) -> int | None:
        """Return the value of a name where it is a whole number of up to nine digits."""
        value = self.get(name) or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else None  # noqa: PLR2004 - fits a table's Int32 (2³¹)

    def first_values(self) -> dict[str, str]:
        """Return the first value of each name, blank ones too, and SIDs as `get` does."""
        return {name: _known_as(name, values[0]) for name, values in self._values.items()}

    def as_dict(self) -> dict[str, str | list[str]]:
        """Return everything as it came, to be kept: a value, or a list where a name stands more than once."""
        return {name: values[0] if len(values) == 1 else values for name, values in self._values.items()}


def _known_as(name: str, value: str) -> str:
    return in_one_form(value) if name.endswith(_SIDS) else value
