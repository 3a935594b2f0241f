"""Record: what the caller says. https://www.twilio.com/docs/voice/twiml/record."""

from xml.etree import ElementTree as ET

import msgspec

from local.twilio.leg import Leg
from local.twilio.presence import Interrupted
from local.twilio.recordings import Recording, RecordingOrder, recording_url
from local.twilio.tapes import keep, tell, tell_status, transcribe
from local.twilio.twiml.attributes import action, names, source, whole, yes
from local.twilio.twiml.document import Source
from local.twilio.twiml.places import Exit

TIMEOUT_SECONDS = 5
LONGEST_SECONDS, LONGEST_TRANSCRIBED_SECONDS = 3600, 120
ALL_KEYS = "1234567890*#"
FOR_EVER = 86_400


class Spoken(msgspec.Struct, kw_only=True):
    """What was said so far: `words` are None where some of them cannot be understood; `key` is what ended it."""

    seconds: float = 0.0
    words: list[str] | None = msgspec.field(default_factory=list)
    key: str = ""

    def add(self, words: str | None, seconds: float) -> None:
        """More is said."""
        self.seconds += seconds
        self.words = None if words is None or self.words is None else [*self.words, words]


async def record(line: Leg, element: ET.Element) -> Exit | None:
    """Record until a key, silence, the longest time or the end of the call; what comes after is for silence only."""
    order, target, base = recording_order(line, element, source="RecordVerb"), action(element, base=line.url), line.url
    spoken = Spoken()
    await tell_status(line, order, "in-progress")
    try:
        await _listen(line, element, spoken)
    except Interrupted as interrupted:
        if spoken.seconds and interrupted.to is None:
            spoken.key = "hangup"
            fields = _keep(line, element, order, spoken, base=base)
            line.finish()
            await line.report(target, **fields)
        raise
    if not spoken.seconds:
        await tell_status(line, order, "absent")
        return None
    fields = _keep(line, element, order, spoken, base=base)
    return Exit(to=msgspec.structs.replace(target, fields=tuple(fields.items())))


def recording_order(line: Leg, element: ET.Element, *, source: str, channels: int = 1) -> RecordingOrder:
    """What the attributes of Record, Dial and Conference say of a recording."""
    return RecordingOrder(
        channels=channels,
        callback=_callback(line, element),
        events=names(element, "recordingStatusCallbackEvent", default="completed"),
        source=source,
    )


async def _listen(line: Leg, element: ET.Element, spoken: Spoken) -> None:
    longest = whole(element, "maxLength", default=_longest(element)) or _longest(element)
    timeout = whole(element, "timeout", default=TIMEOUT_SECONDS) or FOR_EVER
    ends = element.get("finishOnKey", ALL_KEYS)
    while spoken.seconds < longest:
        act = await line.next_act("Record", seconds=min(timeout, longest), hears={"say", "speak", "press"})
        if act is None:
            return
        if act.press is None:
            spoken.add(act.say, min(act.lasts, longest - spoken.seconds))
            continue
        spoken.key = next((key for key in act.press if key in ends), "")
        if spoken.key:
            return


def _keep(line: Leg, element: ET.Element, order: RecordingOrder, spoken: Spoken, *, base: str | None) -> dict[str, str]:
    """Remember the recording, have it told of, and say what the action is told."""
    recording = keep(line, order, seconds=max(1, round(spoken.seconds)))
    line.did("recorded", recording.sid, seconds=spoken.seconds)
    line.network.begin(tell(line, line.network.mail(), order, recording))
    _transcribe(line, element, recording, spoken, base=base)
    fields = {
        "RecordingUrl": recording_url(line.network.account, recording),
        "RecordingSid": recording.sid,
        "RecordingDuration": str(recording.seconds),
    }
    return fields | ({"Digits": spoken.key} if spoken.key else {})


def _transcribe(line: Leg, element: ET.Element, recording: Recording, spoken: Spoken, *, base: str | None) -> None:
    # The callback alone does not ask for a transcription any more.
    callback = source(element, "transcribeCallback", base=base, method_name="")
    if yes(element, "transcribe") and callback is not None:
        words = None if spoken.words is None else " ".join(spoken.words)
        line.network.begin(transcribe(line, recording, callback, words=words))


def _callback(line: Leg, element: ET.Element) -> Source | None:
    return source(element, "recordingStatusCallback", base=line.url, method_name="recordingStatusCallbackMethod")


def _longest(element: ET.Element) -> int:
    return LONGEST_TRANSCRIBED_SECONDS if yes(element, "transcribe") else LONGEST_SECONDS
