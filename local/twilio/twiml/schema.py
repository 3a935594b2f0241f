"""What Twilio's debugger says of a document: names it does not know, and values it does not take.

The names are those of Twilio's pages on each verb and noun, https://www.twilio.com/docs/voice/twiml; the codes those
of https://www.twilio.com/docs/api/errors. A value that is not taken counts as if it was not there.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from xml.etree import ElementTree as ET

from local.twilio.twiml.attributes import text

Test = Callable[[str], bool]
Finding = tuple[int, str]

NOT_YET = frozenset({"Connect", "Echo", "Pay", "Prompt", "Refer", "Start", "Stop"})
CALLBACK = "statusCallback statusCallbackMethod statusCallbackEvent"
RECORDING = "trim recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent"
DETECTION = (
    "machineDetection machineDetectionTimeout machineDetectionSpeechThreshold machineDetectionSpeechEndThreshold "
    "machineDetectionSilenceTimeout amdStatusCallback amdStatusCallbackMethod"
)
ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(attributes.split())
        for name, attributes in {
            "Say": "voice language loop",
            "Play": "loop digits",
            "Pause": "length",
            "Hangup": "",
            "Leave": "",
            "Redirect": "method",
            "Reject": "reason",
            "Gather": "action method input timeout speechTimeout maxSpeechTime finishOnKey numDigits hints language "
            "partialResultCallback partialResultCallbackMethod profanityFilter bargeIn debug actionOnEmptyResult "
            "speechModel enhanced",
            "Record": f"action method timeout finishOnKey maxLength playBeep transcribe transcribeCallback {RECORDING} "
            "recordingConfigurationId",
            "Dial": f"action method timeout timeLimit hangupOnStar callerId callReason record {RECORDING} "
            "recordingTrack recordingConfigurationId answerOnBridge ringTone sequential referUrl referMethod events "
            "passports",
            "Number": f"url method sendDigits byoc {CALLBACK} {DETECTION}",
            "Client": f"url method {CALLBACK}",
            "Identity": "",
            "Parameter": "name value",
            "Sip": f"url method username password {CALLBACK} {DETECTION}",
            "Queue": "url method reservationSid postWorkActivitySid",
            "Conference": f"muted beep startConferenceOnEnter endConferenceOnExit waitUrl waitMethod maxParticipants "
            f"record region coach jitterBufferSize participantLabel eventCallbackUrl {CALLBACK} {RECORDING} "
            "recordingConfigurationId",
            "Enqueue": "action method waitUrl waitUrlMethod workflowSid maxQueueSize",
            "Task": "priority timeout",
            "Sms": "to from action method statusCallback",
        }.items()
    }
)
SPOKEN = frozenset({"Say", "Play", "Pause"})
NESTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Gather": SPOKEN,
        "Dial": frozenset({"Number", "Client", "Sip", "Queue", "Conference", "Sim", "Application", "WhatsApp"}),
        "Client": frozenset({"Identity", "Parameter"}),
        "Enqueue": frozenset({"Task"}),
    }
)
# What stands within these is no TwiML: marks of speech, and what goes to whoever is called.
OPAQUE = frozenset({"Say", "Sip", "Hangup", "Reject"})


def _one_of(*words: str) -> Test:
    return lambda value: value in words


def _pattern(pattern: str) -> Test:
    return lambda value: re.fullmatch(pattern, value) is not None


METHOD, FLAG, WHOLE = _one_of("GET", "POST", "get", "post"), _one_of("true", "false"), _pattern(r"\d+")
POSITIVE = _pattern(r"0*[1-9]\d*")
VALUES: Mapping[tuple[str, str], tuple[int, Test]] = MappingProxyType(
    {
        ("Dial", "method"): (13210, METHOD),
        ("Dial", "timeout"): (13212, POSITIVE),
        ("Dial", "hangupOnStar"): (13213, FLAG),
        ("Dial", "timeLimit"): (13216, POSITIVE),
        ("Dial", "record"): (
            13217,
            _pattern(r"true|false|do-not-record|record-from-(answer|ringing)(-dual)?"),
        ),
        ("Dial", "sequential"): (13218, FLAG),
        ("Dial", "answerOnBridge"): (13219, FLAG),
        ("Number", "method"): (13221, METHOD),
        ("Number", "sendDigits"): (13222, _pattern(r"[0-9*#wWA-D]+")),
        ("Conference", "muted"): (13230, FLAG),
        ("Conference", "endConferenceOnExit"): (13231, FLAG),
        ("Conference", "startConferenceOnEnter"): (13232, FLAG),
        ("Conference", "waitMethod"): (13234, METHOD),
        ("Conference", "beep"): (13235, _one_of("true", "false", "onEnter", "onExit")),
        ("Sip", "method"): (13241, METHOD),
        ("Gather", "finishOnKey"): (13310, _pattern(r"[0-9*#]?")),
        ("Gather", "method"): (13312, METHOD),
        ("Gather", "timeout"): (13313, POSITIVE),
        ("Gather", "numDigits"): (13314, POSITIVE),
        ("Gather", "input"): (13326, _one_of("dtmf", "speech", "dtmf speech", "speech dtmf")),
        ("Gather", "speechTimeout"): (13327, _pattern(r"auto|0*[1-9]\d*")),
        ("Gather", "maxSpeechTime"): (13328, POSITIVE),
        ("Gather", "partialResultCallbackMethod"): (13329, METHOD),
        ("Gather", "bargeIn"): (13332, FLAG),
        ("Gather", "profanityFilter"): (13333, FLAG),
        ("Gather", "actionOnEmptyResult"): (13338, FLAG),
        ("Play", "loop"): (13410, WHOLE),
        ("Play", "digits"): (13430, _pattern(r"[0-9*#wWA-D]+")),
        ("Say", "loop"): (13510, WHOLE),
        ("Record", "method"): (13610, METHOD),
        ("Record", "timeout"): (13611, WHOLE),
        ("Record", "maxLength"): (13612, POSITIVE),
        ("Record", "finishOnKey"): (13613, _pattern(r"[0-9*#]*")),
        ("Record", "transcribe"): (13614, FLAG),
        ("Record", "playBeep"): (13616, FLAG),
        ("Record", "recordingStatusCallbackEvent"): (
            13621,
            _pattern(r"\s*(in-progress|completed|absent)(\s+(in-progress|completed|absent))*\s*"),
        ),
        ("Reject", "reason"): (13810, _one_of("rejected", "busy")),
    }
)


def check(element: ET.Element) -> Iterator[Finding]:
    """What is wrong with a verb and all within it, the verb's own faults first."""
    yield from _attributes(element)
    if element.tag == "Say" and not text(element):
        yield 13520, "<Say> has no text"
    if element.tag in OPAQUE:
        return
    for child in element:
        if child.tag in NESTED.get(element.tag, frozenset()):
            yield from check(child)
        else:
            yield 12200, f"<{child.tag}> cannot stand within <{element.tag}>"


def usable(element: ET.Element) -> list[ET.Element]:
    """The children that may stand within an element."""
    return [child for child in element if child.tag in NESTED.get(element.tag, frozenset())]


def _attributes(element: ET.Element) -> Iterator[Finding]:
    known = ATTRIBUTES.get(element.tag, frozenset(element.keys()))
    for name in sorted(element.keys()):
        if name not in known:
            yield 12200, f"<{element.tag}> has no attribute {name}"
        code, fits = VALUES.get((element.tag, name), (0, None))
        if fits is not None and not fits(element.get(name, "")):
            yield code, f"<{element.tag}> has a value of {name} that Twilio does not take"
