"""The `Consents` table: what each recipient agreed to, by sender, when, how, and by which message."""

import asyncio
import contextlib
import logging
from typing import Final

from shared.consents.consent import API, Consent, following, from_row, latest, partitions, places, refused, to_row
from shared.deliveries import status
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed
from shared.tables import Row, Table
from shared.text.numbers import mask
from shared.text.sids import in_one_form

_logger: Final = logging.getLogger(__name__)
OPTED_OUT: Final = frozenset({21610, 63014})
"""Twilio's codes for a recipient who opted out: https://www.twilio.com/docs/api/errors/21610"""
_SAID_BY: Final = frozenset({status.FAILED, "undelivered", status.SUPPRESSED})
"""the words of an event whose code says why; others may carry a code of before"""
_WRITES: Final = 20
"""how often a wish is read and written again while others change it; each round, one of them gets through"""


class Consents:
    """What each recipient agreed to, by sender: a number, a short code, or a Messaging Service. The latest word holds.

    All spellings of a phone are one recipient, and one sender.

    Errors of the storage pass through as azure.core's.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    async def is_opted_out(self, recipient: str, sender: str) -> bool:
        """Tell whether texts to a recipient from this sender are held back."""
        return any(consent.state == "opted-out" for consent in await self.find(recipient, sender))

    async def find(self, recipient: str, sender: str | None = None) -> list[Consent]:
        """Return what a recipient agreed to, for one sender or for all that are known, in the order of their names."""
        if sender is not None:
            return latest(from_row(row) for row in await self._rows(recipient, sender) if row is not None)
        said = [
            from_row(row)
            for key in partitions(recipient)
            async for row in self._table.query("PartitionKey eq @key", key=key)
        ]
        return latest(said)

    async def _rows(self, recipient: str, sender: str) -> list[Row | None]:
        """Return what stands in each place of a consent, the present place first."""
        return await asyncio.gather(*(self._table.get(*place) for place in places(recipient, sender)))

    async def heed(self, delivery: Delivery, event: Event) -> None:
        """Hold later texts back where an event of a text says that its recipient opted out. It may be repeated.

        Twilio says so of the moment at which it was sent, however late that is heard: a START that came since holds.
        """
        if event.error_code not in OPTED_OUT or event.status not in _SAID_BY or event.sid in delivery.past_sids:
            return
        sender = _sender(delivery, event)
        if (delivery.channel, delivery.direction) == ("sms", "outbound") and delivery.to and sender:
            at = delivery.claimed_at or delivery.created_at
            await self.record(refused(delivery, event.error_code, sender=sender, at=at))

    async def record(self, consent: Consent) -> Consent:
        """Put on record what a recipient agreed to, and return what holds: this, or what was said later.

        Raises:
            Changed: others changed it each time that it was to be written.
        """
        for _ in range(_WRITES):
            rows = await self._rows(consent.to, consent.sender)
            known = next(iter(latest(from_row(row) for row in rows if row is not None)), None)
            if known is not None and known.at > consent.at:
                return known
            said = following(consent, known)
            if await self._write(said, rows[0]):
                if known is None or known.state != consent.state:
                    _tell(consent)
                return said
        raise Changed(f"what a recipient wishes changed {_WRITES} times while it was being recorded")

    async def _write(self, consent: Consent, known: Row | None) -> bool:
        """Put a wish in the place of the one that was known; False where there is another one by now."""
        if known is None:
            return await self._table.insert(to_row(consent)) is not None
        with contextlib.suppress(Changed):
            await self._table.replace(to_row(consent), version=str(known.metadata["etag"]))
            return True
        return False


def _tell(consent: Consent) -> None:
    # over HTTP, `by` is somebody's name
    by = f", by {consent.by}" if consent.how != API else ""
    _logger.info(
        "texts to %s from %s: %s%s, how: %s", mask(consent.to), mask(consent.sender), consent.state, by, consent.how
    )


def _sender(delivery: Delivery, event: Event) -> str | None:
    """Return whom a recipient opted out of; of what others sent through a service, only Twilio knows the service."""
    if delivery.request is not None:
        return delivery.from_
    service = event.raw.get("MessagingServiceSid") or event.raw.get("messaging_service_sid")
    return in_one_form(service) if isinstance(service, str) else delivery.from_
