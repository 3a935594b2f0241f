"""Texts and calls that come in: on record first, then answered."""

from datetime import datetime
from typing import Final

from twilio.twiml.messaging_response import MessagingResponse

from shared.consents import Consent, Consents
from shared.consents.consent import KEYWORD, OPT_OUT_TYPE, State
from shared.consents.replies import reply_to
from shared.consents.words import word_of
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Direction, Event
from shared.deliveries.status import Channel, as_twilios
from shared.inbound.form import Form
from shared.settings import Settings
from shared.voice import twiml

_LONGEST_ADDRESS: Final = 300
"""characters of a caller's name for itself: SIP addresses are the longest"""


async def record_message(log: DeliveryLog, consents: Consents, form: Form, *, now: datetime) -> None:
    """Put an inbound text on record; STOP and START hold later texts back and let them go again.

    Raises:
        FormInvalid: it lacks what every such webhook carries.
        azure.core's errors: it isn't on record.
    See https://www.twilio.com/docs/messaging/guides/webhook-request.
    """
    sid = form.sid("MessageSid")
    event = Event(key=f"{sid}:received", status="received", at=now, sid=sid, raw=form.as_dict())
    filed = await log.file(first_told(form, event, channel="sms", direction="inbound"), event)
    # a webhook that comes again, Twilio's own or a copy of it, was said when it came first
    await _heed(consents, form, by=sid, at=filed.created_at)


async def file_call(log: DeliveryLog, form: Form, *, now: datetime) -> Delivery:
    """Put an inbound call on record, as `record_message`, and return it; or one that others had Twilio make.

    See https://www.twilio.com/docs/voice/twiml#twilios-request-to-your-application.
    """
    sid, status = form.sid("CallSid"), form.word("CallStatus")
    event = Event(key=f"{sid}:webhook:{status}", status=status, at=now, sid=sid, raw=form.as_dict())
    direction: Direction = "outbound" if (form.get("Direction") or "").startswith("outbound") else "inbound"
    return await log.file(first_told(form, event, channel="call", direction=direction), event)


def _address(form: Form, name: str) -> str | None:
    value = form.get(name)
    return value and value[:_LONGEST_ADDRESS]


async def _heed(consents: Consents, form: Form, *, by: str, at: datetime) -> None:
    body, opt_out_type, recipient = form.get("Body"), form.get("OptOutType"), form.get("From")
    word = word_of(body, opt_out_type)
    if word is None or word == "help" or recipient is None:
        return
    how = KEYWORD if word_of(None, opt_out_type) is None else OPT_OUT_TYPE
    state: State = "opted-out" if word == "stop" else "opted-in"
    for sender in filter(None, (form.get("To"), form.get("MessagingServiceSid"))):
        await consents.record(Consent(to=recipient, sender=sender, state=state, at=at, by=by, how=how))


def sms_reply(settings: Settings, form: Form) -> str:
    """Return the TwiML that answers a text: SMS_REPLY, what is set for STOP, START and HELP, or nothing.

    Our own number is never answered.
    """
    response = MessagingResponse()
    opt_out_type = form.get("OptOutType")
    word = word_of(form.get("Body"), opt_out_type)
    text = reply_to(word, opt_out_type=opt_out_type, settings=settings) if word else settings.sms_reply
    if text and form.get("From") != settings.from_number:
        response.message(twiml.writable(text))
    return str(response)


def voice_greeting(settings: Settings, _form: Form) -> str:
    """Return the TwiML that answers a call: VOICE_GREETING, and the document's end hangs up."""
    return twiml.say(settings.voice_greeting)


def first_told(form: Form, event: Event, *, channel: Channel, direction: Direction) -> Delivery:
    """Return the delivery of a message or call that Twilio told this app of: its SID is its id."""
    return Delivery(
        id=event.sid or "",
        channel=channel,
        direction=direction,
        status=as_twilios(channel, event.status),
        created_at=event.at,
        updated_at=event.at,
        to=_address(form, "To"),
        from_=_address(form, "From"),
        sid=event.sid,
        error_code=event.error_code,
        error_message=event.error_message,
        sequence=event.sequence,
    )
