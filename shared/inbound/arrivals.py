"""Texts and calls that come in: on record first, then answered."""

from datetime import datetime

from twilio.twiml.messaging_response import MessagingResponse

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Direction, Event
from shared.deliveries.status import Channel
from shared.inbound.form import Form
from shared.settings import Settings
from shared.voice import twiml


async def record_message(log: DeliveryLog, form: Form, *, now: datetime) -> None:
    """Put an inbound text on record.

    Raises:
        FormInvalid: it lacks what every such webhook carries.
        azure.core's errors: it isn't on record.
    See https://www.twilio.com/docs/messaging/guides/webhook-request.
    """
    sid = form.sid("MessageSid")
    event = Event(key=f"{sid}:received", status="received", at=now, sid=sid, raw=form.as_dict())
    await log.file(first_told(form, event, channel="sms", direction="inbound"), event)


async def record_call(log: DeliveryLog, form: Form, *, now: datetime) -> None:
    """Put an inbound call on record; as `record_message`.

    See https://www.twilio.com/docs/voice/twiml#twilios-request-to-your-application.
    """
    sid, status = form.sid("CallSid"), form.word("CallStatus")
    event = Event(key=f"{sid}:webhook:{status}", status=status, at=now, sid=sid, raw=form.as_dict())
    await log.file(first_told(form, event, channel="call", direction="inbound"), event)


def sms_reply(settings: Settings) -> str:
    """Return the TwiML that answers a text: SMS_REPLY, or nothing."""
    response = MessagingResponse()
    if settings.sms_reply:
        response.message(twiml.writable(settings.sms_reply))
    return str(response)


def voice_greeting(settings: Settings) -> str:
    """Return the TwiML that answers a call: VOICE_GREETING, and the document's end hangs up."""
    return twiml.say(settings.voice_greeting)


def first_told(form: Form, event: Event, *, channel: Channel, direction: Direction) -> Delivery:
    """Return the delivery of a message or call that Twilio told this app of: its SID is its id."""
    return Delivery(
        id=event.sid or "",
        channel=channel,
        direction=direction,
        status=event.status,
        created_at=event.at,
        updated_at=event.at,
        to=form.get("To"),
        from_=form.get("From"),
        sid=event.sid,
        error_code=event.error_code,
        error_message=event.error_message,
        sequence=event.sequence,
    )
