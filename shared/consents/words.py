"""The words with which people end texts, want them again, or ask for help. Pure.

Twilio knows these words as single-word messages, in any case: https://help.twilio.com/articles/223134027. It knows
neither a word with punctuation nor "opt out" in two words, which the FCC names since April 2025:
https://www.twilio.com/en-us/blog/update-to-fcc-s-sms-opt-out-keywords and
https://www.ecfr.gov/current/title-47/section-64.1200 (a)(10). This app adds those.
"""

from typing import Final, Literal

from shared.text.words import words_of

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
    """Return what an inbound text asks for, or None: a word counts only as the whole message.

    Case, white space, punctuation and invisible characters do not count: `Opt-out.` is OPTOUT. A YES counts only as
    Twilio knows it: "Yes!" answers a question.

    `opt_out_type` is what Advanced Opt-Out made of the text, in any language: it goes before the text.
    https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
    """
    return _TYPES.get(_upper(opt_out_type)) or _MEANING.get(_upper(body)) or _also(body)


def is_twilios(body: str | None) -> bool:
    """Tell whether Twilio knows a text as one of its words, and so answers it by itself."""
    return _upper(body) in _MEANING


def may_be_an_answer(body: str | None, opt_out_type: str | None) -> bool:
    """Tell whether a text is a word only if its sender opted out before: everybody else says yes to something."""
    return _upper(opt_out_type) not in _TYPES and _upper(body) in _ALSO_ANSWERS


def _also(body: str | None) -> Word | None:
    """Return what a text means that Twilio does not know, such as `Stop.`, `STOP ALL` or `Opt out`."""
    joined = "".join(words_of(body or "")).upper()
    return None if joined in _ALSO_ANSWERS else _MEANING.get(joined)


def _upper(text: str | None) -> str:
    return (text or "").strip().upper()
