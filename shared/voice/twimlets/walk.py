"""A turn of a call in a twimlet: its parameters make a flow, and the flow is walked. Pure."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from shared.voice import twiml
from shared.voice.flows.model import Flow
from shared.voice.flows.turn import Call, Happened, Turn, Walked, World
from shared.voice.flows.walk import walk
from shared.voice.twimlets import dialling, speaking
from shared.voice.twimlets.conference import conference
from shared.voice.twimlets.reading import SORRY, Reading, Twimlet
from shared.voice.twimlets.urls import twimlet_url

TWIMLETS: Final[Mapping[str, Callable[[Reading], Flow]]] = MappingProxyType(
    {
        "message": speaking.message,
        "menu": speaking.menu,
        "forward": dialling.forward,
        "simulring": dialling.simulring,
        "findme": dialling.findme,
        "callme": dialling.callme,
        "whisper": speaking.whisper,
        "voicemail": speaking.voicemail,
        "conference": conference,
    }
)
LARGEST: Final = 64_000
"""bytes of a document: https://www.twilio.com/docs/api/errors/11750"""
_TOLD_APART: Final = 8
_LONGEST_EMAIL: Final = 254


def walk_twimlet(twimlet: Twimlet, call: Call, turn: Turn, world: World) -> Walked:
    """Walk one turn; as `walk`, nothing is raised because of what a URL, a caller or Twilio brings."""
    is_action = not turn.step and twimlet.parameters.has("Dial")
    dialled = turn.form.get("DialCallStatus") or None if is_action else None
    reading = Reading(twimlet=twimlet, call=call, base_url=world.base_url, dialled=dialled)
    make = TWIMLETS.get(twimlet.name)
    flow = make(reading) if make else reading.sorry(f"expected one of {', '.join(TWIMLETS)}, got another twimlet")
    if not turn.step:
        turn = dataclasses.replace(turn, step=flow.start)
    world = dataclasses.replace(world, route=lambda to, at: twimlet_url(world.base_url, twimlet, delivery=to, turn=at))
    walked = walk(flow, call, turn, world)
    problems = reading.problems if not turn.count else []
    document = walked.twiml
    if len(document.encode()) > LARGEST:
        problems = [*problems, f"expected parameters whose document has at most {LARGEST} bytes, got more"]
        document = twiml.say(SORRY)
    return Walked(twiml=document, happened=_told(twimlet, turn, problems, walked.happened))


def _told(twimlet: Twimlet, turn: Turn, problems: list[str], happened: tuple[Happened, ...]) -> tuple[Happened, ...]:
    """One call may go through several twimlets: what happens is told apart by the URL as well."""
    found = [
        Happened(
            key=f"{turn.count}.0-problem-{index}", what={"flow": twimlet.flow, "step": turn.step, "problem": problem}
        )
        for index, problem in enumerate(dict.fromkeys(problems))
    ]
    whole = urlencode([("", twimlet.name), *twimlet.parameters.pairs], errors="replace")
    mark = hashlib.sha256(whole.encode()).hexdigest()[:_TOLD_APART]
    return tuple(
        Happened(key=f"{mark}.{each.key}", what={**each.what, **_email(twimlet, each)}) for each in (*found, *happened)
    )


def _email(twimlet: Twimlet, happened: Happened) -> dict[str, str]:
    """Nothing is mailed: whoever reads the event finds there for whom the recording is."""
    email = twimlet.parameters.text("Email")
    if twimlet.name != "voicemail" or email is None or "recording_url" not in happened.what:
        return {}
    return {"email": email.strip()[:_LONGEST_EMAIL]}
