"""Dial with Queue: take the next caller. https://www.twilio.com/docs/voice/twiml/queue."""

from typing import cast
from xml.etree import ElementTree as ET

from local.twilio.leg import Leg
from local.twilio.presence import COMPRESSION, LONGEST_WAIT
from local.twilio.queues import Place, Queue, Taken
from local.twilio.twiml.attributes import own_text, source
from local.twilio.twiml.conversation import converse
from local.twilio.twiml.document import Source


async def take_next(line: Leg, element: ET.Element, noun: ET.Element, told: dict[str, str], *, limit: int) -> None:
    """Talk to the caller who waited longest, or the first to come within the limit.

    A queue that is not there fails. A live person waits as long as they like.
    """
    queue = line.network.queues.get(own_text(noun))
    if queue is None:
        return
    told["DialCallStatus"] = "no-answer"
    while True:
        place = await _next(line, queue, limit=limit)
        if place is None:
            return
        told |= {"QueueSid": queue.sid, "QueueTime": str(place.seconds), "DequeingCallSid": line.sid}
        other = await _fetched(line, queue, place, source(noun, "url", base=line.url))
        if other is not None:
            line.did("bridged", other.call.from_)
            told |= {"DialCallStatus": "completed", "DialBridged": "true", "DialCallSid": other.sid}
            await converse(line, element, other, told)
            return


async def _fetched(line: Leg, queue: Queue, place: Place, url: Source | None) -> Leg | None:
    """Have the caller hear that somebody comes; None where they do not wait for that."""
    queue.leave(place)
    other = cast("Leg", place.leg)
    line.partner, other.partner = other, line
    other.interrupt(Taken(url=url, by=line.sid))
    try:
        await line.wait_for(lambda: other.engaged or place.gone)
    finally:
        line.partner = other.partner = None
    return other if other.engaged else None


async def _next(line: Leg, queue: Queue, *, limit: int) -> Place | None:
    seconds = None if line.person.live and not line.person.real_time else min(limit * COMPRESSION, LONGEST_WAIT)
    queue.dialers.append(line)
    try:
        await line.wait_for(lambda: queue.places, seconds=seconds)
    finally:
        queue.dialers.remove(line)
    return queue.places[0] if queue.places else None
