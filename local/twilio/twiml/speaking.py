"""Say, Play and Pause: what is heard."""

from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from local.twilio.leg import Leg
from local.twilio.people import SPOKEN_CHARACTERS_PER_SECOND
from local.twilio.twiml.attributes import text, whole
from local.twilio.twiml.document import Heard

MAX_LOOPS = 1000
PLAYED_SECONDS = 5.0


async def say(line: Leg, element: ET.Element) -> None:
    """Say: the text is heard, as often as `loop` says. https://www.twilio.com/docs/voice/twiml/say."""
    words, times = text(element), _times(element)
    await line.hear(
        Heard(
            kind="said",
            what=words,
            seconds=times * len(words) / SPOKEN_CHARACTERS_PER_SECOND,
            voice=element.get("voice"),
            language=element.get("language"),
            times=times,
        )
    )


async def play(line: Leg, element: ET.Element) -> None:
    """Play: the file's URL, or the digits, are noted as heard. https://www.twilio.com/docs/voice/twiml/play."""
    digits, times = element.get("digits"), _times(element)
    what = digits if digits is not None else urljoin(line.url or "", text(element))
    await line.hear(Heard(kind="played", what=what, seconds=times * PLAYED_SECONDS, times=times))


async def pause(line: Leg, element: ET.Element) -> None:
    """Pause: one second, or `length`. https://www.twilio.com/docs/voice/twiml/pause."""
    length = whole(element, "length", default=1)
    await line.hear(Heard(kind="paused", what=str(length), seconds=float(length)))


def _times(element: ET.Element) -> int:
    return whole(element, "loop", default=1) or MAX_LOOPS
