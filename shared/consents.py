"""Who does not want texts, and from which sender: the `Consents` table. Calls are no part of it."""

import contextlib
import hashlib
import logging
from datetime import datetime
from typing import Final

from shared.deliveries import status
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed
from shared.tables import Entity, Row, Table
from shared.text.numbers import mask

_logger: Final = logging.getLogger(__name__)
_OUT: Final = "out"
_IN: Final = "in"
OPTED_OUT: Final = frozenset({21610, 63014})
"""Twilio's codes for a recipient who opted out: https://www.twilio.com/docs/api/errors/21610"""
_SAID_BY: Final = frozenset({status.FAILED, "undelivered", status.SUPPRESSED})
"""the words of an event whose code says why; others may carry a code of before"""
_WRITES: Final = 20
"""how often a wish is read and written again while others change it; each round, one of them gets through"""
STOP: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START: Final = frozenset({"START", "YES", "UNSTOP"})
"""https://help.twilio.com/articles/223134027: without regard to case, the whole message"""


class Consents:
    """What each recipient agreed to, by sender: a number, a short code, or a Messaging Service. The latest word holds.

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
        await self._set(recipient, sender, _OUT, at=at, by=by)

    async def opt_in(self, recipient: str, sender: str, *, at: datetime, by: str) -> None:
        """Lift what `opt_out` holds back."""
        await self._set(recipient, sender, _IN, at=at, by=by)

    async def heed(self, delivery: Delivery, event: Event) -> None:
        """Hold later texts back where an event of a text says that its recipient opted out. It may be repeated.

        Twilio says so of the moment at which it was sent, however late that is heard: a START that came since holds.
        """
        if event.error_code not in OPTED_OUT or event.status not in _SAID_BY or event.sid in delivery.past_sids:
            return
        sender = _sender(delivery, event)
        if (delivery.channel, delivery.direction) == ("sms", "outbound") and delivery.to and sender:
            at = delivery.claimed_at or delivery.created_at
            await self.opt_out(delivery.to, sender, at=at, by=f"delivery {delivery.id}")

    async def _set(self, recipient: str, sender: str, state: str, *, at: datetime, by: str) -> None:
        key = {"PartitionKey": _partition(recipient), "RowKey": sender}
        row = {**key, "To": recipient, "State": state, "At": at, "By": by}
        for _ in range(_WRITES):
            known = await self._table.get(_partition(recipient), sender)
            if known is not None and known["At"] > at:
                return
            if await self._write(row, known):
                if known is None or known["State"] != state:
                    _logger.info(
                        "texts to %s from %s: opted %s", mask(recipient), mask(sender), state, extra={"by": by}
                    )
                return
        raise Changed(f"what a recipient wishes changed {_WRITES} times while it was being recorded")

    async def _write(self, row: Entity, known: Row | None) -> bool:
        """Put a wish in the place of the one that was known; False where there is another one by now."""
        if known is None:
            return await self._table.insert(row) is not None
        with contextlib.suppress(Changed):
            await self._table.replace(row, version=str(known.metadata["etag"]))
            return True
        return False


def _sender(delivery: Delivery, event: Event) -> str | None:
    """Return whom a recipient opted out of; of what others sent through a service, only Twilio knows the service."""
    if delivery.request is not None:
        return delivery.from_
    service = event.raw.get("MessagingServiceSid") or event.raw.get("messaging_service_sid")
    return service if isinstance(service, str) else delivery.from_


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
