"""A step that dials: whom, how, and where the call goes then. Pure."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from shared.text.numbers import CLIENT, E164, cleaned
from shared.text.templates.engine import Text
from shared.toml.lines import Path
from shared.voice.flows import fields
from shared.voice.flows.model import UNREACHED, Conference, Dial, Target
from shared.voice.flows.parts import Parts
from shared.voice.flows.texts import NOTHING

_MOST: Final = 10
"""https://www.twilio.com/docs/voice/twiml/number"""
_LONGEST_ADDRESS: Final = 255
_LONGEST_NAME: Final = 64
_CLIENT: Final = "client:"
_SIP: Final = ("sip:", "sips:")
_ALONE: Final = ("queue", "conference")
_SAMPLES: Final = "a number in E.164, client:NAME, sip:…, { queue = … } or { conference = … }"


def read_dial(parts: Parts, given: fields.Dial) -> Dial:
    """Read the step."""
    rooms: list[Conference] = []
    targets = (
        [_target(parts, ("dial",), given.dial, rooms)]
        if not isinstance(given.dial, list)
        else [_target(parts, ("dial", str(index)), each, rooms) for index, each in enumerate(given.dial)]
    )
    _check_list(parts, targets)
    _check_options(parts, given, targets)
    return Dial(
        targets=tuple(targets),
        together=given.together,
        timeout=given.timeout,
        time_limit=given.time_limit,
        caller_id=given.caller_id and cleaned(given.caller_id),
        record=given.record,
        whisper=parts.maybe_speech("whisper", given.whisper),
        screen=given.screen,
        conference=rooms[0] if rooms else None,
        answered=given.answered,
        ways=_ways(parts, given),
    )


def _target(parts: Parts, at: Path, given: str | Mapping[str, Any], rooms: list[Conference]) -> Target:
    if isinstance(given, str):
        return _person(parts, at, given)
    path = (*parts.path, *at)
    if "queue" in given:
        waiting = parts.sheet.struct(path, given, fields.Waiting)
        return Target(kind="queue", name=_name(parts, (*path, "queue"), None if waiting is None else waiting.queue))
    room = parts.sheet.struct(path, given, fields.Room)
    if room is not None:
        music = None if room.music is None else parts.url((*path, "music"), room.music)
        rooms.append(Conference(moderator=room.moderator, muted=room.muted, music=music))
    return Target(
        kind="conference", name=_name(parts, (*path, "conference"), None if room is None else room.conference)
    )


def _name(parts: Parts, path: Path, name: str | None) -> Text:
    return NOTHING if name is None else parts.texts.read(path, name, longest=_LONGEST_NAME)


def _person(parts: Parts, at: Path, given: str) -> Target:
    path = (*parts.path, *at)
    kind: Literal["number", "client", "sip"] = "number"
    good = E164.fullmatch(cleaned(given)) is not None
    if given.startswith(_CLIENT):
        kind, good = "client", CLIENT.fullmatch(given) is not None
    elif given.startswith(_SIP):
        kind, good = "sip", "@" in given and given.isascii() and " " not in given
    if "{" not in given and not good:
        parts.sheet.note(path, f"dial expected {_SAMPLES}")
    return Target(kind=kind, name=parts.texts.read(path, given.removeprefix(_CLIENT), longest=_LONGEST_ADDRESS))


def _check_list(parts: Parts, targets: list[Target]) -> None:
    if not 1 <= len(targets) <= _MOST:
        parts.fault("dial", f"expected 1 to {_MOST} to dial, got {len(targets)}")
    if len(targets) > 1 and any(target.kind in _ALONE for target in targets):
        parts.fault("dial", "expected a queue or a conference to stand alone")


def _check_options(parts: Parts, given: fields.Dial, targets: list[Target]) -> None:
    kinds = {target.kind for target in targets}
    if given.together and len(targets) == 1:
        parts.fault("together", "expected several to dial, got one")
    if given.screen and kinds & {*_ALONE}:
        parts.fault("screen", "is for numbers, clients and SIP only")
    if given.whisper is not None and "conference" in kinds:
        parts.fault("whisper", "is not for a conference")
    caller_id = given.caller_id and cleaned(given.caller_id)
    if caller_id is not None and not (E164.fullmatch(caller_id) or CLIENT.fullmatch(caller_id)):
        parts.fault("caller_id", "expected a number in E.164, or client:NAME")


def _ways(parts: Parts, given: fields.Dial) -> dict[str, str]:
    named = {"busy": given.busy, "no-answer": given.no_answer, "failed": given.failed, "canceled": given.canceled}
    ways = {outcome: given.unanswered if named[outcome] is None else named[outcome] for outcome in UNREACHED}
    missing = [outcome for outcome, to in ways.items() if to is None]
    if missing:
        parts.sheet.note(
            (*parts.path, "dial"), f"unanswered is required: where it goes when nobody answers ({', '.join(missing)})"
        )
    if given.unanswered is not None and None not in named.values():
        parts.fault("unanswered", "is never gone: every outcome has a way of its own")
    return {outcome: to for outcome, to in ways.items() if to is not None}
