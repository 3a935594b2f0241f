"""`message`: send a text through the outbound queue, once. Pure."""

from collections.abc import Iterator
from typing import Final

from shared.text.numbers import E164, cleaned
from shared.text.templates.engine import Text
from shared.text.tolls import Countries, NotAllowed, check_recipient
from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.texts import CALLER, INPUT
from shared.voice.flows.turn import TextToSend, Turn

_LONGEST_BODY: Final = 1600
_LONGEST_NUMBER: Final = 255


class Table(fields.Step, frozen=True, kw_only=True):
    """`message = …`."""

    message: str
    to: str | None = None
    next: str


class Message(Action, frozen=True, kw_only=True):
    """Send a text through the outbound queue, once."""

    body: Text
    to: Text | None = None
    """None: the other end of the call"""
    next: str | None


def _read(reader: StepReader, table: Table) -> Message:
    if table.to is not None and "{" not in table.to and not E164.fullmatch(cleaned(table.to)):
        reader.fault("to", "expected a number in E.164")
    return Message(
        body=reader.text("message", table.message, longest=_LONGEST_BODY),
        to=None if table.to is None else reader.text("to", table.to, longest=_LONGEST_NUMBER),
        next=table.next,
    )


def _next_steps(action: Message) -> Iterator[NextStep]:
    yield NextStep(("next",), action.next, at_once=True)


def _enter(context: TurnContext, action: Message, _: Turn) -> Turn | None:
    """Send the text; a text that can't be sent is a problem on record, and the call continues."""
    to = context.write(action.to, what="the number") if action.to is not None else context.call.other_end
    to, body = cleaned(to), context.write(action.body, what="the text")
    problem = _recipient_problem(to, context.world.allowed_countries)
    if problem is not None:
        context.tell("problem-to", problem=f"nobody was texted: {problem}")
    elif not body:
        context.tell("problem-body", problem="expected a text to send, got none")
    else:
        told = {"flow": context.flow.name, "step": context.step.name}
        is_capped = _caller_chose(context, action)
        context.texts.append(TextToSend(key=context.key("text"), to=to, body=body, is_capped=is_capped, told=told))
    return context.go(action.next)


def _caller_chose(context: TurnContext, action: Message) -> bool:
    """On an outbound call, `caller` is this app's number, and the other end is the request's `to`."""
    names = {CALLER} if action.to is None else action.to.names.keys()
    return INPUT in names or (CALLER in names and not context.call.outbound)


def _recipient_problem(to: str, allowed: Countries) -> str | None:
    if not E164.fullmatch(to):
        return "expected a number in E.164, got another text"
    try:
        check_recipient(to, allowed)
    except NotAllowed as exc:
        return str(exc)
    return None


KIND: Final = Kind(
    name="message",
    table=Table,
    action=Message,
    read=_read,
    next_steps=_next_steps,
    enter=_enter,
    asks_nobody=True,
    is_silent=True,
)
