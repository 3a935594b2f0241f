"""What an error of a send means for the request: a table, from what came back to what is done next. Pure.

https://www.twilio.com/docs/api/errors
"""

from enum import Enum, auto
from typing import Final

from shared.consents import OPTED_OUT
from shared.errors import SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.gate import HOLDING


class Decision(Enum):
    """What becomes of a request whose send did not succeed."""

    RETRY = auto()
    """Twilio did not process it: send again later"""
    FIND_OUT = auto()
    """Twilio may have it: never send again before that is known"""
    SUPPRESS = auto()
    """the recipient opted out of texts from this sender"""
    FAIL = auto()
    """it can't be sent as it is, now or later"""


_NOT_PROCESSED: Final = frozenset(
    {
        21611,  # the sender's queue is full
        *HOLDING,  # wrong credentials, a suspended account: somebody will mend that
    }
)
_UNAUTHORIZED: Final = 401


def decide(error: SwitchboardError) -> Decision:
    """Return what an error of a send means; an unknown code is permanent."""
    match error:
        case TwilioUnavailable() | TooLate():
            return Decision.RETRY
        case TwilioRefused(status=status, code=code):
            return _refused(status, code)
        case TwilioUnclear():
            return Decision.FIND_OUT
        case _:
            raise TypeError(f"expected an error of a send, got {type(error).__name__}") from error


def _refused(status: int, code: int) -> Decision:
    if code in OPTED_OUT:
        return Decision.SUPPRESS
    if code in _NOT_PROCESSED or status == _UNAUTHORIZED:
        return Decision.RETRY
    return Decision.FAIL
