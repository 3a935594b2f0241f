"""Whom a Dial calls: its text, or its nouns. https://www.twilio.com/docs/voice/twiml/dial#nouns."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from xml.etree import ElementTree as ET

from local.twilio.leg import DialOrder, Leg
from local.twilio.numbers import CALL_TO, E164, refusal
from local.twilio.twiml.attributes import names, own_text, source, text
from local.twilio.twiml.schema import usable

AT_ONCE = 10
DETECTIONS = frozenset({"Enable", "DetectMessageEnd"})


def targets(line: Leg, element: ET.Element, *, limit: int) -> list[DialOrder]:
    """Everybody who can be called; the debugger is told of the others."""
    nouns = [noun for noun in usable(element) if noun.tag in ADDRESSES]
    for noun in usable(element):
        if noun.tag not in ADDRESSES:
            line.did("not simulated yet", noun.tag)
    if not nouns and own_text(element):
        nouns = [ET.Element("Number")]
        nouns[0].text = own_text(element)
    if len(nouns) > AT_ONCE:
        line.note(13215, f"a <Dial> calls {len(nouns)} at once, more than {AT_ONCE}")
    found = [_order(line, element, noun, limit=limit) for noun in nouns[:AT_ONCE]]
    return [order for order in found if order is not None]


def _order(line: Leg, element: ET.Element, noun: ET.Element, *, limit: int) -> DialOrder | None:
    to = ADDRESSES[noun.tag](noun)
    from_ = _caller_id(line, element)
    fault = _fault(to=to, from_=from_, tag=noun.tag)
    if fault is not None:
        line.note(*fault)
        return None
    detection = noun.get("machineDetection")
    return DialOrder(
        to=to,
        from_=from_,
        timeout=limit,
        whisper=source(noun, "url", base=line.url),
        digits=noun.get("sendDigits"),
        callback=source(noun, "statusCallback", base=line.url, method_name="statusCallbackMethod"),
        events=names(noun, "statusCallbackEvent", default="completed"),
        detection=detection if detection in DETECTIONS else None,
        detection_callback=source(noun, "amdStatusCallback", base=line.url, method_name="amdStatusCallbackMethod"),
    )


def _caller_id(line: Leg, element: ET.Element) -> str:
    """What the called party sees; a call from a browser has to say it, where it calls a number."""
    given = element.get("callerId")
    return line.call.from_ if given is None else _number(given)


def _fault(*, to: str, from_: str, tag: str) -> tuple[int, str] | None:
    if tag == "Sip" and not re.fullmatch(r"sips?:\S+@\S+", to):
        return 13243, "a <Sip> has no SIP URI"
    if tag == "Number" and not E164.fullmatch(to):
        return 13223, "a <Dial> has a number that is none"
    if refusal(CALL_TO, to):
        return 13224, "a <Dial> has a number that cannot be called"
    if tag == "Number" and not E164.fullmatch(from_):
        return 13214, "a <Dial> has no callerId that can call numbers"
    return None


def _number(given: str) -> str:
    """A number in E.164, also one of North America without it: (415) 555-0100."""
    if not re.fullmatch(r"[+\d\s().-]+", given):
        return given
    digits = re.sub(r"\D", "", given)
    if given.strip().startswith("+"):
        return f"+{digits}"
    return f"+1{digits}" if len(digits) == 10 else f"+{digits}"  # noqa: PLR2004 - the digits of a number there


def _client(noun: ET.Element) -> str:
    identity = noun.find("Identity")
    return f"client:{text(identity) if identity is not None else own_text(noun)}"


ADDRESSES: Mapping[str, Callable[[ET.Element], str]] = MappingProxyType(
    {"Number": lambda noun: _number(text(noun)), "Client": _client, "Sip": own_text}
)
