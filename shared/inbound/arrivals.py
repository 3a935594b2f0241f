"""Texts and calls that come in: on record first, then answered."""

import itertools
from datetime import datetime
from typing import Final

import msgspec

from shared.consents import Consent, Consents
from shared.consents.consent import KEYWORD, OPT_OUT_TYPE, State
from shared.consents.words import Word, is_twilios, may_be_an_answer, word_of
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Direction, Event
from shared.deliveries.status import Channel, as_twilios
from shared.inbound.form import Form
from shared.seal import SEALED
from shared.settings import Settings
from shared.text.channels import WHATSAPP_USER
from shared.text.numbers import WHATSAPP
from shared.voice import twiml

_WHATSAPP_USER_FIELDS: Final = ("ExternalUserId", "ExternalUserIdentifier")
_LONGEST_ADDRESS: Final = 300
"""characters of a caller's name for itself: SIP addresses are the longest"""


async def file_text(log: DeliveryLog, form: Form, *, answers: str | None, now: datetime) -> Delivery:
    """Put an inbound text on record, and return it: the one that is there, where it came before.

    Args:
        log: where.
        form: what Twilio posted.
        answers: the id of the delivery that it answers.
        now: when it came.

    Raises:
        FormInvalid: it lacks what every such webhook carries.
        azure.core's errors: it isn't on record.
    See https://www.twilio.com/docs/messaging/guides/webhook-request.
    """
    sid = form.sid("MessageSid")
    event = Event(key=f"{sid}:received", status="received", at=now, sid=sid, raw=form.as_dict())
    told = first_told(form, event, channel="sms", direction="inbound")
    return await log.file(msgspec.structs.replace(told, answers=answers, callback_form=SEALED), event)


async def file_call(log: DeliveryLog, form: Form, *, now: datetime, begins: bool = False) -> Delivery:
    """Put an inbound call on record, as `file_text`, or one that others had Twilio make.

    `begins`: this version answers its first webhook, so that all URLs of the call have the fixed end.

    See https://www.twilio.com/docs/voice/twiml#twilios-request-to-your-application.
    """
    sid, status = form.sid("CallSid"), form.word("CallStatus")
    event = Event(key=f"{sid}:webhook:{status}", status=status, at=now, sid=sid, raw=form.as_dict())
    direction: Direction = "outbound" if (form.get("Direction") or "").startswith("outbound") else "inbound"
    told = first_told(form, event, channel="call", direction=direction)
    return await log.file(msgspec.structs.replace(told, callback_form=SEALED if begins else None), event)


def _address(form: Form, name: str) -> str | None:
    value = form.get(name)
    return value and value[:_LONGEST_ADDRESS]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A text that is a word of consent."""

    word: Word
    is_answered: bool
    """Twilio knows the word, and answers it unless it was told not to"""
    is_repeated: bool = False
    """the state of consent was this one before the text"""


async def heed(consents: Consents, form: Form, text: Delivery) -> Said | None:
    """Put on record what a text says of its sender's consent, and return it; None where the text is no word.

    Said again, it counts from when it came first. Errors of the storage pass through as azure.core's, and Changed where
    others were faster each time.
    """
    opt_out_type, recipients = form.get("OptOutType"), _addresses_of_sender(form)
    senders = [sender for sender in (form.get("To"), form.get("MessagingServiceSid")) if sender]
    word = word_of(form.get("Body"), opt_out_type)
    if word is None:
        return None
    is_answered = bool(opt_out_type) or is_twilios(form.get("Body"))
    if word == "help" or not recipients:
        return Said(word=word, is_answered=is_answered)
    if may_be_an_answer(form.get("Body"), opt_out_type) and not await _lifts(consents, recipients, senders, text):
        return None
    how = KEYWORD if word_of(None, opt_out_type) is None else OPT_OUT_TYPE
    state: State = "opted-out" if word == "stop" else "opted-in"
    held = [
        await consents.record(
            Consent(to=recipient, sender=sender, state=state, at=text.created_at, by=text.id, how=how)
        )
        for recipient, sender in itertools.product(recipients, senders)
    ]
    is_new = any(consent.began_by == text.id for consent in held)
    return Said(word=word, is_answered=is_answered, is_repeated=not is_new)


def _addresses_of_sender(form: Form) -> list[str]:
    """Return the addresses of a text's sender: From, and the WhatsApp user that Twilio names beside a number.

    WhatsApp may hide the number in the next text, and the app sends to either address. Twilio's changelog names the
    field, and not its form, so both forms are read:
    https://www.twilio.com/en-us/changelog/whatsapp-bsuid-format-in-conversations-and-webhook-fields
    """
    sender = form.get("From")
    if sender is None or not sender.startswith(WHATSAPP):
        return [sender] if sender else []
    named = (form.get(name) or "" for name in _WHATSAPP_USER_FIELDS)
    users = (WHATSAPP + name.removeprefix(WHATSAPP) for name in named)
    return list(dict.fromkeys([sender, *(user for user in users if WHATSAPP_USER.fullmatch(user))]))


async def _lifts(consents: Consents, recipients: list[str], senders: list[str], text: Delivery) -> bool:
    """Tell whether there is an opt-out that a text lifts, or that it lifted when it came before."""
    pairs = itertools.product(recipients, senders)
    known = [consent for recipient, sender in pairs for consent in await consents.find(recipient, sender)]
    return any(consent.state == "opted-out" or consent.by == text.id for consent in known)


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
