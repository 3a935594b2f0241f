"""`reject`: turn a call down before it is answered. Pure.

https://www.twilio.com/docs/voice/twiml/reject
"""

from typing import Final, Literal

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind
from shared.voice.flows.model import Action
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn

Reason = Literal["rejected", "busy"]


class Table(fields.Step, frozen=True, kw_only=True):
    """`reject = …`."""

    reject: Reason


class Reject(Action, frozen=True, kw_only=True):
    """Turn a call down before it is answered."""

    reason: Reason


def _read(_: StepReader, table: Table) -> Reject:
    return Reject(reason=table.reject)


def _enter(context: TurnContext, action: Reject, _: Turn) -> Turn | None:
    """Reject the call; hang up one that was answered."""
    if context.response.verbs or context.turn.count or context.turn.again or context.call.outbound:
        return context.go(None)
    context.response.reject(reason=action.reason)
    return None


KIND: Final = Kind(
    name="reject", table=Table, action=Reject, read=_read, enter=_enter, shape="end", only_unanswered=True
)
