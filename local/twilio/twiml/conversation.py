"""The conversation that a Dial makes, and its recording. https://www.twilio.com/docs/voice/twiml/dial#record."""

from xml.etree import ElementTree as ET

from local.twilio.bridge import Bridge
from local.twilio.leg import Leg
from local.twilio.recordings import recording_url
from local.twilio.tapes import keep, tell
from local.twilio.twiml.attributes import whole, yes
from local.twilio.twiml.record import recording_order

TIME_LIMIT_SECONDS = 14_400
RECORDED = frozenset({"true", "record-from-answer", "record-from-ringing"})
RECORDED_DUAL = frozenset({"record-from-answer-dual", "record-from-ringing-dual"})


async def converse(line: Leg, element: ET.Element, other: Leg, told: dict[str, str]) -> None:
    """Talk until that ends; `told` learns how long it was, and of the recording. Interrupted where the call ends."""
    limit = whole(element, "timeLimit", default=TIME_LIMIT_SECONDS) or TIME_LIMIT_SECONDS
    bridge = Bridge(line, other, limit=limit, star=yes(element, "hangupOnStar"))
    try:
        await bridge.talk()
    finally:
        seconds = max(1, round(bridge.seconds))
        # Who was called is talked to from the answer on, whisper included; who waited in a queue was there before.
        told["DialCallDuration"] = str(
            max(seconds, round(other.clock)) if other.call.parent_sid == line.sid else seconds
        )
        _record(line, element, told, seconds=seconds)
        other.release()


def _record(line: Leg, element: ET.Element, told: dict[str, str], *, seconds: int) -> None:
    asked = element.get("record", "")
    if asked not in RECORDED | RECORDED_DUAL:
        return
    order = recording_order(line, element, source="DialVerb", channels=2 if asked in RECORDED_DUAL else 1)
    recording = keep(line, order, seconds=seconds)
    line.did("recorded", recording.sid)
    line.network.begin(tell(line, line.network.mail(), order, recording))
    told["RecordingUrl"] = recording_url(line.network.account, recording)
