"""Twilio's answers, and how they differ from the answers of a proxy or a gateway in between. Pure.

Only Twilio's own error body says that Twilio refused a request, or that it took no more requests. Any other answer is
ambiguous: the request may have reached Twilio.
https://www.twilio.com/docs/usage/twilios-response
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.errors import TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.provider import Resource

LARGEST: Final = 16 * 1024 * 1024
"""bytes of an answer: a page of 1000 messages of 1600 characters, each escaped in JSON, has 12 million at most"""
MESSAGES: Final = frozenset({"SM", "MM"})
CALLS: Final = frozenset({"CA"})
RECORDINGS: Final = frozenset({"RE"})
"""how the SIDs of each kind begin: https://www.twilio.com/docs/glossary/what-is-a-sid"""

_OK: Final = range(200, 300)
_DELETED: Final = 204
_TOO_MANY_REQUESTS: Final = 429
_CLIENT_ERRORS: Final = range(400, 500)
_LARGEST_RESOURCE: Final = 64 * 1024
"""bytes of one resource: it is kept as an event, and a row of a table has a limit"""

_Code = Annotated[int, Meta(ge=10_000, le=9_999_999)]
"""Twilio's error codes have five digits or more; a gateway's `code` is often the HTTP status, or smaller.
https://www.twilio.com/docs/api/errors"""
_Sid = Annotated[str, Meta(pattern=r"^[A-Z]{2}[0-9a-fA-F]{32}\Z")]
_Status = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z_-]{0,39}\Z")]


class _Refusal(msgspec.Struct, frozen=True):
    """Twilio's error body: the older form has a `message`, a problem document has a `detail`."""

    code: _Code
    message: object = None
    detail: object = None

    @property
    def explanation(self) -> str:
        return next((text for text in (self.message, self.detail) if isinstance(text, str)), "")


class _Shown(msgspec.Struct, frozen=True):
    """The properties of a message or a call that this app reads, with their documented types.

    https://www.twilio.com/docs/messaging/api/message-resource#message-properties
    https://www.twilio.com/docs/voice/api/call-resource#call-properties
    """

    sid: _Sid
    status: _Status
    from_: str | None = msgspec.field(name="from", default=None)
    messaging_service_sid: str | None = None
    body: str | None = None
    direction: str | None = None
    date_created: str | None = None
    error_code: Annotated[int, Meta(ge=0, le=9_999_999)] | None = None
    error_message: str | None = None


class _Recording(msgspec.Struct, frozen=True):
    """The properties of a recording: https://www.twilio.com/docs/voice/api/recording#recording-properties."""

    sid: _Sid
    call_sid: _Sid


_Path = Annotated[str, Meta(pattern="^/")]


def raise_for_status(status: int, headers: Mapping[str, str], content: bytes, *, now: datetime) -> None:
    """Return for a 2xx, raise what any other answer means.

    Raises:
        TwilioUnavailable: Twilio did not process the request: a 429 with Twilio's error body.
        TwilioRefused: Twilio refused the request: another 4xx with Twilio's error body.
        TwilioUnclear: any other answer, such as a redirect, a 5xx, or a proxy's page with any status.
    """
    if status in _OK:
        return
    pause = retry_after(headers.get("Retry-After"), now=now)
    refusal = _refusal(content)
    if refusal is None:
        raise TwilioUnclear(
            f"expected Twilio's answer, got HTTP {status} without Twilio's error body:"
            " a proxy or gateway may have answered",
            retry_after=pause,
        )
    if status == _TOO_MANY_REQUESTS:
        raise TwilioUnavailable("Twilio takes no more requests for now", code=refusal.code, retry_after=pause)
    if status not in _CLIENT_ERRORS:
        raise TwilioUnclear(f"Twilio answered HTTP {status}", code=refusal.code, retry_after=pause)
    raise TwilioRefused(status=status, code=refusal.code, explanation=refusal.explanation)


def check_deleted(status: int) -> None:
    """Return if a resource was deleted: Twilio answers that with 204, and a proxy's page comes with 200.

    https://www.twilio.com/docs/usage/twilios-response#response-status-codes
    """
    if status != _DELETED:
        raise TwilioUnclear(f"expected HTTP 204 for what was deleted, got HTTP {status}")


def document(content: bytes) -> dict[str, Any]:
    """Return the JSON object that an answer holds; TwilioUnclear if it holds something else."""
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as exc:
        raise _unreadable("a JSON object", exc) from None


def resource(answer: object, *, kinds: frozenset[str], sid: str | None = None) -> Resource:
    """Return the message or the call that an answer, or an item of a list, is.

    `kinds` are the beginnings that its SID may have; `sid` is the SID that was asked for.

    Raises:
        TwilioUnclear: a property lacks, has a type that Twilio does not document, or could not be kept on record.
    """
    try:
        shown = msgspec.convert(answer, _Shown)
        properties = msgspec.convert(answer, dict[str, Any])
        size = len(msgspec.json.encode(properties))
    except (msgspec.ValidationError, RecursionError, OverflowError) as exc:
        raise _unreadable("a resource", exc) from None
    if shown.sid[:2] not in kinds or sid not in {None, shown.sid}:
        raise TwilioUnclear("expected the resource that was asked for in Twilio's answer, got another")
    if size > _LARGEST_RESOURCE:
        raise TwilioUnclear(f"expected a resource of {_LARGEST_RESOURCE} bytes at most in Twilio's answer, got {size}")
    return Resource(
        sid=shown.sid,
        status=shown.status,
        from_=shown.from_,
        service=shown.messaging_service_sid,
        body=shown.body,
        direction=shown.direction,
        created_at=_moment(shown.date_created),
        error_code=shown.error_code,
        error_message=shown.error_message,
        answer=properties,
    )


def recording_sid(item: object, *, call_sid: str) -> str:
    """Return the SID of a recording of a call; TwilioUnclear if an item of the list is something else."""
    try:
        recording = msgspec.convert(item, _Recording)
    except msgspec.ValidationError as exc:
        raise _unreadable("a recording", exc) from None
    if recording.sid[:2] not in RECORDINGS or recording.call_sid != call_sid:
        raise TwilioUnclear("expected the recordings of the call that was asked for, got others")
    return recording.sid


def page(answer: dict[str, Any], name: str) -> tuple[list[object], str | None]:
    """Return the items of a page of a list, and the path of the next page, if there is one.

    https://www.twilio.com/docs/usage/twilios-response#pagination

    Raises:
        TwilioUnclear: there is no list of this name, or the next page is not at the same host.
    """
    try:
        items = msgspec.convert(answer.get(name), list[object])
        following = msgspec.convert(answer.get("next_page_uri") or None, _Path | None)
    except msgspec.ValidationError as exc:
        raise _unreadable("a page of a list", exc) from None
    return items, following


def retry_after(text: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for; None if there is none that can be read.

    It holds seconds or an HTTP date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if not text:
        return None
    if re.fullmatch(r"[0-9]{1,300}", text.strip()):
        return float(text)
    moment = _moment(text)
    return max(0.0, (moment - now).total_seconds()) if moment is not None else None


def _refusal(content: bytes) -> _Refusal | None:
    try:
        return msgspec.json.decode(content, type=_Refusal)
    except (msgspec.DecodeError, RecursionError):
        return None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
        if moment is None:
            return None
        # a date without a zone, or with the zone -0000, is UTC: https://www.rfc-editor.org/rfc/rfc5322#section-3.3
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _unreadable(expected: str, error: Exception) -> TwilioUnclear:
    return TwilioUnclear(f"expected {expected} in Twilio's answer, got something else ({type(error).__name__})")
