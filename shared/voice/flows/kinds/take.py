"""`take`: connect an agent with the next caller of a queue. Pure.

https://www.twilio.com/docs/voice/twiml/queue
"""

from collections.abc import Iterator
from typing import Final

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.dial_status import ANSWERED, FORM_FIELDS, dial_facts, dial_status
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn
from shared.voice.twiml import writable

TAKE_SECONDS: Final = 5
"""how long an agent waits for a caller while the queue is empty"""


class Table(fields.Speaking, frozen=True, kw_only=True):
    """`take = …`."""

    take: str
    whisper: fields.Spoken | None = None
    empty: str
    next: str | None = None


class Take(Action, frozen=True, kw_only=True):
    """Connect an agent with the next caller of a queue."""

    queue: str
    whisper: Speech | None = None
    """what the caller who waited hears before"""
    empty: str
    next: str | None = None


def _read(reader: StepReader, table: Table) -> Take:
    return Take(
        queue=reader.queue("take", table.take),
        whisper=reader.maybe_speech("whisper", table.whisper),
        empty=table.empty,
        next=table.next,
    )


def _next_steps(action: Take) -> Iterator[NextStep]:
    yield NextStep(("next",), action.next)
    yield NextStep(("empty",), action.empty)


def _enter(context: TurnContext, action: Take, _: Turn) -> Turn | None:
    verb = context.response.dial(
        action=context.url("done"), timeout=TAKE_SECONDS, time_limit=context.world.max_call_seconds
    )
    verb.queue(writable(action.queue), url=context.url("whisper") if action.whisper is not None else None)
    return None


def _whisper(context: TurnContext, action: Take, _: Turn) -> None:
    context.speak(context.response, action.whisper)


def _resume(context: TurnContext, action: Take, turn: Turn) -> Turn | None:
    """Continue after the talk; without a talk the queue counts as empty."""
    status = dial_status(turn.form)
    context.tell("take", queue=action.queue, dial=status, **dial_facts(turn.form))
    return context.go(action.next if status in ANSWERED else action.empty)


KIND: Final = Kind(
    name="take",
    table=Table,
    action=Take,
    read=_read,
    next_steps=_next_steps,
    enter=_enter,
    resume=_resume,
    whisper=_whisper,
    form_fields=FORM_FIELDS,
    shape="connection",
)
