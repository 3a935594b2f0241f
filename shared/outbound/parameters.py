"""A request as the parameters of Twilio's create calls. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from shared.outbound.checks import Rules
from shared.outbound.request import Request
from shared.settings import Settings
from shared.text.numbers import MESSAGING_SERVICE
from shared.voice import twiml
from shared.voice.flows.turn import Turn
from shared.voice.flows.urls import callback_url, flow_url

CALL_EVENTS: Final = ["initiated", "ringing", "answered", "completed"]
_LONGEST_QUEUED: Final = timedelta(seconds=36_000)
"""https://www.twilio.com/docs/messaging/api/message-resource, ValidityPeriod"""


def of_message(request: Request, settings: Settings, *, expires_at: datetime, now: datetime) -> dict[str, Any]:
    """Return the parameters of https://www.twilio.com/docs/messaging/api/message-resource."""
    from_ = request.from_ or ""
    left = expires_at - now
    return _without_none(
        to=request.to,
        from_=None if MESSAGING_SERVICE.fullmatch(from_) else from_,
        messaging_service_sid=from_ if MESSAGING_SERVICE.fullmatch(from_) else None,
        body=request.body,
        media_url=request.media_urls,
        content_sid=request.content_sid,
        content_variables=request.content_variables and msgspec.json.encode(request.content_variables).decode(),
        validity_period=max(1, int(left.total_seconds())) if left < _LONGEST_QUEUED else None,
        status_callback=callback_url(settings.public_base_url, "sms/status", delivery=request.id),
    )


def of_call(request: Request, rules: Rules) -> dict[str, Any]:
    """Return the parameters of https://www.twilio.com/docs/voice/api/call-resource."""
    settings, base_url = rules.settings, rules.settings.public_base_url
    document = request.twiml
    if request.say is not None:
        document = twiml.say(request.say, voice=request.voice, language=request.language)
    return _without_none(
        to=request.to,
        from_=request.from_,
        twiml=document,
        url=request.url if request.flow is None else _first_turn(request, rules),
        fallback_url=callback_url(base_url, "fallback/voice", delivery=request.id)
        if request.flow is not None
        else None,
        machine_detection=request.machine_detection,
        record=request.record,
        recording_status_callback=(
            callback_url(base_url, "voice/recording", delivery=request.id) if request.record else None
        ),
        timeout=request.timeout_seconds,
        time_limit=request.time_limit_seconds or settings.max_call_seconds,
        send_digits=request.send_digits,
        status_callback=callback_url(base_url, "voice/status", delivery=request.id),
        status_callback_event=CALL_EVENTS,
    )


def _first_turn(request: Request, rules: Rules) -> str:
    flow = rules.flows.named(request.flow or "")
    return flow_url(rules.settings.public_base_url, flow=flow.name, delivery=request.id, turn=Turn(step=flow.start))


def _without_none(**parameters: object) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}
