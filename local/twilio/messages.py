"""Messages: what a create asks for, what is remembered, what the REST API shows.

https://www.twilio.com/docs/messaging/api/message-resource
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from local.twilio.account import API_VERSION, Account
from local.twilio.dates import rfc2822, rfc2822_or_none
from local.twilio.errors import RestError, message_of
from local.twilio.forms import Form, first, is_url
from local.twilio.numbers import TEXT_FROM, TEXT_TO, is_sender, is_textable, refusal
from local.twilio.segments import segments
from local.twilio.store import Record

MAX_BODY = 1600
MAX_MEDIA = 10
MAX_VALIDITY_SECONDS = 36_000
SCHEDULE_WINDOW = timedelta(seconds=300), timedelta(days=35)
SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")
ENDED = frozenset({"delivered", "undelivered", "failed", "canceled", "read", "received"})


class MessageOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A create request that was found good."""

    to: str
    from_: str | None
    service: str | None
    body: str
    media: tuple[str, ...]
    status_callback: str | None
    send_at: datetime | None


class Message(Record, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A message as it is now; `history` holds every status that it had, with the time."""

    account_sid: str
    from_: str | None
    body: str
    media: tuple[str, ...]
    direction: str
    status: str
    history: tuple[tuple[str, datetime], ...]
    updated: datetime
    sent: datetime | None = None
    service: str | None = None
    status_callback: str | None = None
    send_at: datetime | None = None
    error_code: int | None = None


def read_order(form: Form, *, now: datetime) -> MessageOrder:
    """Check a create request; RestError with Twilio's code where it would be refused."""
    order = MessageOrder(
        to=first(form, "To") or "",
        from_=first(form, "From"),
        service=first(form, "MessagingServiceSid"),
        # https://github.com/TwilioDevEd/message-segment-calculator/blob/main/scripts/manual-test-plan.js: trailing line
        # breaks are trimmed
        body=(first(form, "Body") or "").rstrip("\r\n"),
        media=tuple(url for url in form.get("MediaUrl", []) if url),
        status_callback=first(form, "StatusCallback"),
        send_at=_send_at(form, now=now),
    )
    _check_addresses(order)
    _check_content(order, has_template=first(form, "ContentSid") is not None)
    _check_validity(first(form, "ValidityPeriod"))
    return order


def message_json(account: Account, message: Message) -> dict[str, object]:
    """A message as the REST API shows it, field by field as Twilio's OpenAPI document has it."""
    uri = account.uri(f"/Messages/{message.sid}")
    return {
        "body": message.body,
        "num_segments": str(segments(message.body)) if message.from_ else "0",
        "direction": message.direction,
        "from": message.from_,
        "to": message.to,
        "date_updated": rfc2822(message.updated),
        "price": None,
        "error_message": None if message.error_code is None else message_of(message.error_code),
        "uri": uri,
        "account_sid": message.account_sid,
        "num_media": str(len(message.media)),
        "status": message.status,
        "messaging_service_sid": message.service,
        "sid": message.sid,
        "date_sent": rfc2822_or_none(message.sent),
        "date_created": rfc2822(message.created),
        "error_code": message.error_code,
        "price_unit": "USD",
        "api_version": API_VERSION,
        "subresource_uris": {"media": account.uri(f"/Messages/{message.sid}/Media")},
    }


def _check_addresses(order: MessageOrder) -> None:
    if not order.to:
        raise RestError(21604)
    if not order.from_ and not order.service:
        raise RestError(21603)
    refused = refusal(TEXT_FROM, order.from_ or "") or refusal(TEXT_TO, order.to)
    if refused:
        raise RestError(refused)
    if not is_textable(order.to):
        raise RestError(21211)
    if order.from_ and not is_sender(order.from_):
        raise RestError(21212)
    if order.from_ == order.to:
        raise RestError(21266)
    if order.service and not SERVICE_SID.fullmatch(order.service):
        raise RestError(21701)


def _check_content(order: MessageOrder, *, has_template: bool) -> None:
    if not (order.body or order.media or has_template):
        raise RestError(21602)
    if len(order.body) > MAX_BODY:
        raise RestError(21617)
    if len(order.media) > MAX_MEDIA:
        raise RestError(21623)
    if not all(is_url(url) for url in order.media):
        raise RestError(21620)
    if order.status_callback and not is_url(order.status_callback):
        raise RestError(21609)


def _check_validity(seconds: str | None) -> None:
    if seconds is None:
        return
    if not seconds.isdecimal() or not 1 <= int(seconds) <= MAX_VALIDITY_SECONDS:
        raise RestError(90007)


def _send_at(form: Form, *, now: datetime) -> datetime | None:
    # Without a Messaging Service, Twilio ignores the schedule and sends now.
    if first(form, "ScheduleType") != "fixed" or not first(form, "MessagingServiceSid"):
        return None
    try:
        moment = datetime.fromisoformat(first(form, "SendAt") or "")
    except ValueError as exc:
        raise RestError(35114) from exc
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    earliest, latest = SCHEDULE_WINDOW
    if not earliest <= moment - now <= latest:
        raise RestError(35114)
    return moment
