"""What the account sent before: texts and calls that have ended, for lists that hold more than the present one."""

from datetime import datetime, timedelta

from local.twilio.calls import Call
from local.twilio.forms import new_sid
from local.twilio.messages import Message
from local.twilio.network import Network

A_SECOND = timedelta(seconds=1)


def earlier_text(network: Network, *, to: str, from_: str, at: datetime) -> Message:
    """Remember a text that was created at this moment, sent a second later, and delivered."""
    sent, delivered = at + A_SECOND, at + 2 * A_SECOND
    return network.messages.add(
        Message(
            sid=new_sid("SM"),
            account_sid=network.account.sid,
            to=to,
            from_=from_,
            body="An earlier text",
            media=(),
            direction="outbound-api",
            status="delivered",
            history=(("queued", at), ("sent", sent), ("delivered", delivered)),
            created=at,
            updated=delivered,
            sent=sent,
        )
    )


def earlier_call(network: Network, *, to: str, from_: str, at: datetime) -> Call:
    """Remember a call that was created at this moment, dialled a second later, and not answered."""
    dialled, ended = at + A_SECOND, at + 61 * A_SECOND
    return network.calls.add(
        Call(
            sid=new_sid("CA"),
            account_sid=network.account.sid,
            to=to,
            from_=from_,
            direction="outbound-api",
            status="no-answer",
            history=(("queued", at), ("ringing", dialled), ("no-answer", ended)),
            created=at,
            updated=ended,
            started=dialled,
            ended=ended,
        )
    )
