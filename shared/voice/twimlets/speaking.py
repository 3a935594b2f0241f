"""The twimlets that speak and listen: message, menu, voicemail and whisper. Pure."""

import re
from typing import Final

from shared.text.templates.engine import read
from shared.text.templates.plain import Plain
from shared.voice.flows.dial_status import UNANSWERED
from shared.voice.flows.kinds.dial import Dial
from shared.voice.flows.kinds.gather import Gather
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.record import Record
from shared.voice.flows.kinds.say import Say
from shared.voice.flows.model import Action, Flow
from shared.voice.flows.targets import Target
from shared.voice.twimlets.reading import Reading

CALL: Final = read("You are receiving a call from {{ caller|spell }}. Press any key to accept.")
MENU_RETRIES: Final = 9
"""the originals asked for ever"""
_KEYS: Final = re.compile(r"[0-9*#]{1,20}")
_LONGEST_RECORDING: Final = 3600
_ANY_KEY: Final = "1234567890*#"


def message(reading: Reading) -> Flow:
    """Say or play one message after the other."""
    speeches = [reading.speech(given) for given in reading.parameters.texts("Message")]
    if not speeches:
        return reading.sorry("expected Message, got none")
    names = [f"message-{index}" for index, _ in enumerate(speeches)]
    steps = zip(names, speeches, [*names[1:], None], strict=True)
    return reading.flow({name: Say(speech=speech, next=following) for name, speech, following in steps})


def menu(reading: Reading) -> Flow:
    """Ask for keys, and go to their URL."""
    found: dict[str, Action] = {}
    for keys, given in reading.parameters.keyed("Options").items():
        redirect = reading.elsewhere(given)
        if redirect is None or not _KEYS.fullmatch(keys):
            reading.problems.append("expected Options[KEYS] with keys of 0-9, * and #, and an http(s) URL, got another")
        else:
            found[keys] = redirect
    if not found:
        return reading.sorry("expected Options, got none that can be used")
    asking = Gather(
        prompt=reading.message("Please press a key."),
        branches={keys: f"option-{keys}" for keys in found},
        digits=max(map(len, found)),
        finish_on_key="" if any("#" in keys for keys in found) else "#",
        retries=MENU_RETRIES,
        sorry=reading.said("I'm sorry, that wasn't a valid option."),
        no_input="bye",
        wrong_input="bye",
    )
    options = {f"option-{keys}": redirect for keys, redirect in found.items()}
    return reading.flow({"menu": asking, **options, "bye": Hangup(say=reading.said("Good bye."))})


def voicemail(reading: Reading) -> Flow:
    """Record a message; its link and its transcription come by callbacks."""
    transcribe = (reading.parameters.text("Transcribe") or "true").strip().lower() == "true"
    recording = Record(
        prompt=reading.message("Please leave a message after the beep."),
        max_seconds=_LONGEST_RECORDING,
        finish_on_key=_ANY_KEY,
        transcribe=transcribe,
        empty="nothing",
        next="thanks",
    )
    thanks = Hangup(say=reading.said("Thanks. Good bye."))
    return reading.flow({"voicemail": recording, "thanks": thanks, "nothing": Hangup()})


def whisper(reading: Reading) -> Flow:
    """Tell who answered of the call, and ask for a key; HumanCheck hangs up on who presses none.

    It is the document of a Number: nobody is dialled here, and the target stands for who answered.
    """
    screen = reading.parameters.has("HumanCheck")
    whispering = Dial(
        targets=(Target(kind="number", name=Plain("")),),
        whisper=reading.message(CALL),
        screen=screen,
        may_press=not screen,
        branches=dict.fromkeys(UNANSWERED, "bye"),
    )
    return reading.flow({"whisper": whispering, "bye": Hangup()})
