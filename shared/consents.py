"""Who does not want texts, and from which sender: the `Consents` table. Calls are no part of it."""

import hashlib
from datetime import datetime
from typing import Any, Final

from shared.tables import Table

_OUT: Final = "out"
_IN: Final = "in"
OPTED_OUT: Final = frozenset({21610, 63014})
"""Twilio's codes for a recipient who opted out: https://www.twilio.com/docs/api/errors/21610"""
STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START: Final = frozenset({"START", "YES", "UNSTOP"})
"""https://help.twilio.com/articles/223134027: without regard to case, the whole message"""


class Consents:
    """What each recipient agreed to, by sender: a number, a short code, or a Messaging Service.

    Errors of the storage pass through as azure.core's.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def is_opted_out(self, recipient: str, sender: str) -> bool:
        """Tell whether texts to a recipient from this sender are held back."""
        row = await self._table.get(_partition(recipient), sender)
        return row is not None and row["State"] == _OUT

    async def opt_out(self, recipient: str, sender: str, *, at: datetime, by: str) -> None:
        """Hold texts from this sender back; `by` is the delivery or the SID that said so."""
        await self._set(recipient, sender, {"State": _OUT, "At": at, "By": by})

    async def opt_in(self, recipient: str, sender: str, *, at: datetime, by: str) -> None:
        """Lift what `opt_out` holds back."""
        await self._set(recipient, sender, {"State": _IN, "At": at, "By": by})

    async def _set(self, recipient: str, sender: str, properties: dict[str, Any]) -> None:
        await self._table.put({"PartitionKey": _partition(recipient), "RowKey": sender, "To": recipient, **properties})


def wish(body: str | None, opt_out_type: str | None) -> bool | None:
    """Return what an inbound text says: True to start, False to stop, None where it says neither.

    `opt_out_type` is Advanced Opt-Out's own word, where the service has it.
    """
    word = (opt_out_type or body or "").strip().upper()
    if word in STOP:
        return False
    return True if word in START else None


def _partition(recipient: str) -> str:
    # keys stand in URLs and in request logs: no number may
    return hashlib.sha256(recipient.encode()).hexdigest()[:32]
