"""Dial: a conversation with somebody else. https://www.twilio.com/docs/voice/twiml/dial."""

from xml.etree import ElementTree as ET

import msgspec

from local.twilio.leg import Leg
from local.twilio.presence import Interrupted
from local.twilio.twiml.attributes import source, whole, yes
from local.twilio.twiml.conference import confer
from local.twilio.twiml.conversation import converse
from local.twilio.twiml.dial_queue import take_next
from local.twilio.twiml.dial_targets import targets
from local.twilio.twiml.places import Exit
from local.twilio.twiml.ringing import ring
from local.twilio.twiml.schema import usable

TIMEOUT_SECONDS = 30


async def dial(line: Leg, element: ET.Element) -> Exit | None:
    """Connect the call; the action, where there is one, is told how that went, else the next verb comes."""
    target = source(element, "action", base=line.url)
    told = {"DialCallStatus": "failed", "DialBridged": "false"}
    try:
        await _connect(line, element, told)
    except Interrupted as interrupted:
        if interrupted.to is None:
            line.finish()
            await line.report(target, **told)
        raise
    return None if target is None else Exit(to=msgspec.structs.replace(target, fields=tuple(told.items())))


async def _connect(line: Leg, element: ET.Element, told: dict[str, str]) -> None:
    """Let the call be where the nouns say; `told` is filled in meanwhile."""
    nouns = {noun.tag: noun for noun in usable(element)}
    limit = whole(element, "timeout", default=TIMEOUT_SECONDS) or TIMEOUT_SECONDS
    if "Conference" in nouns:
        line.answer()
        told |= {"DialCallStatus": "answered", "DialBridged": "true"}
        await confer(line, nouns["Conference"], star=yes(element, "hangupOnStar"))
    elif "Queue" in nouns:
        line.answer()
        await take_next(line, element, nouns["Queue"], told, limit=limit)
    else:
        await _call(line, element, told, limit=limit)


async def _call(line: Leg, element: ET.Element, told: dict[str, str], *, limit: int) -> None:
    orders = targets(line, element, limit=limit)
    groups = [[order] for order in orders] if yes(element, "sequential") else [orders] if orders else []
    for group in groups:
        winner = await ring(line, group, told)
        if winner is not None:
            line.answer()
            line.did("bridged", winner.leg.call.to)
            told |= {"DialCallStatus": "completed", "DialBridged": "true"}
            await converse(line, element, winner.leg, told)
            return
