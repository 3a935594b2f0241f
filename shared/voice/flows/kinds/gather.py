"""`gather`: ask for keys or words, and continue by the answer. Pure.

https://www.twilio.com/docs/voice/twiml/gather
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext, written
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn
from shared.voice.twiml import writable

_PRESSED: Final = re.compile(r"[0-9*#]+")
_WORD: Final = re.compile(r"\w+")
_LONGEST_WORDS: Final = 100
_LONGEST_INPUT: Final = 100
"""characters of an input that is kept for later texts"""
_MOST_HINTS: Final = 100
"""fewer than Twilio takes, so that no document gets too long: https://www.twilio.com/docs/voice/twiml/gather#hints"""


class Table(fields.Speaking, frozen=True, kw_only=True):
    """`gather = …`."""

    gather: fields.Spoken
    on: dict[str, Any] = msgspec.field(default_factory=dict)
    other: str | None = None
    digits: Annotated[int, Meta(ge=1, le=100)] | None = None
    finish_on_key: str = "#"
    timeout: fields.Seconds = 5
    speech: bool = False
    hints: list[fields.Word] = msgspec.field(default_factory=list)
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    sorry: fields.Spoken | None = None
    no_input: str | None = None
    wrong_input: str | None = None


class Gather(Action, frozen=True, kw_only=True):
    """Ask for keys or words, and continue by them."""

    prompt: Speech
    branches: Mapping[str, str]
    """the next step by the keys that were pressed, or by words (lower case) among those that were said"""
    other: str | None = None
    """the next step after any other input, such as a customer's number; without it that is a wrong input"""
    digits: int | None = None
    """how many at most"""
    finish_on_key: str = "#"
    timeout: int = 5
    speech: bool = False
    hints: tuple[str, ...] = ()
    retries: int = 2
    sorry: Speech | None = None
    no_input: str
    wrong_input: str


def _read(reader: StepReader, table: Table) -> Gather:
    branches = {key: to for key, to in table.on.items() if isinstance(to, str)}
    for key in table.on.keys() - branches.keys():
        reader.sheet.fault((*reader.path, "on", key), "expected the name of a step")
    pressed = [key for key in table.on if _PRESSED.fullmatch(key)]
    _check(reader, table, pressed)
    digits = table.digits
    if digits is None and pressed and table.other is None:
        digits = max(map(len, pressed))  # so that Twilio waits for neither # nor the timeout
    return Gather(
        prompt=reader.speech("gather", table.gather),
        branches=branches,
        other=table.other,
        digits=digits,
        finish_on_key=reader.keys("finish_on_key", table.finish_on_key, most=1),
        timeout=table.timeout,
        speech=table.speech,
        hints=tuple(table.hints),
        retries=table.retries,
        sorry=reader.maybe_speech("sorry", table.sorry),
        no_input=_either(reader, table.no_input, table.wrong_input),
        wrong_input=_either(reader, table.wrong_input, table.no_input),
    )


def _either(reader: StepReader, named: str | None, other: str | None) -> str:
    """Return a next step, else the other one; where the file has neither, which is a fault, the step itself."""
    first = other if named is None else named
    return reader.path[-1] if first is None else first


def _check(reader: StepReader, table: Table, pressed: list[str]) -> None:
    if not table.on and table.other is None:
        reader.sheet.note((*reader.path, "gather"), "on is required: where each input goes; or other, for any")
    if table.no_input is None and table.wrong_input is None:
        reader.sheet.note((*reader.path, "gather"), "no_input is required: where it goes after the last try")
    if len(table.hints) > _MOST_HINTS or (table.hints and not table.speech):
        reader.fault("hints", f"expected at most {_MOST_HINTS}, and speech = true")
    for key in table.on:
        problem = _pressed_problem(table, key) if key in pressed else _said_problem(table, key)
        if problem:
            reader.sheet.note((*reader.path, "on", key), f"{key[:_LONGEST_WORDS]!r} {problem}")


def _pressed_problem(table: Table, key: str) -> str | None:
    if table.digits is not None and len(key) > table.digits:
        return f"is longer than digits = {table.digits}"
    if table.finish_on_key and table.finish_on_key in key:
        return f'can not be pressed: {table.finish_on_key} ends the input, unless finish_on_key = ""'
    return None


def _said_problem(table: Table, key: str) -> str | None:
    if key != " ".join(key.lower().split()) or not 0 < len(key) <= _LONGEST_WORDS or not re.search(r"\w", key):
        return f"expected keys of 0-9, * and #, or words in small letters, at most {_LONGEST_WORDS} characters"
    return None if table.speech else "can only be said: expected speech = true"


def _next_steps(action: Gather) -> Iterator[NextStep]:
    yield from (NextStep(("on", given), to) for given, to in action.branches.items())
    if action.other is not None:
        yield NextStep(("other",), action.other)
    else:
        yield NextStep(("wrong_input",), action.wrong_input, instead="no_input")
    yield NextStep(("no_input",), action.no_input, instead="wrong_input")


def _enter(context: TurnContext, action: Gather, turn: Turn) -> Turn | None:
    """Ask; after no input Twilio continues with the Redirect."""
    asked = context.response.gather(
        input="dtmf speech" if action.speech else "dtmf",
        action=context.url("done", tries=turn.tries),
        timeout=action.timeout,
        finish_on_key=action.finish_on_key,
        num_digits=action.digits,
        hints=writable(",".join(action.hints)) if action.speech and action.hints else None,
        language=written(action.prompt.language) if action.speech else None,
    )
    context.speak(asked, action.prompt)
    context.response.redirect(context.url("done", tries=turn.tries))
    return None


def _resume(context: TurnContext, action: Gather, turn: Turn) -> Turn | None:
    """Continue by the input; ask again after no input or a wrong one, `retries` times."""
    digits, speech = turn.form.get("Digits", ""), turn.form.get("SpeechResult", "")
    matched = branch(action.branches, digits=digits, speech=speech) or (action.other if digits or speech else None)
    asks_again = matched is None and turn.tries < action.retries
    following = matched or (action.wrong_input if digits or speech else action.no_input)
    outcome = "input" if matched is not None else "wrong-input" if digits or speech else "no-input"
    context.tell(
        "input",
        outcome=outcome,
        digits=digits or None,
        speech=speech or None,
        confidence=turn.form.get("Confidence") if speech else None,
        next=context.step.name if asks_again else following,
    )
    if matched is not None and context.step.name in context.flow.inputs:
        context.inputs.pop(context.step.name, None)
        context.inputs[context.step.name] = (digits or speech)[:_LONGEST_INPUT]
    if not asks_again:
        return context.go(following)
    if outcome == "wrong-input":
        context.speak(context.response, action.sorry)
    return context.later(tries=turn.tries + 1)


def branch(branches: Mapping[str, str], *, digits: str, speech: str) -> str | None:
    """Return the next step of an input.

    Digits match a branch exactly. Speech matches a branch whose words it has, as whole words; the longest branch wins.
    """
    if digits:
        return branches.get(digits)
    said = _words(speech)
    for key in sorted(branches, key=lambda key: (-len(key), key)):
        words = _words(key)
        if words != _NO_WORDS and words in said:
            return branches[key]
    return None


def _words(text: str) -> str:
    return " ".join(["", *_WORD.findall(text.casefold()), ""])


_NO_WORDS: Final = _words("")

KIND: Final = Kind(
    name="gather",
    table=Table,
    action=Gather,
    read=_read,
    next_steps=_next_steps,
    enter=_enter,
    resume=_resume,
    form_fields=("Digits", "SpeechResult", "Confidence"),
    shape="decision",
    takes_input=True,
)
