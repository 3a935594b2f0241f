"""The words with which people end texts, want them again, or ask for help. Pure.

https://help.twilio.com/articles/223134027
"""

from typing import Final, Literal

Word = Literal["stop", "start", "help"]

STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START: Final = frozenset({"START", "YES", "UNSTOP"})
HELP: Final = frozenset({"HELP", "INFO"})
_ALSO_ANSWERS: Final = frozenset({"YES"})
_MEANING: Final[dict[str, Word]] = {
    **dict.fromkeys(STOP, "stop"),
    **dict.fromkeys(START, "start"),
    **dict.fromkeys(HELP, "help"),
}
_TYPES: Final[dict[str, Word]] = {"STOP": "stop", "START": "start", "HELP": "help"}


def word_of(body: str | None, opt_out_type: str | None) -> Word | None:
    """Return what an inbound text asks for, or None: a word counts in any case, and only as the whole message.

    `opt_out_type` is what Advanced Opt-Out made of the text, in any language: it goes before the text.
    https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
    """
    return _TYPES.get(_upper(opt_out_type)) or _MEANING.get(_upper(body))


def may_be_an_answer(body: str | None, opt_out_type: str | None) -> bool:
    """Tell whether a text is a word only if its sender opted out before: everybody else says yes to something."""
    return _upper(opt_out_type) not in _TYPES and _upper(body) in _ALSO_ANSWERS


def _upper(text: str | None) -> str:
    return (text or "").strip().upper()
