"""Somebody calls the app: what it answers, what they do, and what came of it."""

from local.twilio import Simulator
from local.twilio.calls import Call
from local.twilio.people import Act
from tests.local.twilio.receiver import Receiver, Reply

CALLER, APP, OTHER, THIRD = "+14155550100", "+15005550006", "+14155550123", "+14155550124"


def answers(receiver: Receiver, **documents: str) -> str:
    """Answer at these paths with these verbs; returns the URL of the first."""
    urls = [
        receiver.answers(f"/{path}", Reply(text=f"<Response>{verbs}</Response>")) for path, verbs in documents.items()
    ]
    return urls[0]


async def called(simulator: Simulator, receiver: Receiver, *acts: Act, **documents: str) -> Call:
    """Somebody calls, hears the first document, and does this; returns the call when all has ended."""
    sid = simulator.call(*acts, from_=CALLER, to=APP, url=answers(receiver, **documents))
    await simulator.settled()
    return simulator.call_of(sid)


def heard(call: Call, *kinds: str) -> list[str]:
    """What a call's transcript has of these kinds, or of all."""
    return [entry.what for entry in call.transcript if entry.kind in kinds or not kinds]


def codes(call: Call) -> list[int]:
    """What the debugger would show."""
    return [note.code for note in call.notes]
