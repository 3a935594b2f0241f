"""What a recipient agreed to, and its row in the `Consents` table. Pure."""

import hashlib
from datetime import datetime
from typing import Final, Literal

import msgspec

from shared.deliveries.record import Delivery
from shared.table_service.limits import as_key, cut
from shared.table_service.rows import Entity, Row

State = Literal["opted-in", "opted-out"]
KEYWORD: Final = "keyword"
OPT_OUT_TYPE: Final = "opt-out-type"
API: Final = "api"
_LONGEST: Final = 4_000
"""UTF-16 units of an address"""
_KEPT_AS: Final[dict[State, str]] = {"opted-in": "in", "opted-out": "out"}
_READ_AS: Final = {kept: state for state, kept in _KEPT_AS.items()}


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a recipient takes texts from a sender: a number, a short code, a name, or a Messaging Service."""

    to: str
    sender: str
    state: State
    at: datetime
    by: str | None = None
    """the SID of the text that said so, or `delivery ID`; over HTTP whoever named themselves, else None"""
    how: str | None = None
    """`keyword`, `opt-out-type`, `error-21610`, `error-63014` or `api`; None in rows of before"""
    reason: str | None = None
    """what whoever set it over HTTP wants to be remembered"""


def refused(delivery: Delivery, code: int | None, *, sender: str, at: datetime) -> Consent:
    """Return what it says of a text's recipient that Twilio refused it with a code that tells of an opt-out."""
    by, how = f"delivery {delivery.id}", f"error-{code}"
    return Consent(to=delivery.to or "", sender=sender, state="opted-out", at=at, by=by, how=how)


def partition(recipient: str) -> str:
    """Return the partition of all that a recipient agreed to."""
    # keys stand in URLs and in request logs: no number may
    return hashlib.sha256(recipient.encode()).hexdigest()[:32]


def row_key(sender: str) -> str:
    """Return the row key of a sender: its name, or what stands for a name that can be no key."""
    return as_key(sender)


def to_row(consent: Consent) -> Entity:
    """Return what is kept of a consent; Twilio tells the addresses, and nothing bounds their length."""
    key = row_key(consent.sender)
    return {
        "PartitionKey": partition(consent.to),
        "RowKey": key,
        "Sender": None if key == consent.sender else cut(consent.sender, _LONGEST),
        "To": cut(consent.to, _LONGEST),
        "State": _KEPT_AS[consent.state],
        "At": consent.at,
        "By": consent.by,
        "How": consent.how,
        "Reason": None if consent.reason is None else cut(consent.reason, _LONGEST),
    }


def from_row(row: Row) -> Consent:
    """Return the consent that a row keeps."""
    return Consent(
        to=row["To"],
        sender=row.get("Sender") or row["RowKey"],
        state=_READ_AS[row["State"]],
        at=row["At"],
        by=row.get("By"),
        how=row.get("How"),
        reason=row.get("Reason"),
    )
