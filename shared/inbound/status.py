"""Status callbacks: what Twilio says became of a message or a call."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from shared.deliveries.keys import EPOCH, is_id
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Direction, Event
from shared.deliveries.status import Channel
from shared.inbound.arrivals import first_told
from shared.inbound.fits import misfit
from shared.inbound.form import Form
from shared.logs import about

_logger: Final = logging.getLogger(__name__)
_REST_OF_A_SECOND: Final = timedelta(microseconds=999_999)


async def record_message_status(
    log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime, account: str | None = None
) -> None:
    """Record a message's status callback; told twice, or late, it changes nothing.

    Args:
        log: where.
        form: what Twilio posted.
        delivery_id: the delivery that the URL names. It counts where the form fits that delivery.
        now: when it came.
        account: this app's Account SID.

    Raises:
        FormInvalid: it lacks what every such callback carries.
        Changed, azure.core's errors: it isn't on record; Twilio should say it again.
    See https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks.
    """
    event = _message_event(form, now)
    named = await _named(log, form, event, channel="sms", delivery_id=delivery_id, account=account)
    delivery = await _delivery(log, form, event, channel="sms", named=named)
    if delivery is not None:
        await log.record(delivery, event)


async def record_call_status(
    log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime, account: str | None = None
) -> None:
    """Record a call's status callback; as `record_message_status`.

    See https://www.twilio.com/docs/voice/api/call-resource#statuscallback.
    """
    event = _call_event(form, now)
    named = await _named(log, form, event, channel="call", delivery_id=delivery_id, account=account)
    delivery = await _delivery(log, form, event, channel="call", named=named)
    if delivery is not None:
        await log.record(delivery, event)


def _message_event(form: Form, now: datetime) -> Event:
    sid, status = form.sid("MessageSid"), form.word("MessageStatus")
    code = form.integer("ErrorCode")
    return Event(
        key=f"{sid}:{status}:{code}" if code else f"{sid}:{status}",
        status=status,
        at=now,
        sid=sid,
        error_code=code,
        error_message=form.get("ErrorMessage"),
        raw=form.as_dict(),
    )


def _call_event(form: Form, now: datetime) -> Event:
    sid, status, sequence = form.sid("CallSid"), form.word("CallStatus"), form.integer("SequenceNumber")
    return Event(
        key=f"{sid}:{sequence if sequence is not None else '-'}:{status}",
        status=status,
        at=_moment(form.get("Timestamp"), now),
        sid=sid,
        error_code=form.integer("ErrorCode"),
        error_message=form.get("ErrorMessage"),
        sequence=sequence,
        raw=form.as_dict(),
    )


def _moment(timestamp: str | None, now: datetime) -> datetime:
    """Return when it happened: Twilio tells whole seconds, and within its second the arrival says more."""
    try:
        told = parsedate_to_datetime(timestamp or "")
        told = told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    # no table holds a moment before 1601, and nothing happened at Twilio before 1970
    return now if told < EPOCH else min(max(now, told), told + _REST_OF_A_SECOND)


async def _named(
    log: DeliveryLog, form: Form, event: Event, *, channel: Channel, delivery_id: str | None, account: str | None
) -> Delivery | None:
    """Return the delivery that the URL names; None where there is none, or the form does not fit it."""
    named = await log.get(delivery_id) if delivery_id and is_id(delivery_id) else None
    sid = event.sid or ""
    # of an erased delivery nothing is known that could fit, and what was its own is
    if named is None or named.erased or sid == named.sid or sid in named.past_sids:
        return named
    reason = misfit(named, form, sid=sid, channel=channel, account=account)
    if reason is None and named.sid is None and not named.attempts:
        reason = "nobody tried to send it"
    if reason is None:
        return named
    about(_logger, named.id).error("a callback that names this delivery and is not about it: %s [%s]", reason, sid)
    return None


async def _delivery(
    log: DeliveryLog, form: Form, event: Event, *, channel: Channel, named: Delivery | None
) -> Delivery | None:
    """Return the delivery that an event belongs to; None where nothing more is kept of it."""
    sid = event.sid or ""
    delivery = await _whose(log, sid, named)
    if delivery is None:
        direction: Direction = "inbound" if (form.get("Direction") or "").startswith("inbound") else "outbound"
        return await log.file(first_told(form, event, channel=channel, direction=direction), event)
    if delivery.erased:
        about(_logger, delivery.id).info("a callback about what was erased")
        return None
    if (channel, delivery.direction) == ("sms", "inbound") and delivery.sid != sid:
        # what a webhook of ours answered: Twilio made a message of it, which is a delivery of its own
        reply = first_told(form, event, channel=channel, direction="outbound")
        return await log.file(msgspec.structs.replace(reply, answers=delivery.id), event)
    if delivery.sid not in {None, sid} and sid not in delivery.past_sids:
        about(_logger, delivery.id).error("a callback about another SID than its own: %s", sid)
    return delivery


async def _whose(log: DeliveryLog, sid: str, named: Delivery | None) -> Delivery | None:
    """Return the delivery that a SID belongs to; a named one without a SID is given one that is free."""
    if named is not None and (named.erased or named.sid == sid or sid in named.past_sids):
        return named
    if named is not None and named.sid is None:
        owner = await log.own_sid(sid, named.id)
    else:
        owner = await log.owner_of(sid) or sid
    if named is not None and owner == named.id:
        return named
    return await log.get(owner) or named
