"""What Twilio tells beside statuses: recordings, transcriptions, and that a webhook of ours failed."""

import hashlib
from datetime import datetime

from shared.deliveries.keys import is_id
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event, Kind
from shared.errors import Changed
from shared.inbound.arrivals import file_call
from shared.inbound.form import Form


async def record_recording(log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime) -> None:
    """Record what became of a recording; the delivery keeps its link and how long it is.

    Raises:
        FormInvalid: it lacks what every such callback carries.
        Changed, azure.core's errors: it isn't on record; Twilio should say it again.
    See https://www.twilio.com/docs/voice/twiml/record#attributes-recording-status-callback-parameters.
    """
    key = f"{form.sid('RecordingSid')}:{form.word('RecordingStatus')}"
    await _record(log, form, kind="recording", key=key, delivery_id=delivery_id, now=now)


async def record_transcription(log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime) -> None:
    """Record what was understood of a recording; as `record_recording`.

    See https://www.twilio.com/docs/voice/twiml/record#attributes-transcribe-callback-parameters.
    """
    key = f"{form.sid('TranscriptionSid')}:{form.word('TranscriptionStatus')}"
    await _record(log, form, kind="transcription", key=key, delivery_id=delivery_id, now=now)


async def record_trouble(log: DeliveryLog, form: Form, *, delivery_id: str | None, now: datetime) -> None:
    """Record that Twilio could not use what a webhook of ours answered, with its ErrorCode and ErrorUrl.

    A call that came in while it could not be put on record is put there now. As `record_recording`.

    See https://www.twilio.com/docs/voice/twiml#fallback-url.
    """
    sid = form.get("CallSid") or form.get("MessageSid") or ""
    # one call may meet the same trouble at several URLs, which hold what may not stand in a key
    where = hashlib.sha256((form.get("ErrorUrl") or "").encode()).hexdigest()[:8]
    key = f"{sid}:trouble:{form.integer('ErrorCode') or 0}:{where}"
    if form.get("CallSid") and await _whose(log, form, delivery_id) is None:
        await file_call(log, form, now=now)
    await _record(log, form, kind="trouble", key=key, delivery_id=delivery_id, now=now)


async def _record(
    log: DeliveryLog, form: Form, *, kind: Kind, key: str, delivery_id: str | None, now: datetime
) -> None:
    delivery = await _whose(log, form, delivery_id)
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


async def _whose(log: DeliveryLog, form: Form, delivery_id: str | None) -> Delivery | None:
    """Return the delivery that the URL names, else that of the call, else that of the call which dialled it."""
    if delivery_id and is_id(delivery_id):
        return await log.get(delivery_id)
    for name in ("CallSid", "MessageSid", "ParentCallSid"):
        sid = form.get(name)
        found = await log.get(await log.owner_of(sid) or sid) if sid and is_id(sid) else None
        if found is not None:
            return found
    return None
