"""`dial`: connect the caller with somebody. Pure.

https://www.twilio.com/docs/voice/twiml/dial
"""

from collections.abc import Iterator
from typing import Final

from shared.voice.flows.dial_status import FORM_FIELDS
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.kinds.dial.answered import resume, whisper
from shared.voice.flows.kinds.dial.connecting import enter
from shared.voice.flows.kinds.dial.reading import read
from shared.voice.flows.kinds.dial.step import Conference, Dial, Table

__all__ = ["KIND", "Conference", "Dial"]


def _next_steps(action: Dial) -> Iterator[NextStep]:
    yield NextStep(("answered",), action.answered)
    for status, to in action.branches.items():
        yield NextStep((status,), to, at_once=True, instead="unanswered")


KIND: Final = Kind(
    name="dial",
    table=Table,
    action=Dial,
    read=read,
    next_steps=_next_steps,
    enter=enter,
    resume=resume,
    whisper=whisper,
    form_fields=(*FORM_FIELDS, "DialBridged", "Digits"),
    shape="connection",
    shown_keys=("queue", "conference"),
)
