"""Which delivery a text answers: the one that it quotes, or what its sender got last, where that is clear."""

from datetime import datetime, timedelta
from typing import Final

from shared.deliveries import keys
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.inbound.form import Form
from shared.tables import Table
from shared.text.numbers import MESSAGING_SERVICE
from shared.text.spellings import person

_REMEMBERED: Final = timedelta(days=3)
_APART: Final = timedelta(hours=1)
"""of two texts that are nearer to each other, nobody knows which one is answered"""
_LISTED: Final = 100
_LOOKED_AT: Final = 20
_NEVER_SEEN: Final = frozenset({"failed", "undelivered", "canceled"})


async def find_answered(form: Form, *, log: DeliveryLog, lookups: Table, now: datetime) -> Delivery | None:
    """Return the delivery that an inbound text answers; None where there is none, or where it may be several.

    WhatsApp and RCS say which message was replied to: https://www.twilio.com/docs/messaging/guides/webhook-request.
    SMS does not: then it is the last text that its sender got in three days from the number or the service which they
    write to, unless there was another within the hour before it. Replies that went out by themselves don't count.

    Errors of the storage pass through as azure.core's.
    """
    sender = form.get("From")
    if not sender:
        return None
    quoted = form.get("OriginalRepliedMessageSid")
    if quoted:
        found = await log.get(await log.owner_of(quoted) or quoted) if keys.is_id(quoted) else None
        return found if found is not None and _is_for(found, sender) else None
    last, last_at = None, now
    for looked_at, (at, delivery_id) in enumerate(await _sent_to(sender, lookups, since=now - _REMEMBERED, until=now)):
        if last is not None and last_at - at >= _APART:
            break
        if looked_at == _LOOKED_AT:
            return None
        delivery = await log.get(delivery_id)
        if delivery is not None and _is_for(delivery, sender) and _is_from(delivery, form):
            if last is not None:
                return None
            last, last_at = delivery, at
    return last


async def _sent_to(recipient: str, lookups: Table, *, since: datetime, until: datetime) -> list[tuple[datetime, str]]:
    """Return when somebody was sent something and which delivery it is, the latest first."""
    sent: dict[str, datetime] = {}
    for partition in keys.recipient_partitions(recipient):
        rows = lookups.query("PartitionKey eq @partition", limit=_LISTED, select="RowKey,Due", partition=partition)
        async for row in rows:
            # what waited for its time was created long before
            sent[keys.delivery_at(row["RowKey"])] = row.get("Due") or keys.moment_of(row["RowKey"])
    return sorted(((at, delivery_id) for delivery_id, at in sent.items() if since < at <= until), reverse=True)


def _is_for(delivery: Delivery, recipient: str) -> bool:
    is_text = (delivery.channel, delivery.direction) == ("sms", "outbound")
    is_theirs = person(delivery.to or "") == person(recipient)
    is_at_twilio = delivery.sid is not None and delivery.status not in _NEVER_SEEN
    return is_text and is_theirs and is_at_twilio and delivery.answers is None


def _is_from(delivery: Delivery, form: Form) -> bool:
    service = form.get("MessagingServiceSid")
    if person(delivery.from_ or "") in {person(form.get("To") or ""), service}:
        return True
    # a service chose the number, and only its own inbound webhook would name it
    return service is None and MESSAGING_SERVICE.fullmatch(delivery.from_ or "") is not None
