"""What Twilio tells beside statuses: recordings, transcriptions, and that a webhook of ours failed."""

import hashlib
import logging
from datetime import datetime
from typing import Final

from shared.deliveries.keys import is_id
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event, Kind
from shared.errors import Changed
from shared.inbound.arrivals import file_call
from shared.inbound.fits import of_account
from shared.inbound.form import Form
from shared.logs import about

_logger: Final = logging.getLogger(__name__)


async def record_recording(
    log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime, account: str | None = None
) -> None:
    """Record what became of a recording; the delivery keeps its link and how long it is.

    `delivery_id` is the delivery that the URL names: it counts where the call is that delivery's. `account` is this
    app's Account SID.

    Raises:
        FormInvalid: it lacks what every such callback carries.
        Changed, azure.core's errors: it isn't on record; Twilio should say it again.
    See https://www.twilio.com/docs/voice/twiml/record#attributes-recording-status-callback-parameters.
    """
    key = f"{form.sid('RecordingSid')}:{form.word('RecordingStatus')}"
    named = await _named(log, form, delivery_id, account)
    await _record(log, form, kind="recording", key=key, named=named, now=now)


async def record_transcription(
    log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime, account: str | None = None
) -> None:
    """Record what was understood of a recording; as `record_recording`.

    See https://www.twilio.com/docs/voice/twiml/record#attributes-transcribe-callback-parameters.
    """
    key = f"{form.sid('TranscriptionSid')}:{form.word('TranscriptionStatus')}"
    named = await _named(log, form, delivery_id, account)
    await _record(log, form, kind="transcription", key=key, named=named, now=now)


async def record_trouble(
    log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime, account: str | None = None
) -> None:
    """Record that Twilio could not use what a webhook of ours answered, with its ErrorCode and ErrorUrl.

    A call that came in while it could not be put on record is put there now. As `record_recording`.

    See https://www.twilio.com/docs/voice/twiml#fallback-url.
    """
    sid = form.get("CallSid") or form.get("MessageSid") or ""
    # one call may meet the same trouble at several URLs, which hold what may not stand in a key
    where = hashlib.sha256((form.get("ErrorUrl") or "").encode()).hexdigest()[:8]
    key = f"{sid}:trouble:{form.integer('ErrorCode') or 0}:{where}"
    named = await _named(log, form, delivery_id, account)
    if form.get("CallSid") and await _whose(log, form, named) is None:
        await file_call(log, form, now=now)
    await _record(log, form, kind="trouble", key=key, named=named, now=now)


async def _record(log: DeliveryLog, form: Form, *, kind: Kind, key: str, named: Delivery | None, now: datetime) -> None:
    delivery = await _whose(log, form, named)
    if delivery is None:
        # the call itself may be just about to be put on record
        raise Changed("expected a call or a message that is on record, got another")
    if not delivery.erased:
        event = Event(
            key=key,
            kind=kind,
            status=delivery.status,
            at=now,
            error_code=form.integer("ErrorCode"),
            raw=form.as_dict(),
        )
        await log.record(delivery, event)


async def _whose(log: DeliveryLog, form: Form, named: Delivery | None) -> Delivery | None:
    """Return the delivery that the URL names, else that of the call, else that of the call which dialled it."""
    if named is not None:
        return named
    for sid in _sids(form):
        found = await log.get(await log.owner_of(sid) or sid)
        if found is not None:
            return found
    return None


async def _named(log: DeliveryLog, form: Form, delivery_id: str | None, account: str | None) -> Delivery | None:
    """Return the delivery that the URL names; None where there is none, or the call is not that delivery's.

    A delivery whose SID is not known yet may have any call that nobody else has, once there was an attempt to make it.
    """
    named = await log.get(delivery_id) if delivery_id and is_id(delivery_id) else None
    if named is None or named.erased:
        return named
    sids = _sids(form)
    if not of_account(form, account):
        sids = []
    if {named.sid, *named.past_sids}.intersection(sids):
        return named
    if sids and named.sid is None and named.attempts and await _is_free(log, sids[0], named):
        return named
    # Twilio need not say which call dialled the recorded one
    if any(event.raw.get("dial_sid") in sids for event in await log.timeline(named.id)):
        return named
    about(_logger, named.id).error("a callback that names this delivery is about another call or message")
    return None


async def _is_free(log: DeliveryLog, sid: str, named: Delivery) -> bool:
    owner = await log.owner_of(sid)
    return owner == named.id or (owner is None and await log.get(sid) is None)


def _sids(form: Form) -> list[str]:
    """Return the call or the message, and the call that dialled it."""
    found = [form.get(name) or "" for name in ("CallSid", "MessageSid", "ParentCallSid")]
    return [sid for sid in found if is_id(sid)]
