"""Calls that a browser starts: whom they may reach, and what the caller hears. Pure.

Whoever has a token chooses `To`, and it comes here unchecked; who calls is Twilio's word, out of the token.
https://www.twilio.com/docs/voice/sdks/javascript/get-started
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from twilio.twiml.voice_response import VoiceResponse

from shared.settings import Settings
from shared.text.numbers import IDENTITY, is_ordinary
from shared.text.tolls import NotAllowed, check_value
from shared.voice.clients import add_client
from shared.voice.flows.targets import Address, MayNotDial, Target, read_address
from shared.voice.flows.texts import NOTHING

CLIENT: Final = "client:"
REFUSED: Final = "This number can not be called from here."
ENDED: Final[Mapping[str, str | None]] = {
    "completed": None,
    "answered": None,
    "canceled": None,
    "busy": "The line is busy.",
    "no-answer": "Nobody answers.",
}
"""what the caller hears after each DialCallStatus: https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values"""
FAILED: Final = "The call could not be connected."
_RINGS: Final = 30
"""seconds"""
_DONE: Final = "done"
_ANYBODY: Final = Target(kind="number", name=NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The document for Twilio, and what is to be put on record."""

    twiml: str
    part: str
    """of the call: its beginning, or what came of it; told twice, each is there once"""
    happened: Mapping[str, Any]
    """`dial`, and what belongs to it; `problem` is why nobody was dialled, and holds no address"""


def answer(query: str, form: Mapping[str, str], settings: Settings) -> Answer:
    """Answer a webhook of a browser's call: its beginning, or, by the query of its URL, what came of it."""
    return _after(form) if parse_qs(query).get("part") == [_DONE] else _begin(form, settings)


def reach(settings: Settings, *, caller: str, to: str) -> Address:
    """Return whom a browser's call reaches.

    Raises:
        MayNotDial: nobody that CLIENT_MAY_CALL, and for numbers ALLOWED_COUNTRIES, let a browser call; or it is no
            browser that calls.
    """
    if not (caller.startswith(CLIENT) and IDENTITY.fullmatch(caller.removeprefix(CLIENT))):
        raise MayNotDial("expected a call from client: and an identity, got one from elsewhere")
    reached = read_address(_ANYBODY, to)
    if reached.whole not in settings.client_may_call:
        raise MayNotDial(f"this {reached.kind} is not one that may be dialled")
    if reached.kind == "number":
        _check_number(reached.name, settings)
    return reached


def _check_number(number: str, settings: Settings) -> None:
    if not is_ordinary(number):
        raise MayNotDial("expected a valid number of an ordinary kind, got another")
    try:
        check_value(number, settings.allowed_countries)
    except NotAllowed as exc:
        raise MayNotDial(str(exc)) from exc
    if settings.from_number is None:
        raise MayNotDial("expected TWILIO_FROM_NUMBER as caller id, it is not set")


def _begin(form: Mapping[str, str], settings: Settings) -> Answer:
    try:
        reached = reach(settings, caller=form.get("From", ""), to=form.get("To", ""))
    except MayNotDial as exc:
        return Answer(twiml=_say(REFUSED), part="begin", happened={"dial": "refused", "problem": str(exc)})
    return Answer(twiml=_connect(reached, form, settings), part="begin", happened={"dial": reached.kind})


def _connect(reached: Address, form: Mapping[str, str], settings: Settings) -> str:
    is_number = reached.kind == "number"
    response = VoiceResponse()
    verb = response.dial(
        action=f"{settings.public_base_url}/api/voice/client?part={_DONE}",
        answer_on_bridge=True,
        timeout=_RINGS,
        time_limit=settings.max_call_seconds,
        # without one, a client sees which client calls
        caller_id=settings.from_number if is_number else None,
    )
    if is_number:
        verb.number(reached.name)
    else:
        add_client(verb, reached.name, caller=form.get("From", ""), delivery=form.get("CallSid", ""))
    return str(response)


def _after(form: Mapping[str, str]) -> Answer:
    status = form.get("DialCallStatus", "failed")
    told = {"dial": status, "dial_sid": form.get("DialCallSid"), "seconds": form.get("DialCallDuration")}
    happened = {name: value for name, value in told.items() if value}
    return Answer(twiml=_say(ENDED.get(status, FAILED)), part=_DONE, happened=happened)


def _say(text: str | None) -> str:
    response = VoiceResponse()
    if text is not None:
        response.say(text)
    response.hangup()
    return str(response)
