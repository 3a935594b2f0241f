"""The status words of a delivery, in one place: which there are, which end it, and which may follow which."""

from typing import Final, Literal

Channel = Literal["sms", "call"]

# Ours, while Twilio doesn't have it (any more, or yet).
SCHEDULED: Final = "scheduled"
SUBMITTING: Final = "submitting"
UNCERTAIN: Final = "uncertain"
RETRYING: Final = "retrying"
REJECTED: Final = "rejected"
SUPPRESSED: Final = "suppressed"
EXPIRED: Final = "expired"
CANCELED: Final = "canceled"
FAILED: Final = "failed"
DELIVERED: Final = "delivered"
READ: Final = "read"

PENDING: Final = frozenset({SCHEDULED, SUBMITTING, UNCERTAIN, RETRYING})
OUR_FINALS: Final = frozenset({REJECTED, SUPPRESSED, EXPIRED})

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values; Twilio promises no order of
# arrival, so a message's status only ever climbs. `received` is an inbound message's only status.
_MESSAGE_RANK: Final = {
    "accepted": 1,
    "queued": 2,
    "sending": 3,
    "sent": 4,
    "received": 5,
    DELIVERED: 5,
    "undelivered": 5,
    FAILED: 5,
    CANCELED: 5,
    READ: 6,
}
# https://www.twilio.com/docs/voice/api/call-resource#call-status-values
_CALL_RANK: Final = {
    "queued": 1,
    "initiated": 2,
    "ringing": 3,
    "in-progress": 4,
    "completed": 5,
    "busy": 5,
    "no-answer": 5,
    FAILED: 5,
    CANCELED: 5,
}
_RANK: Final[dict[Channel | None, dict[str, int]]] = {"sms": _MESSAGE_RANK, "call": _CALL_RANK, None: {}}
_FINAL_RANK: Final = 5
_LOWEST: Final[dict[Channel | None, str]] = {"sms": "accepted", "call": "queued", None: "queued"}

# Statuses that somebody looks for among many that went well; each has an index of its own (see search.py).
NOTABLE: Final = frozenset(
    {
        SCHEDULED,
        UNCERTAIN,
        RETRYING,
        REJECTED,
        SUPPRESSED,
        EXPIRED,
        CANCELED,
        FAILED,
        "undelivered",
        "busy",
        "no-answer",
    }
)
ALL: Final = PENDING | OUR_FINALS | _MESSAGE_RANK.keys() | _CALL_RANK.keys()


def is_final(channel: Channel | None, status: str) -> bool:
    """Tell whether nothing more is expected to happen to a delivery in this status."""
    return status in OUR_FINALS or _RANK[channel].get(status, 0) >= _FINAL_RANK


def is_known(status: str) -> bool:
    """Tell whether this is one of the words above; Twilio may add to its own."""
    return status in ALL


def is_twilios(channel: Channel | None, status: str) -> bool:
    """Tell whether this is a word that Twilio says of a message or a call, and so one that this app can order."""
    return status in _RANK[channel]


def as_twilios(channel: Channel | None, word: str) -> str:
    """Return what a delivery becomes by this word of Twilio's: the lowest one where this app can't order it.

    Whatever the word says, Twilio has the message or the call then, and it must not be sent again.
    """
    return word if is_twilios(channel, word) else _LOWEST[channel]


def supersedes(
    channel: Channel | None,
    new: str,
    current: str,
    *,
    new_sequence: int | None = None,
    current_sequence: int | None = None,
) -> bool:
    """Tell whether Twilio's word `new` takes the place of `current`.

    A final status never goes back; only `delivered` becomes `read`. Calls carry a SequenceNumber, which decides where
    both have one; a message's words are ordered by rank. A word that this app doesn't know changes nothing.
    """
    if not is_twilios(channel, new):
        return False
    if is_final(channel, current):
        return (current, new) == (DELIVERED, READ)
    if is_final(channel, new):
        return True
    if new_sequence is not None and current_sequence is not None:
        return new_sequence > current_sequence
    return _RANK[channel][new] > _RANK[channel].get(current, 0)
