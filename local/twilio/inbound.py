"""Texts that come in: the app's webhook is asked, and what it answers is sent.

https://www.twilio.com/docs/messaging/guides/webhook-request
"""

import mimetypes

import msgspec

from local.twilio.account import API_VERSION
from local.twilio.calls import Note
from local.twilio.dates import now
from local.twilio.forms import new_sid
from local.twilio.message_life import send
from local.twilio.messages import Message, MessageOrder
from local.twilio.network import Network
from local.twilio.numbers import country
from local.twilio.replies import Reply, Script, read
from local.twilio.segments import segments
from local.twilio.twiml import Source, TwimlError, parse
from local.twilio.webhooks import Hook, HookError

MAX_DOCUMENTS = 10


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a text: its SID, the replies, and what Twilio's debugger would show."""

    sid: str
    replies: list[Message]
    notes: list[Note]


async def receive_text(
    network: Network,
    *,
    from_: str,
    to: str,
    body: str,
    media: tuple[str, ...],
    source: Source,
    fallback: Source | None = None,
) -> Arrival:
    """Let somebody text the app's number; returns when the app has answered, with the replies on their way."""
    message = _remember(network, from_=from_, to=to, body=body, media=media)
    arrival = Arrival(sid=message.sid, replies=[], notes=[])
    fields = _fields(message)
    step: Source | None = source
    for _ in range(MAX_DOCUMENTS):
        if step is None:
            return arrival
        try:
            script = await _ask(network, step, fields)
        except (HookError, TwimlError) as exc:
            arrival.notes.append(Note(code=exc.code, message=str(exc), url=step.url))
            fields |= {"ErrorCode": str(exc.code), "ErrorUrl": step.url or ""}
            step, fallback = fallback, None
            continue
        arrival.notes.extend(Note(code=code, message=detail, url=step.url) for code, detail in script.faults)
        arrival.replies.extend(_send(network, message, reply) for reply in script.replies)
        step = script.redirect
    arrival.notes.append(Note(code=11200, message=f"more than {MAX_DOCUMENTS} documents: do they redirect in a loop?"))
    return arrival


async def _ask(network: Network, step: Source, fields: dict[str, str]) -> Script:
    hook = Hook(url=step.url or "", fields=tuple(fields.items()), method=step.method)
    answer = await network.webhooks.send(hook)
    if not answer.body.strip():
        return Script(replies=[], redirect=None, faults=[])
    return read(parse(answer.body, content_type=answer.content_type), url=answer.url)


def _send(network: Network, message: Message, reply: Reply) -> Message:
    order = MessageOrder(
        to=reply.to or message.from_ or "",
        from_=reply.from_ or message.to,
        service=None,
        body=reply.body,
        media=reply.media,
        status_callback=reply.status_callback,
        send_at=None,
    )
    return send(network, order, direction="outbound-reply")


def _remember(network: Network, *, from_: str, to: str, body: str, media: tuple[str, ...]) -> Message:
    moment = now()
    return network.messages.add(
        Message(
            sid=new_sid("MM" if media else "SM"),
            account_sid=network.account.sid,
            to=to,
            from_=from_,
            body=body,
            media=media,
            direction="inbound",
            status="received",
            history=(("received", moment),),
            created=moment,
            updated=moment,
            sent=moment,
        )
    )


def _fields(message: Message) -> dict[str, str]:
    from_ = message.from_ or ""
    fields = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "Body": message.body,
        "From": from_,
        "MessageSid": message.sid,
        "NumMedia": str(len(message.media)),
        "NumSegments": str(segments(message.body)),
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    for side, address in (("From", from_), ("To", message.to)):
        # Twilio sends these blank where it does not know them, and its signature covers the blanks.
        fields |= {f"{side}City": "", f"{side}State": "", f"{side}Zip": "", f"{side}Country": country(address)}
    for number, url in enumerate(message.media):
        fields |= {
            f"MediaUrl{number}": url,
            f"MediaContentType{number}": mimetypes.guess_type(url)[0] or "application/octet-stream",
        }
    return fields
