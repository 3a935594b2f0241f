"""`play`: play a sound file. Pure.

https://www.twilio.com/docs/voice/twiml/play
"""

from collections.abc import Iterator
from typing import Final

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn


class Table(fields.Step, frozen=True, kw_only=True):
    """`play = …`."""

    play: str
    times: fields.Times = 1
    next: str


class Play(Action, frozen=True, kw_only=True):
    """Play a sound file, and continue."""

    url: str
    """http(s)"""
    times: int = 1
    next: str | None


def _read(reader: StepReader, table: Table) -> Play:
    return Play(url=reader.url((*reader.path, "play"), table.play), times=table.times, next=table.next)


def _next_steps(action: Play) -> Iterator[NextStep]:
    yield NextStep(("next",), action.next)


def _enter(context: TurnContext, action: Play, _: Turn) -> Turn | None:
    context.speak(context.response, Speech(play=action.url, times=action.times))
    return context.go(action.next)


KIND: Final = Kind(
    name="play", table=Table, action=Play, read=_read, next_steps=_next_steps, enter=_enter, asks_nobody=True
)
