"""What a template gives: a text for a message, or words for a call."""

from dataclasses import dataclass
from typing import Final, Literal

Channel = Literal["sms", "call"]
LONGEST: Final[dict[Channel, int]] = {"sms": 1600, "call": 4000}
"""characters of `body` and of `say`"""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text in the locale that was found for it; `voice` and `language` are those of `say`, for a call."""

    text: str
    locale: str
    voice: str | None = None
    language: str | None = None
