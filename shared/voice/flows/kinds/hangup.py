"""`hangup`: end the call. Pure.

https://www.twilio.com/docs/voice/twiml/hangup
"""

from typing import Final

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn


class Table(fields.Speaking, frozen=True, kw_only=True):
    """`hangup = true`."""

    hangup: bool
    say: fields.Spoken | None = None


class Hangup(Action, frozen=True, kw_only=True):
    """End the call, perhaps with a last word."""

    say: Speech | None = None


def _read(reader: StepReader, table: Table) -> Hangup:
    if not table.hangup:
        reader.fault("hangup", "expected true")
    return Hangup(say=reader.maybe_speech("say", table.say))


def _enter(context: TurnContext, action: Hangup, _: Turn) -> Turn | None:
    context.speak(context.response, action.say)
    return context.go(None)


KIND: Final = Kind(name="hangup", table=Table, action=Hangup, read=_read, enter=_enter, shape="end")
