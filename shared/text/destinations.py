"""Whom somebody may call, as a list says it: whole addresses, and beginnings of addresses. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from shared.errors import SwitchboardError
from shared.text.numbers import CLIENT, E164, cleaned

SAMPLES: Final = "numbers in E.164, +49*, client:NAME and client:*"
_ANY: Final = "*"
_BEGINNING: Final = re.compile(r"(\+([1-9][0-9]{0,13})?|client:[A-Za-z0-9_.@+-]{0,119})\*")


class DestinationsInvalid(SwitchboardError):
    """A list that holds something that is no destination."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """A list of destinations; what is not in it is nobody's to call."""

    whole: frozenset[str]
    beginnings: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Destinations":
        """Read a list whose parts stand apart by commas or spaces; a part that ends with `*` is a beginning.

        Raises:
            DestinationsInvalid: one of them is neither; it is counted, not shown.
        """
        parts = [part for part in map(cleaned, re.split(r"[\s,;]+", text)) if part]
        for place, part in enumerate(parts, start=1):
            if not any(pattern.fullmatch(part) for pattern in (E164, CLIENT, _BEGINNING)):
                raise DestinationsInvalid(f"expected {SAMPLES}, got another text in place {place}")
        beginnings = [part.removesuffix(_ANY) for part in parts if part.endswith(_ANY)]
        return cls(frozenset(part for part in parts if not part.endswith(_ANY)), tuple(beginnings))

    def __contains__(self, address: str) -> bool:
        """Tell whether a number in E.164, or `client:NAME`, is one of them."""
        return address in self.whole or address.startswith(self.beginnings)
