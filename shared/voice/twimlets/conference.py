"""The twimlet conference: a room, its pass code, who opens it and what those hear who wait. Pure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from shared.text.templates.plain import Plain
from shared.voice.flows.dial_status import UNANSWERED
from shared.voice.flows.kinds.dial import Conference, Dial
from shared.voice.flows.kinds.gather import Gather
from shared.voice.flows.kinds.hangup import Hangup
from shared.voice.flows.kinds.queue import HOLD_MUSIC
from shared.voice.flows.kinds.say import Say
from shared.voice.flows.model import Action, Flow
from shared.voice.flows.targets import Target
from shared.voice.twimlets.reading import SORRY, Reading, http_url

_BUCKET: Final = "http://com.twilio.music.{}.s3.amazonaws.com/{}.mp3"
MUSIC: Final[Mapping[str, str]] = {
    "classical": HOLD_MUSIC,
    "ambient": _BUCKET.format("ambient", "gurdonark_-_Plains"),
    "electronica": _BUCKET.format("electronica", "teru_-_110_Downtempo_Electronic_4"),
    "guitars": _BUCKET.format("guitars", "Pitx_-_Long_Winter"),
    "rock": _BUCKET.format("rock", "nickleus_-_original_guitar_song_200907251723"),
    "soft-rock": _BUCKET.format("soft-rock", "_ghost_-_promo_2_sample_pack"),
}
"""Twilio's genres, one piece of each: https://www.twilio.com/docs/voice/twiml/conference#waiturl"""
WELCOME: Final = "You are now entering the conference line."
ENTER_CODE: Final = "Please enter your conference pass code."
CODE_RETRIES: Final = 2
_CODE: Final = re.compile(r"[0-9*#]{1,32}")
_FEWEST_DIGITS: Final = 3
"""so that a short code is no easier to guess than three digits"""


def conference(reading: Reading) -> Flow:
    """Let the caller into the room; with a pass code only who knows it."""
    code = (reading.parameters.text("Password") or "").strip()
    if code and not _CODE.fullmatch(code):
        return reading.sorry("expected Password to be 1 to 32 of 0-9, * and #, got another text")
    room = Dial(
        targets=(Target(kind="conference", name=Plain(_name(reading))),),
        conference=Conference(moderator=_is_moderator(reading), ends=False, music=_music(reading)),
        branches=dict.fromkeys(UNANSWERED, "sorry"),
    )
    steps: dict[str, Action] = {
        "welcome": Say(speech=reading.message(WELCOME), next="conference"),
        "conference": room,
        "sorry": Hangup(say=reading.said(SORRY)),
    }
    return reading.flow({**_asking(reading, code), **steps} if code else steps)


def _asking(reading: Reading, code: str) -> dict[str, Action]:
    asking = Gather(
        prompt=reading.said(ENTER_CODE),
        branches={code: "welcome"},
        digits=max(_FEWEST_DIGITS, len(code)),
        finish_on_key="" if "#" in code else "#",
        retries=CODE_RETRIES,
        no_input="bye",
        wrong_input="bye",
    )
    return {"password": asking, "bye": Hangup(say=reading.said("Good bye."))}


def _is_moderator(reading: Reading) -> bool:
    """Without moderators everybody is one: it begins with the second person."""
    if not reading.parameters.texts("Moderators"):
        return True
    return reading.call.other_end in reading.numbers("Moderators")


def _name(reading: Reading) -> str:
    """Without a name, callers meet whose URLs have the same Message and Moderators."""
    given = reading.parameters.text("Name")
    if given is not None:
        return given.strip()
    what = "\0".join([reading.parameters.text("Message") or "", *reading.parameters.texts("Moderators")])
    return hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:32]


def _music(reading: Reading) -> str | None:
    given = reading.parameters.text("Music")
    if given is None:
        return None
    url = MUSIC.get(given.strip()) or http_url(given)
    if url is None:
        reading.problems.append(f"expected Music to be an http(s) URL or one of {', '.join(MUSIC)}, got another text")
    return url
