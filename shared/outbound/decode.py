"""From the bytes of a queue message to a request that can be sent, or to every fault that is in it. Pure."""

import hashlib
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from shared.deliveries.status import Channel
from shared.documents import check_fields, parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound.request import LONGEST, NOT_YET, Request
from shared.settings import Settings
from shared.text.numbers import NumberInvalid, country, mask, recipient, sender
from shared.voice import twiml

_LONGEST_METADATA: Final = 4096
# what a table can hold and bring back: it begins with 1601, and Python ends with 9999 in UTC
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime.max.replace(tzinfo=UTC)
_MESSAGE_CONTENT: Final = ("body", "content_sid")
_CALL_CONTENT: Final = ("say", "twiml", "url")
_MESSAGE_ONLY: Final = ("body", "media_urls", "content_sid", "content_variables")
_CALL_ONLY: Final = (
    "say",
    "twiml",
    "url",
    "voice",
    "language",
    "machine_detection",
    "record",
    "timeout_seconds",
    "time_limit_seconds",
    "send_digits",
)


class Decoded(msgspec.Struct, frozen=True):
    """A request that can be sent, and the hash of its content."""

    request: Request
    hash: str


class _Id(msgspec.Struct, frozen=True):
    id: str | None = None


class _Channel(msgspec.Struct, frozen=True):
    channel: Channel | None = None


class _Metadata(msgspec.Struct, frozen=True):
    metadata: dict[str, str] | None = None


def decode(message: bytes, settings: Settings) -> Decoded:
    """Decode a request, its numbers brought to E.164 and its sender filled in.

    Raises:
        RequestInvalid: it can't be sent as it is; every fault is named.
    """
    document = parse_object(message, longest=LONGEST)
    fields, faults = check_fields(document, Request, not_yet=NOT_YET)
    faulty = {fault.field for fault in faults}
    request, more = _with_addresses(msgspec.convert({**_stand_ins(fields), **fields}, Request), settings)
    more += _limit_faults(request, settings)
    if "channel" not in faulty:
        more += _content_faults(request, given={name for name, value in document.items() if value is not None})
    faults += [fault for fault in more if fault.field not in faulty]
    if faults:
        raise RequestInvalid("it can't be sent", faults)
    return Decoded(request=request, hash=_hash(document))


def _stand_ins(fields: dict[str, Any]) -> dict[str, Any]:
    """Return values for what may be missing or wrong, so that the other fields can be checked all the same."""
    channel = "call" if fields.get("to", "").startswith("client:") else "sms"
    return {"id": "0", "channel": channel, "to": "+12025550100"}


def faults_of(message: bytes, settings: Settings) -> tuple[Fault, ...]:
    """Return what is wrong with a request; nothing where it can be sent."""
    try:
        decode(message, settings)
    except RequestInvalid as exc:
        return exc.faults
    return ()


def id_of(message: bytes) -> str | None:
    """Return the id that a message names, even one that can't be used."""
    try:
        return msgspec.json.decode(message, type=_Id).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def channel_of(message: bytes) -> Channel | None:
    """Return the channel that a message names, even one that can't be used otherwise."""
    try:
        return msgspec.json.decode(message, type=_Channel).channel
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def metadata_of(message: bytes) -> dict[str, str]:
    """Return the metadata that a message carries, even one that can't be used otherwise; none where it is too long."""
    try:
        metadata = msgspec.json.decode(message, type=_Metadata).metadata or {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return metadata if len(msgspec.json.encode(metadata)) <= _LONGEST_METADATA else {}


def _with_addresses(request: Request, settings: Settings) -> tuple[Request, list[Fault]]:
    faults = []
    to, from_ = request.to, request.from_
    try:
        to = recipient(request.to, channel=request.channel, region=settings.default_region)
        faults += _country_faults(to, settings)
    except NumberInvalid as exc:
        faults.append(Fault("to", f"{exc}, got {mask(request.to)}"))
    try:
        from_ = _sender(request, settings)
    except NumberInvalid as exc:
        faults.append(Fault("from", f"{exc}, got {mask(request.from_)}"))
    return msgspec.structs.replace(request, to=to, from_=from_), faults


def _country_faults(to: str, settings: Settings) -> list[Fault]:
    allowed = settings.allowed_countries
    if allowed is None or to.startswith("client:") or country(to) in allowed:
        return []
    return [Fault("to", f"expected a number of ALLOWED_COUNTRIES, got one of {country(to) or 'none'}")]


def _sender(request: Request, settings: Settings) -> str:
    if request.from_ is not None:
        return sender(request.from_, channel=request.channel, region=settings.default_region)
    if request.channel == "sms" and settings.messaging_service_sid:
        return settings.messaging_service_sid
    if settings.from_number is None:
        raise NumberInvalid("expected a sender, as TWILIO_FROM_NUMBER is not set")
    return f"whatsapp:{settings.from_number}" if request.to.startswith("whatsapp:") else settings.from_number


def _content_faults(request: Request, *, given: AbstractSet[str]) -> list[Fault]:
    is_call = request.channel == "call"
    strangers = _MESSAGE_ONLY if is_call else _CALL_ONLY
    faults = [Fault(name, f"does not go with a {request.channel}") for name in strangers if name in given]
    choice = _CALL_CONTENT if is_call else _MESSAGE_CONTENT
    chosen = [name for name in choice if name in given]
    other = {"template", "flow" if is_call else "media_urls"}
    if len(chosen) > 1 or not (chosen or given & other):
        expected = f"exactly one of {', '.join(choice)}" if is_call else "body, media_urls or both, or content_sid"
        faults.append(Fault("request", f"expected {expected}, got {' and '.join(chosen) or 'none'}"))
    for name, needed in (("voice", "say"), ("language", "say"), ("content_variables", "content_sid")):
        if name in given and needed not in given:
            faults.append(Fault(name, f"expected only beside {needed}"))
    return faults + _twiml_faults(request)


def _twiml_faults(request: Request) -> list[Fault]:
    if request.say is not None:
        length = len(twiml.say(request.say, voice=request.voice, language=request.language))
        if length > twiml.LONGEST:
            return [Fault("say", f"expected at most {twiml.LONGEST} characters as TwiML, got {length}")]
    if request.twiml is not None:
        try:
            twiml.check(request.twiml)
        except twiml.TwimlInvalid as exc:
            return [Fault("twiml", str(exc))]
    return []


def _limit_faults(request: Request, settings: Settings) -> list[Fault]:
    faults = []
    if (request.time_limit_seconds or 0) > settings.max_call_seconds:
        problem = f"expected at most MAX_CALL_SECONDS ({settings.max_call_seconds}), got {request.time_limit_seconds}"
        faults.append(Fault("time_limit_seconds", problem))
    size = len(msgspec.json.encode(request.metadata))
    if size > _LONGEST_METADATA:
        faults.append(Fault("metadata", f"expected at most {_LONGEST_METADATA} bytes of JSON, got {size}"))
    if request.time_zone is not None and not _is_zone(request.time_zone):
        faults.append(Fault("time_zone", "expected an IANA time zone, such as Europe/Berlin"))
    if request.expires_at is not None and not _EARLIEST <= request.expires_at <= _LATEST:
        faults.append(Fault("expires_at", f"expected a moment from {_EARLIEST:%Y} to {_LATEST:%Y} UTC, got another"))
    return faults


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _hash(document: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
