"""Calls of browsers on record: that they came, whom they were connected with, and what came of it."""

from datetime import datetime, timedelta

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Event
from shared.inbound.arrivals import file_call
from shared.inbound.form import Form
from shared.voice.browser import Answer

_AFTER_ITS_ARRIVAL = timedelta(microseconds=1)


async def record(log: DeliveryLog, form: Form, answer: Answer, *, now: datetime) -> None:
    """Put on record what a webhook of a browser's call was answered; told twice, it is there once.

    Raises:
        FormInvalid: it lacks what every such webhook carries.
        azure.core's errors: it isn't on record.
    """
    sid = form.sid("CallSid")
    # nothing could be put on record when it came in, or it comes in now
    delivery = await log.get(sid) or await file_call(log, form, now=now)
    if delivery.erased:
        return
    event = Event(
        key=f"{sid}:browser:{answer.part}",
        kind="browser",
        status=delivery.status,
        at=now + _AFTER_ITS_ARRIVAL,
        raw=dict(answer.happened),
    )
    await log.note(delivery, event)
