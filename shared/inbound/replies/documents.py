"""What a rule makes of a text: the TwiML that answers it, and the message that passes it on. Pure."""

from typing import Any, Final

import msgspec
from twilio.twiml.messaging_response import MessagingResponse

from shared.deliveries.record import Delivery
from shared.inbound.form import Form
from shared.inbound.replies.rules import Chosen
from shared.queues import LARGEST

SILENCE: Final = str(MessagingResponse())
"""what answers a text with nothing"""
_MOST_MEDIA: Final = 10
_LONGEST_BODY: Final = 3_000
"""characters: twice what Twilio takes, and a queue's message has room for them, whatever they are"""
_LONGEST_URL: Final = 1_000
_LONGEST_SID: Final = 100
Fields = dict[str, str | list[str]]


def twiml(body: str, media: tuple[str, ...], *, status_callback: str) -> str:
    """Return the document that answers with a text, which is `writable`, with media, or both; a text stays text.

    See https://www.twilio.com/docs/messaging/twiml/message.
    """
    if not (body or media):
        return SILENCE
    response = MessagingResponse()
    message = response.message(None if media else body, status_callback=status_callback)
    if media and body:
        message.body(body)
    for url in media:
        message.media(url)
    return str(response)


def forwarded(text: Delivery, form: Form, chosen: Chosen) -> bytes:
    """Return the JSON that passes a text on; docs/reference/reply-rules.md says what each field is."""
    media = [
        {"url": url, "type": form.get(f"MediaContentType{number}")}
        for number in range(_MOST_MEDIA)
        if (url := form.get(f"MediaUrl{number}")) and len(url) <= _LONGEST_URL
    ]
    message: dict[str, Any] = {
        "id": text.id,
        "from": text.from_,
        "to": text.to,
        "service": (form.get("MessagingServiceSid") or "")[:_LONGEST_SID] or None,
        "body": (form.get("Body") or "")[:_LONGEST_BODY],
        "media": media,
        "rule": chosen.rule.name,
        "rest": chosen.rest[:_LONGEST_BODY],
        "answers": text.answers,
        "received_at": text.created_at,
        "form": {},
        "left_out": len(form),
    }
    if len(msgspec.json.encode(message)) > LARGEST:
        message["media"] = []
    told = _fitting(form.as_dict(), LARGEST - len(msgspec.json.encode(message)))
    return msgspec.json.encode({**message, "form": told, "left_out": len(form) - len(told)})


def _fitting(fields: Fields, room: int) -> Fields:
    """Return the fields for which a JSON object has room, in their order; the largest ones go first."""
    sizes = {name: len(msgspec.json.encode({name: value})) for name, value in fields.items()}
    fitting = set()
    for name in sorted(sizes, key=lambda name: sizes[name]):
        room -= sizes[name]
        if room < 0:
            break
        fitting.add(name)
    return {name: value for name, value in fields.items() if name in fitting}
