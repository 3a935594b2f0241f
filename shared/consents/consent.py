"""What a recipient agreed to, and its row in the `Consents` table. Pure."""

import hashlib
import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from shared.deliveries.record import Delivery
from shared.table_service.limits import as_key, cut
from shared.table_service.rows import Entity, Row
from shared.text.spellings import person, spellings

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
    first: str | UnsetType = UNSET
    """the `by` that began this state, where another one has said the same since"""

    @property
    def began_by(self) -> str | None:
        """The `by` that began this state: later words that say the same do not change it."""
        return self.first or self.by


def refused(delivery: Delivery, code: int | None, *, sender: str, at: datetime) -> Consent:
    """Return what it says of a text's recipient that Twilio refused it with a code that tells of an opt-out."""
    by, how = f"delivery {delivery.id}", f"error-{code}"
    return Consent(to=delivery.to or "", sender=sender, state="opted-out", at=at, by=by, how=how)


def partitions(recipient: str) -> list[str]:
    """Return the partitions of all that a recipient agreed to: the present one first, then those of earlier versions.

    Earlier versions kept each spelling of a phone for itself.
    """
    return [_partition(spelling) for spelling in spellings(recipient)]


def following(consent: Consent, known: Consent | None) -> Consent:
    """Return a consent as it follows a known one: it keeps the word that began the state, where the state stays."""
    began_by = None if known is None or known.state != consent.state else known.began_by
    return msgspec.structs.replace(consent, first=began_by) if began_by not in {None, consent.by} else consent


def places(recipient: str, sender: str) -> list[tuple[str, str]]:
    """Return the keys of the rows that may hold a consent: the present place first, then those of earlier versions.

    A row key is the sender, or what stands for a name that can be no key.
    """
    row_keys = [as_key(spelling) for spelling in spellings(sender)]
    return list(itertools.product(partitions(recipient), row_keys))


def latest(consents: Iterable[Consent]) -> list[Consent]:
    """Return the last word for each sender, in the order of the senders' names."""
    found: dict[str, Consent] = {}
    for consent in sorted(consents, key=lambda one: (one.at, one.state)):
        # at the same moment, an opt-out holds
        found[person(consent.sender)] = consent
    return [found[sender] for sender in sorted(found)]


def to_row(consent: Consent) -> Entity:
    """Return what is kept of a consent; Twilio tells the addresses, and nothing bounds their length."""
    partition, key = places(consent.to, consent.sender)[0]
    return {
        "PartitionKey": partition,
        "RowKey": key,
        "Sender": None if key == consent.sender else cut(consent.sender, _LONGEST),
        "To": cut(consent.to, _LONGEST),
        "State": _KEPT_AS[consent.state],
        "At": consent.at,
        "By": consent.by,
        "How": consent.how,
        "Reason": None if consent.reason is None else cut(consent.reason, _LONGEST),
        "First": consent.first or None,
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
        first=row.get("First") or UNSET,
    )


def _partition(address: str) -> str:
    # keys stand in URLs and in request logs: no number may
    return hashlib.sha256(address.encode()).hexdigest()[:32]
