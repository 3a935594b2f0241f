"""`pay`: a kind of step that the app does not have; this file is all of it.

https://www.twilio.com/docs/voice/twiml/pay
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
    pay: str
    paid: str
    unpaid: str


class Pay(Action, frozen=True, kw_only=True):
    amount: str
    paid: str
    unpaid: str


def _read(reader: StepReader, table: Table) -> Pay:
    if not table.pay.replace(".", "", 1).isdecimal():
        reader.fault("pay", "expected an amount such as 9.90")
    return Pay(amount=table.pay, paid=table.paid, unpaid=table.unpaid)


def _next_steps(action: Pay) -> Iterator[NextStep]:
    yield NextStep(("paid",), action.paid)
    yield NextStep(("unpaid",), action.unpaid)


def _enter(context: TurnContext, action: Pay, _: Turn) -> Turn | None:
    context.response.pay(charge_amount=action.amount, action=context.url("done"))
    return None


def _resume(context: TurnContext, action: Pay, turn: Turn) -> Turn | None:
    result = turn.form.get("Result", "")
    context.tell("pay", result=result)
    return context.go(action.paid if result == "success" else action.unpaid)


KIND: Final = Kind(
    name="pay",
    table=Table,
    action=Pay,
    read=_read,
    next_steps=_next_steps,
    enter=_enter,
    resume=_resume,
    form_fields=("Result",),
    shape="decision",
)
