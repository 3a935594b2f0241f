"""`queue`: let the caller wait for an agent. Pure.

https://www.twilio.com/docs/voice/twiml/enqueue
"""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn, whole_number
from shared.voice.twiml import writable

HOLD_MUSIC: Final = "http://com.twilio.music.classical.s3.amazonaws.com/BusyStrings.mp3"
"""of Twilio's own; the bucket's dots fit no certificate: https://www.twilio.com/docs/voice/twiml/conference"""


class Table(fields.Speaking, frozen=True, kw_only=True):
    """`queue = …`."""

    queue: str
    wait: fields.Spoken | None = None
    music: str | None = None
    leave_key: str | None = None
    leave: str | None = None
    full: str
    max_size: Annotated[int, Meta(ge=1, le=5000)] = 100
    max_wait_seconds: fields.Long | None = None
    next: str | None = None


class Queue(Action, frozen=True, kw_only=True):
    """Let the caller wait for an agent."""

    name: str
    wait: Speech | None = None
    """said again and again; its text may use `position`"""
    music: str | None = None
    leave_key: str | None = None
    leave: str | None = None
    full: str
    max_size: int = 100
    max_wait_seconds: int | None = None
    next: str | None = None
    """after the talk with an agent"""


def _read(reader: StepReader, table: Table) -> Queue:
    if table.leave_key is not None and not table.leave_key:
        reader.fault("leave_key", "expected a key")
    may_leave = table.leave_key is not None or table.max_wait_seconds is not None
    if may_leave and table.leave is None:
        key = "leave_key" if table.leave_key is not None else "max_wait_seconds"
        reader.fault(key, "expected leave as well: the step for who leaves the queue")
    if table.leave is not None and not may_leave:
        reader.fault("leave", "expected leave_key or max_wait_seconds as well: nobody leaves the queue otherwise")
    return Queue(
        name=reader.queue("queue", table.queue),
        wait=reader.maybe_speech("wait", table.wait, position=True),
        music=reader.maybe_url("music", table.music),
        leave_key=None if table.leave_key is None else reader.keys("leave_key", table.leave_key, most=1),
        leave=table.leave,
        full=table.full,
        max_size=table.max_size,
        max_wait_seconds=table.max_wait_seconds,
        next=table.next,
    )


def _next_steps(action: Queue) -> Iterator[NextStep]:
    yield NextStep(("next",), action.next)
    yield NextStep(("full",), action.full, at_once=True)
    if action.leave is not None:
        yield NextStep(("leave",), action.leave)


def _enter(context: TurnContext, action: Queue, _: Turn) -> Turn | None:
    own_wait = action.wait or action.music or action.leave_key or action.max_wait_seconds
    context.response.enqueue(
        writable(action.name),
        action=context.url("done"),
        max_queue_size=action.max_size,
        # without a waitUrl, Twilio plays its own music
        wait_url=context.url("wait") if own_wait else None,
    )
    return None


def _wait(context: TurnContext, action: Queue, turn: Turn) -> None:
    """Say `wait`, play the music, and let the caller leave; Twilio asks again when the music ends.

    Each round checks how long the caller has waited, so `max_wait_seconds` may be late by one round.
    """
    if _has_to_leave(action, turn):
        context.response.leave()
        return
    if turn.form.get("Digits"):
        return  # another key: after an empty document Twilio asks again, with the current position in the queue
    host = context.response
    if action.leave_key is not None:
        host = host.gather(num_digits=1, finish_on_key="", timeout=1, action=context.url("wait"))
    context.speak(host, action.wait)
    host.play(writable(action.music) if action.music is not None else HOLD_MUSIC)


def _has_to_leave(action: Queue, turn: Turn) -> bool:
    if action.leave_key is not None and turn.form.get("Digits") == action.leave_key:
        return True
    waited = whole_number(turn.form.get("QueueTime")) or 0
    return action.max_wait_seconds is not None and waited >= action.max_wait_seconds


def _resume(context: TurnContext, action: Queue, turn: Turn) -> Turn | None:
    """Continue by QueueResult; an error of the queue counts as a full queue.

    https://www.twilio.com/docs/voice/twiml/enqueue#queueresult-values
    """
    result = turn.form.get("QueueResult", "")
    context.tell("queue", queue=action.name, result=result or None, seconds=turn.form.get("QueueTime"))
    if result in {"bridged", "redirected-from-bridged"}:
        return context.go(action.next)
    if result in {"hangup", "redirected"}:
        return context.go(None)
    return context.go((action.leave if result == "leave" else None) or action.full)


KIND: Final = Kind(
    name="queue",
    table=Table,
    action=Queue,
    read=_read,
    next_steps=_next_steps,
    enter=_enter,
    resume=_resume,
    wait=_wait,
    form_fields=("Digits", "QueueResult", "QueueTime", "QueuePosition"),
    shape="connection",
)
