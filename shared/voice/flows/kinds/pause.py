"""`pause`: wait in silence. Pure.

https://www.twilio.com/docs/voice/twiml/pause
"""

from collections.abc import Iterator
from typing import Final

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn


class Table(fields.Step, frozen=True, kw_only=True):
    """`pause = …`."""

    pause: fields.Seconds
    next: str


class Pause(Action, frozen=True, kw_only=True):
    """Wait, and continue."""

    seconds: int
    next: str | None


def _read(_: StepReader, table: Table) -> Pause:
    return Pause(seconds=table.pause, next=table.next)


def _next_steps(action: Pause) -> Iterator[NextStep]:
    yield NextStep(("next",), action.next)


def _enter(context: TurnContext, action: Pause, _: Turn) -> Turn | None:
    context.response.pause(length=action.seconds)
    return context.go(action.next)


KIND: Final = Kind(
    name="pause", table=Table, action=Pause, read=_read, next_steps=_next_steps, enter=_enter, asks_nobody=True
)
