"""`say`: speak a text. Pure.

https://www.twilio.com/docs/voice/twiml/say
"""

from collections.abc import Iterator
from typing import Final

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn


class Table(fields.Speaking, frozen=True, kw_only=True):
    """`say = …`."""

    say: str
    times: fields.Times = 1
    next: str


class Say(Action, frozen=True, kw_only=True):
    """Say something, and continue."""

    speech: Speech
    next: str | None


def _read(reader: StepReader, table: Table) -> Say:
    speech = reader.said((*reader.path, "say"), fields.Speech(say=table.say, times=table.times))
    return Say(speech=speech, next=table.next)


def _next_steps(action: Say) -> Iterator[NextStep]:
    yield NextStep(("next",), action.next)


def _enter(context: TurnContext, action: Say, _: Turn) -> Turn | None:
    context.speak(context.response, action.speech)
    return context.go(action.next)


KIND: Final = Kind(
    name="say", table=Table, action=Say, read=_read, next_steps=_next_steps, enter=_enter, asks_nobody=True
)
