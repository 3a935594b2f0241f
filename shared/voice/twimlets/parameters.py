"""The parameters of a twimlet, as PHP read those of the originals: `Name=…`, `Name[]=…`, `Name[0]=…`. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

KNOWN: Final = frozenset(
    {
        *("Message", "Options", "Voice", "Language", "PhoneNumber", "PhoneNumbers", "CallerId", "AllowedCallers"),
        *("Timeout", "FailUrl", "Dial", "HumanCheck", "Email", "Transcribe", "Name", "Moderators", "Password", "Music"),
    }
)
_NAME: Final = re.compile(r"([A-Za-z]+)(?:\[([^\[\]]{0,20})\])?")
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Names and values as they came, in their order, and nothing that Twilio tells."""

    pairs: tuple[Pair, ...] = ()

    def has(self, name: str) -> bool:
        """Whether it stands there at all, were it blank."""
        return any(base == name for base, _, _ in self._read())

    def text(self, name: str) -> str | None:
        """Return the first value that is not blank."""
        return next(iter(self.texts(name)), None)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values that are not blank, in the order of their keys' first appearance, as PHP does."""
        return tuple(self.keyed(name).values())

    def keyed(self, name: str) -> dict[str, str]:
        """Return the values that are not blank by their keys; `Name[]` takes the next number, a later value counts."""
        found: dict[str, str] = {}
        for base, key, value in self._read():
            if base == name:
                found[key or _next(found)] = value
        return {key: value for key, value in found.items() if value.strip()}

    def _read(self) -> Iterable[tuple[str, str | None, str]]:
        for written, value in self.pairs:
            match = _NAME.fullmatch(written)
            if match is not None:
                yield match[1], match[2], value


def read_parameters(query: str) -> Parameters:
    """Read what stands in a URL's query; what is posted is never read, as who calls from a browser adds to that."""
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return Parameters(tuple(pair for pair in pairs if (match := _NAME.fullmatch(pair[0])) and match[1] in KNOWN))


def _next(found: dict[str, str]) -> str:
    return str(max((int(key) for key in found if key.isascii() and key.isdecimal()), default=-1) + 1)
