"""Read a step that dials from its table. Pure."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from shared.text.numbers import CLIENT, E164, cleaned
from shared.text.templates.engine import Text
from shared.toml.lines import Path
from shared.voice.flows.dial_status import UNANSWERED
from shared.voice.flows.kinds.dial.step import Conference, ConferenceTable, Dial, QueueTable, Table
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.targets import Target
from shared.voice.flows.texts import NOTHING

_MOST: Final = 10
"""https://www.twilio.com/docs/voice/twiml/number"""
_LONGEST_ADDRESS: Final = 255
_LONGEST_NAME: Final = 64
_CLIENT: Final = "client:"
_SIP: Final = ("sip:", "sips:")
_ALONE: Final = ("queue", "conference")
_SAMPLES: Final = "a number in E.164, client:NAME, sip:…, { queue = … } or { conference = … }"


def read(reader: StepReader, table: Table) -> Dial:
    """Read the step, and note its faults."""
    conferences: list[Conference] = []
    targets = (
        [_target(reader, ("dial",), table.dial, conferences)]
        if not isinstance(table.dial, list)
        else [_target(reader, ("dial", str(index)), each, conferences) for index, each in enumerate(table.dial)]
    )
    _check_list(reader, targets)
    _check_options(reader, table, targets)
    return Dial(
        targets=tuple(targets),
        together=table.together,
        timeout=table.timeout,
        time_limit=table.time_limit,
        caller_id=table.caller_id and cleaned(table.caller_id),
        record=table.record,
        whisper=reader.maybe_speech("whisper", table.whisper),
        screen=table.screen,
        conference=conferences[0] if conferences else None,
        answered=table.answered,
        branches=_branches(reader, table),
    )


def _target(reader: StepReader, at: Path, given: str | Mapping[str, Any], conferences: list[Conference]) -> Target:
    if isinstance(given, str):
        return _person(reader, at, given)
    path = (*reader.path, *at)
    if "queue" in given:
        queue = reader.sheet.struct(path, given, QueueTable)
        return Target(kind="queue", name=_name(reader, (*path, "queue"), None if queue is None else queue.queue))
    table = reader.sheet.struct(path, given, ConferenceTable)
    if table is not None:
        music = None if table.music is None else reader.url((*path, "music"), table.music)
        conferences.append(Conference(moderator=table.moderator, muted=table.muted, music=music))
    name = None if table is None else table.conference
    return Target(kind="conference", name=_name(reader, (*path, "conference"), name))


def _name(reader: StepReader, path: Path, name: str | None) -> Text:
    return NOTHING if name is None else reader.texts.read(path, name, longest=_LONGEST_NAME)


def _person(reader: StepReader, at: Path, given: str) -> Target:
    path = (*reader.path, *at)
    kind: Literal["number", "client", "sip"] = "number"
    good = E164.fullmatch(cleaned(given)) is not None
    if given.startswith(_CLIENT):
        kind, good = "client", CLIENT.fullmatch(given) is not None
    elif given.startswith(_SIP):
        kind, good = "sip", "@" in given and given.isascii() and " " not in given
    if "{" not in given and not good:
        reader.sheet.note(path, f"dial expected {_SAMPLES}")
    return Target(kind=kind, name=reader.texts.read(path, given.removeprefix(_CLIENT), longest=_LONGEST_ADDRESS))


def _check_list(reader: StepReader, targets: list[Target]) -> None:
    if not 1 <= len(targets) <= _MOST:
        reader.fault("dial", f"expected 1 to {_MOST} to dial, got {len(targets)}")
    if len(targets) > 1 and any(target.kind in _ALONE for target in targets):
        reader.fault("dial", "expected a queue or a conference to stand alone")


def _check_options(reader: StepReader, table: Table, targets: list[Target]) -> None:
    kinds = {target.kind for target in targets}
    if table.together and len(targets) == 1:
        reader.fault("together", "expected several to dial, got one")
    if table.screen and kinds & {*_ALONE}:
        reader.fault("screen", "is for numbers, clients and SIP only")
    if table.whisper is not None and "conference" in kinds:
        reader.fault("whisper", "is not for a conference")
    caller_id = table.caller_id and cleaned(table.caller_id)
    if caller_id is not None and not (E164.fullmatch(caller_id) or CLIENT.fullmatch(caller_id)):
        reader.fault("caller_id", "expected a number in E.164, or client:NAME")


def _branches(reader: StepReader, table: Table) -> dict[str, str]:
    named = {"busy": table.busy, "no-answer": table.no_answer, "failed": table.failed, "canceled": table.canceled}
    branches = {status: table.unanswered if named[status] is None else named[status] for status in UNANSWERED}
    missing = [status for status, to in branches.items() if to is None]
    if missing:
        reader.sheet.note(
            (*reader.path, "dial"), f"unanswered is required: where it goes when nobody answers ({', '.join(missing)})"
        )
    if table.unanswered is not None and None not in named.values():
        reader.fault("unanswered", "is never gone: every outcome has a way of its own")
    return {status: to for status, to in branches.items() if to is not None}
