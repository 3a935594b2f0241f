"""The life of a message: what its statuses are, when they come, and what the status callbacks say.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
"""

from local.twilio.account import API_VERSION
from local.twilio.callbacks import Mail
from local.twilio.dates import now
from local.twilio.errors import RestError, message_of
from local.twilio.forms import new_sid
from local.twilio.messages import ENDED, Message, MessageOrder
from local.twilio.network import Network
from local.twilio.numbers import text_ending
from local.twilio.webhooks import Hook

QUEUED_AFTER = 0.1
SENT_AFTER = 0.3
DELIVERED_AFTER = 0.7
RECEIPTED = frozenset({"delivered", "undelivered"})


def send(network: Network, order: MessageOrder, *, direction: str = "outbound-api") -> Message:
    """Take a message over: it is remembered with its first status, and its life begins."""
    moment = now()
    status = "scheduled" if order.send_at else "accepted" if order.service else "queued"
    message = network.messages.add(
        Message(
            sid=new_sid("MM" if order.media else "SM"),
            account_sid=network.account.sid,
            to=order.to,
            from_=order.from_,
            body=order.body,
            media=order.media,
            direction=direction,
            status=status,
            history=((status, moment),),
            created=moment,
            updated=moment,
            service=order.service,
            status_callback=order.status_callback,
            send_at=order.send_at,
        )
    )
    if order.send_at:
        network.begin_later(message.sid, order.send_at, lambda: _live(network, message.sid))
    else:
        network.begin(_live(network, message.sid), name=message.sid)
    return message


def cancel(network: Network, message: Message) -> Message:
    """Call a scheduled message off; RestError 30409 where it is not scheduled any more."""
    if message.status != "scheduled":
        raise RestError(30409)
    network.call_off(message.sid)
    canceled = _change(network, message.sid, "canceled")
    network.begin(_tell(network.mail(), canceled))
    return canceled


def redact(network: Network, message: Message) -> Message:
    """Erase a body; RestError 20009 while the message is on its way."""
    if message.status not in ENDED:
        raise RestError(20009)
    return network.messages.change(message.sid, body="", updated=now())


async def _live(network: Network, sid: str) -> None:
    message, mail = network.messages[sid], network.mail()
    if message.service:
        await network.wait(QUEUED_AFTER)
        network.messages.change(sid, from_=message.from_ or network.sender)
        await _tell(mail, _change(network, sid, "queued"))
    ending = text_ending(message.to)
    await network.wait(SENT_AFTER)
    if ending.status != "failed":
        await _tell(mail, _change(network, sid, "sent"))
        await network.wait(DELIVERED_AFTER)
    if ending.status == "read":
        await _tell(mail, _change(network, sid, "delivered"))
        await network.wait(DELIVERED_AFTER)
    if ending.status != "sent":
        await _tell(mail, _change(network, sid, ending.status, ending.error_code))
    await mail.end()


def _change(network: Network, sid: str, status: str, error_code: int | None = None) -> Message:
    message, moment = network.messages[sid], now()
    return network.messages.change(
        sid,
        status=status,
        error_code=error_code,
        history=(*message.history, (status, moment)),
        updated=moment,
        sent=moment if status == "sent" else message.sent,
    )


async def _tell(mail: Mail, message: Message) -> None:
    """Make the status callback, if one was asked for; what comes of it changes nothing, and is in the log."""
    if message.status_callback is not None:
        await mail.post(Hook(url=message.status_callback, fields=tuple(_fields(message).items())))


def _fields(message: Message) -> dict[str, str]:
    fields = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "From": message.from_ or "",
        "MessageSid": message.sid,
        "MessageStatus": message.status,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if message.service:
        fields["MessagingServiceSid"] = message.service
    if message.error_code is not None:
        fields |= {"ErrorCode": str(message.error_code), "ErrorMessage": message_of(message.error_code)}
    if message.status in RECEIPTED:
        fields["RawDlrDoneDate"] = message.updated.strftime("%y%m%d%H%M")
    return fields
