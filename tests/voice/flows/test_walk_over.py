"""A call that is over, or never ends: nobody is told what did not happen, and a loop ends."""

import pytest

from shared.voice.flows.kinds.dial import Dial
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.message import Message
from shared.voice.flows.kinds.record import Record
from shared.voice.flows.kinds.say import Say
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.targets import Target
from shared.voice.flows.turn import Turn
from shared.voice.flows.walk import MOST_TURNS
from tests.voice.flows.makers import flow, text, walked

ENDS = dict.fromkeys(("busy", "no-answer", "failed", "canceled"), "voicemail")
DIAL = Dial(targets=(Target(kind="number", name=text("+14155550177")),), branches=ENDS)
VOICEMAIL = Record(prompt=Speech(text=text("Leave a message.")), next="text", empty="end")


def steps() -> dict[str, Action]:
    return {
        "dial": DIAL,
        "voicemail": VOICEMAIL,
        "text": Message(body=text("We will call back."), next="end"),
        "end": Hangup(),
    }


@pytest.mark.parametrize("status", ["no-answer", "busy", "canceled", "failed"])
def test_who_hangs_up_while_it_rings_elsewhere_leaves_no_voicemail(status: str) -> None:
    form = {"CallStatus": "completed", "DialCallStatus": status}
    made = flow(steps(), events={"voicemail": "voicemail"})
    document = walked(made, Turn(step="dial", part="done", count=2, form=form))
    assert document.verbs == ["Hangup"]
    assert not [happened for happened in document.happened if "event" in happened.what]
    assert document.texts == ()


def test_what_a_recording_leads_to_is_done_after_the_caller_hung_up() -> None:
    form = {"CallStatus": "completed", "RecordingUrl": "https://example.com/r", "RecordingDuration": "7"}
    document = walked(flow(steps()), Turn(step="voicemail", part="done", count=3, form=form))
    assert len(document.texts) == 1


def test_a_loop_that_nobody_leaves_ends() -> None:
    made = flow({"say": Say(speech=Speech(text=text("Again.")), next="say")})
    document = walked(made, Turn(step="say", count=MOST_TURNS))
    assert "Redirect" not in document.verbs
    assert "problem" in document.happened[0].what
