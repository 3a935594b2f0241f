"""One step of a flow: what it does, from the table that says so. Pure."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.text.numbers import E164, cleaned
from shared.voice.flows import fields
from shared.voice.flows.dialling import read_dial
from shared.voice.flows.model import (
    Action,
    Choose,
    Day,
    Gather,
    Hangup,
    Message,
    Pause,
    Queue,
    Record,
    Redirect,
    Reject,
    Say,
    Step,
    Take,
)
from shared.voice.flows.parts import NAME, Parts

_EVENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_PRESSED: Final = re.compile(r"[0-9*#]+")
_LONGEST_WORDS: Final = 100
_MOST_HINTS: Final = 100
"""fewer than Twilio takes, so that no document gets too long: https://www.twilio.com/docs/voice/twiml/gather#hints"""
_LONGEST_MESSAGE: Final = 1600
_LONGEST_NUMBER: Final = 255
_TRANSCRIBED: Final = 120
"""seconds: https://www.twilio.com/docs/voice/twiml/record#transcribe"""


def read_step(parts: Parts, name: str, table: object) -> Step | None:
    """Read one step; None where it can't be told what it does."""
    if not NAME.fullmatch(name):
        problem = f"expected a step's name of small letters, digits, - and _, got {name[:64]!r}"
        parts.sheet.note(parts.path, problem)
    if not isinstance(table, dict):
        parts.sheet.note(parts.path, f"{name} expected a table: [steps.{name}]")
        return None
    kind = _kind(parts, name, table)
    given = None if kind is None else parts.sheet.struct(parts.path, table, fields.STEPS[kind])
    if kind is None or given is None:
        return None
    event = table.get("event")
    if event is not None and not _EVENT.fullmatch(event):
        parts.fault("event", "expected a word of at most 64 letters, digits and _.-")
    speaking = dataclasses.replace(
        parts, voice=table.get("voice") or parts.voice, language=table.get("language") or parts.language
    )
    action = _READERS[type(given)](speaking, given)
    line = parts.sheet.lines.of(*parts.path)
    return Step(name=name, line=line, action=action, event=event, shown=_shown(table, table[kind]))


def _kind(parts: Parts, name: str, table: Mapping[str, Any]) -> str | None:
    """Find out what a step does: `record` is a step, but an option where `dial` stands."""
    named = [kind for kind in fields.STEPS if kind in table]
    whole = [kind for kind in named if {*named} <= {*fields.STEPS[kind].__struct_fields__}]
    if len(whole) == 1:
        return whole[0]
    got = f"got {' and '.join(named)}" if named else f"got {', '.join(table) or 'nothing'}"
    parts.sheet.note(parts.path, f"{name} expected one of {', '.join(fields.STEPS)}, {got}")
    return None


def _shown(table: Mapping[str, Any], value: object) -> str:
    """Return what is most telling of a step, or of a part of it."""
    if isinstance(value, dict):
        named = ("say", "play", "queue", "conference", "flow", "step")
        return " ".join(str(value[key]) for key in named if key in value)
    if isinstance(value, list):
        return ", ".join(_shown(table, item) for item in value)
    return _shown(table, table.get("say", "")) if isinstance(value, bool) else str(value)


def _say(parts: Parts, given: fields.Say) -> Say:
    speech = parts.said((*parts.path, "say"), fields.Speech(say=given.say, times=given.times))
    return Say(speech=speech, next=given.next)


def _play(parts: Parts, given: fields.Play) -> Say:
    return Say(speech=parts.played((*parts.path, "play"), given.play, times=given.times), next=given.next)


def _pause(_: Parts, given: fields.Pause) -> Pause:
    return Pause(seconds=given.pause, next=given.next)


def _choose(_: Parts, given: fields.Choose) -> Choose:
    holiday = given.closed if given.holiday is None else given.holiday
    ways: dict[Day, str] = {"open": given.open, "closed": given.closed, "holiday": holiday}
    return Choose(ways=ways)


def _gather(parts: Parts, given: fields.Gather) -> Gather:
    ways = {key: to for key, to in given.on.items() if isinstance(to, str)}
    for key in given.on.keys() - ways.keys():
        parts.sheet.fault((*parts.path, "on", key), "expected the name of a step")
    pressed = [key for key in given.on if _PRESSED.fullmatch(key)]
    _check_ways(parts, given, pressed)
    digits = given.digits
    if digits is None and pressed and given.other is None:
        digits = max(map(len, pressed))  # nobody has to press # or to wait
    return Gather(
        prompt=parts.speech("gather", given.gather),
        ways=ways,
        other=given.other,
        digits=digits,
        finish_on_key=parts.keys("finish_on_key", given.finish_on_key, most=1),
        timeout=given.timeout,
        speech=given.speech,
        hints=tuple(given.hints),
        retries=given.retries,
        sorry=parts.maybe_speech("sorry", given.sorry),
        no_input=_instead(parts, given.no_input, given.wrong_input),
        wrong_input=_instead(parts, given.wrong_input, given.no_input),
    )


def _instead(parts: Parts, way: str | None, other: str | None) -> str:
    """Return a way, else the other one; the step itself stands for one that is missing, which is noted elsewhere."""
    named = other if way is None else way
    return parts.path[-1] if named is None else named


def _check_ways(parts: Parts, given: fields.Gather, pressed: list[str]) -> None:
    if not given.on and given.other is None:
        parts.sheet.note((*parts.path, "gather"), "on is required: where each input goes; or other, for any")
    if given.no_input is None and given.wrong_input is None:
        parts.sheet.note((*parts.path, "gather"), "no_input is required: where it goes after the last try")
    if len(given.hints) > _MOST_HINTS or (given.hints and not given.speech):
        parts.fault("hints", f"expected at most {_MOST_HINTS}, and speech = true")
    for key in given.on:
        problem = _pressed_problem(given, key) if key in pressed else _said_problem(given, key)
        if problem:
            parts.sheet.note((*parts.path, "on", key), f"{key[:_LONGEST_WORDS]!r} {problem}")


def _pressed_problem(given: fields.Gather, key: str) -> str | None:
    if given.digits is not None and len(key) > given.digits:
        return f"is longer than digits = {given.digits}"
    if given.finish_on_key and given.finish_on_key in key:
        return f'can not be pressed: {given.finish_on_key} ends the input, unless finish_on_key = ""'
    return None


def _said_problem(given: fields.Gather, key: str) -> str | None:
    if key != " ".join(key.lower().split()) or not 0 < len(key) <= _LONGEST_WORDS or not re.search(r"\w", key):
        return f"expected keys of 0-9, * and #, or words in small letters, at most {_LONGEST_WORDS} characters"
    return None if given.speech else "can only be said: expected speech = true"


def _queue(parts: Parts, given: fields.Queue) -> Queue:
    if given.leave_key is not None and not given.leave_key:
        parts.fault("leave_key", "expected a key")
    may_leave = given.leave_key is not None or given.max_wait_seconds is not None
    if may_leave and given.leave is None:
        key = "leave_key" if given.leave_key is not None else "max_wait_seconds"
        parts.fault(key, "expected leave as well: the step for who leaves the queue")
    if given.leave is not None and not may_leave:
        parts.fault("leave", "expected leave_key or max_wait_seconds as well: nobody leaves the queue otherwise")
    return Queue(
        name=parts.queue("queue", given.queue),
        wait=parts.maybe_speech("wait", given.wait, position=True),
        music=parts.maybe_url("music", given.music),
        leave_key=None if given.leave_key is None else parts.keys("leave_key", given.leave_key, most=1),
        leave=given.leave,
        full=given.full,
        max_size=given.max_size,
        max_wait_seconds=given.max_wait_seconds,
        next=given.next,
    )


def _take(parts: Parts, given: fields.Take) -> Take:
    return Take(
        queue=parts.queue("take", given.take),
        whisper=parts.maybe_speech("whisper", given.whisper),
        empty=given.empty,
        next=given.next,
    )


def _record(parts: Parts, given: fields.Record) -> Record:
    if given.transcribe and given.max_seconds > _TRANSCRIBED:
        parts.fault("max_seconds", f"expected at most {_TRANSCRIBED}: Twilio transcribes nothing longer")
    return Record(
        prompt=parts.speech("record", given.record),
        max_seconds=given.max_seconds,
        silence=given.silence,
        finish_on_key=parts.keys("finish_on_key", given.finish_on_key, most=12),
        beep=given.beep,
        transcribe=given.transcribe,
        empty=given.next if given.empty is None else given.empty,
        next=given.next,
    )


def _message(parts: Parts, given: fields.Message) -> Message:
    if given.to is not None and "{" not in given.to and not E164.fullmatch(cleaned(given.to)):
        parts.fault("to", "expected a number in E.164")
    return Message(
        body=parts.text("message", given.message, longest=_LONGEST_MESSAGE),
        to=None if given.to is None else parts.text("to", given.to, longest=_LONGEST_NUMBER),
        next=given.next,
    )


def _redirect(parts: Parts, given: fields.Redirect) -> Redirect:
    path = (*parts.path, "redirect")
    if isinstance(given.redirect, str):
        return Redirect(url=parts.url(path, given.redirect))
    table = parts.sheet.struct(path, given.redirect, fields.Elsewhere)
    return Redirect() if table is None else Redirect(flow=table.flow, step=table.step)


def _reject(_: Parts, given: fields.Reject) -> Reject:
    return Reject(reason=given.reject)


def _hangup(parts: Parts, given: fields.Hangup) -> Hangup:
    if not given.hangup:
        parts.fault("hangup", "expected true")
    return Hangup(say=parts.maybe_speech("say", given.say))


_READERS: Final[dict[type, Callable[[Parts, Any], Action]]] = {
    fields.Say: _say,
    fields.Play: _play,
    fields.Pause: _pause,
    fields.Choose: _choose,
    fields.Gather: _gather,
    fields.Dial: read_dial,
    fields.Queue: _queue,
    fields.Take: _take,
    fields.Record: _record,
    fields.Message: _message,
    fields.Redirect: _redirect,
    fields.Reject: _reject,
    fields.Hangup: _hangup,
}
