"""`choose`: continue by the opening hours of the flow; the caller hears nothing. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.hours import day_of
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action, Day
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn


class Table(fields.Step, frozen=True, kw_only=True):
    """`choose = "hours"`."""

    choose: Literal["hours"]
    open: str
    closed: str
    holiday: str | None = None


class Choose(Action, frozen=True, kw_only=True):
    """Continue by the opening hours of the flow."""

    branches: Mapping[Day, str]
    """the next step by the kind of day; a day that is missing is as `closed`"""


def _read(_: StepReader, table: Table) -> Choose:
    holiday = table.closed if table.holiday is None else table.holiday
    return Choose(branches={"open": table.open, "closed": table.closed, "holiday": holiday})


def _next_steps(action: Choose) -> Iterator[NextStep]:
    for day, to in action.branches.items():
        yield NextStep((day,), to, at_once=True, instead="closed")


def _enter(context: TurnContext, action: Choose, _: Turn) -> Turn | None:
    day: Day = day_of(context.flow.hours, context.world.now) if context.flow.hours is not None else "open"
    return context.go(action.branches.get(day) or action.branches.get("closed"))


KIND: Final = Kind(
    name="choose",
    table=Table,
    action=Choose,
    read=_read,
    next_steps=_next_steps,
    enter=_enter,
    shape="decision",
    asks_nobody=True,
    is_silent=True,
    needs_hours=True,
)
