"""What is asked of the fields of a request together, and what is filled in. Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.errors import Fault, RequestInvalid
from shared.outbound.message import LONGEST_METADATA
from shared.outbound.request import LONGEST_BODY, Request
from shared.settings import Settings
from shared.text import time_zones
from shared.text.numbers import NumberInvalid, as_sender, mask, recipient, sender
from shared.text.segments import plain
from shared.text.templates.library import Templates
from shared.text.tolls import NotAllowed, check_recipient
from shared.voice import twiml
from shared.voice.flows.library import Flows, check_data

# what a table can hold and bring back begins with 1601, and Python's time ends with 9999 in UTC
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = {"send_at": datetime(9900, 1, 1, tzinfo=UTC), "expires_at": datetime.max.replace(tzinfo=UTC)}
_MESSAGE_CONTENT: Final = ("body", "content_sid", "template")
_CALL_CONTENT: Final = ("say", "twiml", "url", "flow", "template")
_MESSAGE_ONLY: Final = ("body", "media_urls", "content_sid", "content_variables")
_CALL_ONLY: Final = (
    "say",
    "twiml",
    "url",
    "flow",
    "voice",
    "language",
    "machine_detection",
    "record",
    "timeout_seconds",
    "time_limit_seconds",
    "send_digits",
)
_BESIDE: Final[dict[str, tuple[str, ...]]] = {
    "voice": ("say", "template"),
    "language": ("say", "template"),
    "content_variables": ("content_sid",),
    "data": ("template", "flow"),
    "locale": ("template",),
}
"""fields that mean something only beside one of others"""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a request is checked against."""

    settings: Settings
    templates: Templates = field(default_factory=Templates)
    flows: Flows = field(default_factory=Flows)

    @property
    def own_numbers(self) -> frozenset[str]:
        """Every number that is known to be our own."""
        of_flows = (number for flow in self.flows for number in flow.answers)
        return frozenset(number for number in (self.settings.from_number, *of_flows) if number)


def complete(
    request: Request, rules: Rules, *, given: AbstractSet[str], faulty: AbstractSet[str]
) -> tuple[Request, list[Fault]]:
    """Bring a request's numbers to E.164, fill in its sender and render its template; return what is wrong with it.

    `given` are the fields that its document has, `faulty` those that are known to be wrong already.
    """
    request, faults = _with_addresses(request, rules.settings)
    faults += _limit_faults(request, rules.settings) + _time_faults(request)
    if "channel" not in faulty:
        faults += _content_faults(request, given=given)
    if not faulty & {"channel", "data", "template", "flow"}:
        request, more = _with_text(request, rules)
        faults += more + _flow_faults(request, rules)
    faults += _twiml_faults(request)
    return request, [fault for fault in faults if fault.field not in faulty]


def _with_addresses(request: Request, settings: Settings) -> tuple[Request, list[Fault]]:
    faults = []
    to, from_ = request.to, request.from_
    try:
        to = recipient(request.to, channel=request.channel, region=settings.default_region)
        faults += _country_faults(to, settings)
    except NumberInvalid as exc:
        faults.append(Fault("to", f"{exc}, got {mask(request.to)}"))
    try:
        from_ = _sender(request, settings, to=to)
    except NumberInvalid as exc:
        faults.append(Fault("from", f"{exc}, got {mask(request.from_)}"))
    return msgspec.structs.replace(request, to=to, from_=from_), faults


def _country_faults(to: str, settings: Settings) -> list[Fault]:
    try:
        check_recipient(to, settings.allowed_countries)
    except NotAllowed as exc:
        return [Fault("to", str(exc))]
    return []


def _sender(request: Request, settings: Settings, *, to: str) -> str:
    if request.from_ is not None:
        return sender(request.from_, channel=request.channel, region=settings.default_region)
    if request.channel == "sms" and settings.messaging_service_sid:
        return settings.messaging_service_sid
    if settings.from_number is None:
        raise NumberInvalid("expected a sender, as TWILIO_FROM_NUMBER is not set")
    if request.channel == "call":
        return settings.from_number
    own = as_sender(settings.from_number, to=to)
    if own is None:
        raise NumberInvalid("expected a sender for rcs: or messenger:, as TWILIO_MESSAGING_SERVICE_SID is not set")
    return own


def _content_faults(request: Request, *, given: AbstractSet[str]) -> list[Fault]:
    is_call = request.channel == "call"
    strangers = _MESSAGE_ONLY if is_call else _CALL_ONLY
    faults = [Fault(name, f"does not go with a {request.channel}") for name in strangers if name in given]
    choice = _CALL_CONTENT if is_call else _MESSAGE_CONTENT
    chosen = [name for name in choice if name in given]
    if len(chosen) > 1 or not (chosen or (not is_call and "media_urls" in given)):
        both = "body, media_urls or both, or content_sid, or template"
        expected = f"exactly one of {', '.join(choice)}" if is_call else both
        faults.append(Fault("request", f"expected {expected}, got {' and '.join(chosen) or 'none'}"))
    for name, needed in _BESIDE.items():
        if name in given and name not in strangers and given.isdisjoint(needed):
            faults.append(Fault(name, f"expected only beside {' or '.join(needed)}"))
    return faults


def _with_text(request: Request, rules: Rules) -> tuple[Request, list[Fault]]:
    """Render what is to be rendered; a text may also be made one that fits the cheaper encoding."""
    is_plain = rules.settings.plain_punctuation
    if request.template is not None:
        try:
            rendered = rules.templates.render(
                request.template, channel=request.channel, data=request.data or {}, locale=request.locale
            )
        except RequestInvalid as exc:
            return request, list(exc.faults)
        if request.channel == "call":
            request = msgspec.structs.replace(
                request,
                say=rendered.text,
                voice=request.voice or rendered.voice,
                language=request.language or rendered.language,
            )
        else:
            request = msgspec.structs.replace(request, body=rendered.text)
    if is_plain and request.body is not None:
        request = msgspec.structs.replace(request, body=plain_body(request.body))
    return request, []


def plain_body(body: str) -> str:
    """Return a text in plain punctuation; one that would get too long, as an ellipsis becomes three dots, as it was."""
    simple = plain(body)
    return simple if len(simple) <= LONGEST_BODY else body


def _flow_faults(request: Request, rules: Rules) -> list[Fault]:
    if request.flow is None or request.channel != "call":
        return []
    try:
        check_data(rules.flows.named(request.flow), request.data or {})
    except RequestInvalid as exc:
        return list(exc.faults)
    return []


def _twiml_faults(request: Request) -> list[Fault]:
    if request.say is not None:
        length = len(twiml.say(request.say, voice=request.voice, language=request.language))
        if length > twiml.LONGEST:
            field = "say" if request.template is None else "template"
            return [Fault(field, f"expected at most {twiml.LONGEST} characters as TwiML, got {length}")]
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
    if size > LONGEST_METADATA:
        faults.append(Fault("metadata", f"expected at most {LONGEST_METADATA} bytes of JSON, got {size}"))
    return faults


def _time_faults(request: Request) -> list[Fault]:
    faults = []
    if request.time_zone is not None and time_zones.find(request.time_zone) is None:
        faults.append(Fault("time_zone", "expected an IANA time zone, such as Europe/Berlin"))
    for name, latest in _LATEST.items():
        moment = getattr(request, name)
        if moment is not None and not _EARLIEST <= moment <= latest:
            problem = f"expected a moment from {_EARLIEST:%Y} to {latest:%Y} UTC, got another"
            faults.append(Fault(name, problem))
    if request.send_at is not None and request.expires_at is not None and request.expires_at <= request.send_at:
        faults.append(Fault("expires_at", "expected a moment after send_at, got one before"))
    return faults
