"""What a caller hears when something is wrong inside: always a sentence, never `an application error`. Pure."""

from typing import Final

from twilio.twiml.voice_response import VoiceResponse

from shared.voice.flows.turn import Part
from shared.voice.twiml import writable

ONE_MOMENT: Final = "One moment, please."
SORRY: Final = "We are sorry. Something does not work here at the moment. Please call again later."
GONE: Final = "We are sorry. This call can not go on. Please call again."
_NEXT_ROUND_SECONDS: Final = 10


def trouble(url_again: str | None, *, part: Part = "enter") -> str:
    """Return the document for a turn that met trouble: try it again, or, after the last try, say so and hang up.

    Args:
        url_again: what `turn_urls.once_more` says.
        part: of the turn. A caller who waits in a queue keeps waiting, as its waitUrl is asked again, and who was about
            to be connected is: https://www.twilio.com/docs/voice/twiml/queue allows no Hangup there.
    """
    response = VoiceResponse()
    if url_again is not None:
        if part in {"enter", "done"}:
            response.say(ONE_MOMENT)
        else:
            response.pause(length=1)
        response.redirect(writable(url_again))
    elif part == "wait":
        response.pause(length=_NEXT_ROUND_SECONDS)
    elif part in {"enter", "done"}:
        response.say(SORRY)
        response.hangup()
    return str(response)


def gone() -> str:
    """Return the document for a flow, or a step, that a deploy took away under a call."""
    response = VoiceResponse()
    response.say(GONE)
    response.hangup()
    return str(response)


CALL_FALLBACK: Final = trouble(None)
"""what answers a call whose own webhook failed"""
