"""Sms: a text during a call. https://www.twilio.com/docs/voice/twiml/sms."""

from xml.etree import ElementTree as ET

import msgspec

from local.twilio.leg import Leg
from local.twilio.message_life import send
from local.twilio.messages import MessageOrder
from local.twilio.numbers import is_sender, is_textable
from local.twilio.twiml.attributes import source, text
from local.twilio.twiml.places import Exit


async def sms(line: Leg, element: ET.Element) -> Exit | None:
    """Text the other side of the call, or whom `to` says; the action, where there is one, is told of it."""
    call, callback = line.call, source(element, "statusCallback", base=line.url, method_name="")
    other, own = (call.from_, call.to) if call.direction == "inbound" else (call.to, call.from_)
    to, from_, words = element.get("to", other), element.get("from", own), text(element)
    fields = {"SmsStatus": "invalid"}
    fault = _fault(to=to, from_=from_, words=words)
    if fault is None:
        order = MessageOrder(
            to=to,
            from_=from_,
            service=None,
            body=words,
            media=(),
            status_callback=callback.url if callback else None,
            send_at=None,
        )
        message = send(line.network, order, direction="outbound-call")
        line.did("texted", message.sid)
        fields = {"SmsSid": message.sid, "SmsStatus": "sent"}
    else:
        line.note(*fault)
    target = source(element, "action", base=line.url)
    return None if target is None else Exit(to=msgspec.structs.replace(target, fields=tuple(fields.items())))


def _fault(*, to: str, from_: str, words: str) -> tuple[int, str] | None:
    if not is_textable(to):
        return 14101, "the `to` of an <Sms> cannot be texted"
    if not is_sender(from_):
        return 14102, "the `from` of an <Sms> cannot text"
    return None if words else (14103, "an <Sms> has no text")
