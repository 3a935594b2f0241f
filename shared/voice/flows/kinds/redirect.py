"""`redirect`: continue with TwiML somewhere else, or with another flow. Pure.

https://www.twilio.com/docs/voice/twiml/redirect
"""

from typing import Any, Final, Literal

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind, OtherFlow
from shared.voice.flows.model import Action
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn
from shared.voice.twiml import writable


class Table(fields.Step, frozen=True, kw_only=True):
    """`redirect = …`."""

    redirect: str | dict[str, Any]


class FlowTable(fields.Table, frozen=True, kw_only=True):
    """`redirect = { flow = … }`."""

    flow: str
    step: str | None = None


class Redirect(Action, frozen=True, kw_only=True):
    """Continue with TwiML somewhere else, or with another flow."""

    url: str | None = None
    method: Literal["GET", "POST"] = "POST"
    """of the request for the URL"""
    flow: str | None = None
    step: str | None = None


def _read(reader: StepReader, table: Table) -> Redirect:
    path = (*reader.path, "redirect")
    if isinstance(table.redirect, str):
        return Redirect(url=reader.url(path, table.redirect))
    other = reader.sheet.struct(path, table.redirect, FlowTable)
    return Redirect() if other is None else Redirect(flow=other.flow, step=other.step)


def _other_flow(action: Redirect) -> OtherFlow | None:
    return None if action.flow is None else OtherFlow(action.flow, action.step)


def _enter(context: TurnContext, action: Redirect, _: Turn) -> Turn | None:
    """Leave the flow. The texts of another flow know no inputs of this one."""
    if action.url is not None:
        context.response.redirect(writable(action.url), method=action.method if action.method != "POST" else None)
        return None
    if action.flow is None or action.flow == context.flow.name:
        return context.go(action.step or context.flow.start)
    step = action.step or context.world.starts.get(action.flow)
    if step is None:
        context.tell("problem-flow", problem="expected a flow that is there, got another")
        return context.go(None)
    context.inputs.clear()
    context.response.redirect(context.url_of(context.later(step=step), flow=action.flow))
    return None


KIND: Final = Kind(
    name="redirect",
    table=Table,
    action=Redirect,
    read=_read,
    other_flow=_other_flow,
    enter=_enter,
    shown_keys=("flow", "step"),
    asks_nobody=True,
)
