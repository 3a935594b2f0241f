"""`record`: record the caller. Pure.

https://www.twilio.com/docs/voice/twiml/record
"""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.kind import Kind, NextStep
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn
from shared.voice.flows.urls import callback_url

_LONGEST_TRANSCRIBED: Final = 120
"""seconds: https://www.twilio.com/docs/voice/twiml/record#transcribe"""


class Table(fields.Speaking, frozen=True, kw_only=True):
    """`record = …`."""

    record: fields.Spoken
    max_seconds: Annotated[int, Meta(ge=2, le=14_400)] = 120
    """https://www.twilio.com/docs/voice/twiml/record#maxlength"""
    silence: fields.Seconds = 5
    finish_on_key: str = "#"
    beep: bool = True
    transcribe: bool = False
    empty: str | None = None
    next: str


class Record(Action, frozen=True, kw_only=True):
    """Record the caller."""

    prompt: Speech
    max_seconds: int = 120
    silence: int = 5
    finish_on_key: str = "#"
    beep: bool = True
    transcribe: bool = False
    empty: str
    """the next step of a caller who said nothing"""
    next: str | None


def _read(reader: StepReader, table: Table) -> Record:
    if table.transcribe and table.max_seconds > _LONGEST_TRANSCRIBED:
        reader.fault("max_seconds", f"expected at most {_LONGEST_TRANSCRIBED}: Twilio transcribes nothing longer")
    return Record(
        prompt=reader.speech("record", table.record),
        max_seconds=table.max_seconds,
        silence=table.silence,
        finish_on_key=reader.keys("finish_on_key", table.finish_on_key, most=12),
        beep=table.beep,
        transcribe=table.transcribe,
        empty=table.next if table.empty is None else table.empty,
        next=table.next,
    )


def _next_steps(action: Record) -> Iterator[NextStep]:
    yield NextStep(("next",), action.next)
    yield NextStep(("empty",), action.empty, instead="next")


def _enter(context: TurnContext, action: Record, _: Turn) -> Turn | None:
    """Ask, and record; after silence Twilio continues with the Redirect."""
    base_url, delivery = context.world.base_url, context.call.delivery_id
    context.speak(context.response, action.prompt)
    transcription = callback_url(base_url, "voice/transcription", delivery=delivery)
    context.response.record(
        action=context.url("done"),
        timeout=action.silence,
        finish_on_key=action.finish_on_key,
        max_length=action.max_seconds,
        play_beep=action.beep,
        transcribe=action.transcribe or None,
        transcribe_callback=transcription if action.transcribe else None,
        recording_status_callback=callback_url(base_url, "voice/recording", delivery=delivery),
    )
    context.response.redirect(context.url("done"))
    return None


def _resume(context: TurnContext, action: Record, turn: Turn) -> Turn | None:
    """Continue with the recording."""
    url, seconds = turn.form.get("RecordingUrl"), turn.form.get("RecordingDuration")
    if not url or seconds == "0":
        context.tell("recording", recording="empty")
        return context.go(action.empty)
    context.tell("recording", recording_url=url, recording_sid=turn.form.get("RecordingSid"), seconds=seconds)
    return context.go(action.next)


KIND: Final = Kind(
    name="record",
    table=Table,
    action=Record,
    read=_read,
    next_steps=_next_steps,
    enter=_enter,
    resume=_resume,
    form_fields=("RecordingUrl", "RecordingSid", "RecordingDuration"),
    after_hangup=True,  # a text may still follow the recording
)
