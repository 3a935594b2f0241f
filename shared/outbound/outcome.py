"""What an error of a send means for the request: a table, from what came back to what is done next. Pure.

docs/reference/statuses.md shows the same table. https://www.twilio.com/docs/api/errors
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from shared.consents import OPTED_OUT
from shared.errors import SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear


class Decision(Enum):
    """What becomes of a request whose send did not succeed."""

    RETRY = "send again later"
    """Twilio did not process it"""
    ONCE_MORE = "send again later, once"
    """it may go better then; the second time it is permanent"""
    HOLD = "keep everything and wait"
    """Twilio turns the whole account away, and somebody will mend that"""
    FIND_OUT = "find out first"
    """Twilio may have it: never send again before that is known"""
    SUPPRESS = "suppress"
    """the recipient opted out of texts from this sender"""
    FAIL = "fail"
    """it can't be sent as it is, now or later"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a group of Twilio's codes has in common, and what is done."""

    group: str
    decision: Decision


_TABLE: Final[tuple[tuple[str, Decision, frozenset[int]], ...]] = (
    ("not processed", Decision.RETRY, frozenset({20429, 21611})),
    ("ambiguous", Decision.FIND_OUT, frozenset({20500, 20503})),
    ("opted out", Decision.SUPPRESS, OPTED_OUT),
    (
        "permanent, recipient",
        Decision.FAIL,
        frozenset(
            {13223, 13224, 13226, 21211, 21217, 21612, 21614, 21635, 30004, 30005, 30006, 63003, 63024},
        ),
    ),
    (
        "permanent, request",
        Decision.FAIL,
        frozenset({21602, 21603, 21604, 21609, 21617, 21620, 35114, 35115, 35117, 63016}),
    ),
    (
        "possibly temporary",
        Decision.ONCE_MORE,
        frozenset({21214, 30003, 30008, 30017, 30022, 30023, 30450, 63018}),
    ),
    ("account", Decision.HOLD, frozenset({20003, 20005, 30002})),
    (
        "configuration",
        Decision.FAIL,
        frozenset(
            {
                *(20404, 21210, 21212, 21215, 21216, 21219, 21408, 21601, 21606, 21608, 21703),
                *(30007, 30032, 30034),
            }
        ),
    ),
    ("queue", Decision.FAIL, frozenset({30001, 30036})),
)
MEANINGS: Final[Mapping[int, Meaning]] = {
    code: Meaning(group, decision) for group, decision, codes in _TABLE for code in codes
}
"""from Twilio's code to what it means"""
_UNAUTHORIZED: Final = 401
_LATER: Final = timedelta(minutes=15)
_MUCH_LATER: Final[Mapping[int, timedelta]] = {30023: timedelta(days=1), 30450: timedelta(minutes=30)}
"""a cap that counts by the day, and a block that lasts up to half an hour"""


def decide(error: SwitchboardError, *, before: int | None = None) -> Decision:
    """Return what an error of a send means; a code that is not in the table is permanent.

    `before` is the code that the attempt before this one met: what may be temporary is tried once more only.
    """
    match error:
        case TwilioUnavailable() | TooLate():
            return Decision.RETRY
        case TwilioRefused(status=status) if status == _UNAUTHORIZED:
            return Decision.HOLD
        case TwilioRefused(code=code):
            decision = _of(code)
            return Decision.FAIL if decision is Decision.ONCE_MORE and _of(before) is decision else decision
        case TwilioUnclear():
            return Decision.FIND_OUT
        case _:
            raise TypeError(f"expected an error of a send, got {type(error).__name__}") from error


def wait_for(error: SwitchboardError) -> timedelta:
    """Return how long to wait at least before a request that met with what may be temporary is sent once more."""
    return _MUCH_LATER.get(getattr(error, "code", None) or 0, _LATER)


def is_unknown(error: SwitchboardError) -> bool:
    """Tell whether Twilio refused for a reason that the table doesn't have: somebody should look at it."""
    return isinstance(error, TwilioRefused) and error.status != _UNAUTHORIZED and error.code not in MEANINGS


def _of(code: int | None) -> Decision:
    meaning = MEANINGS.get(code or 0)
    return Decision.FAIL if meaning is None else meaning.decision
