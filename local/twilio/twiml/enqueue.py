"""Enqueue: wait until somebody takes the caller. https://www.twilio.com/docs/voice/twiml/enqueue."""

from xml.etree import ElementTree as ET

import msgspec

from local.twilio.leg import Leg
from local.twilio.presence import Interrupted
from local.twilio.queues import Place, Queue, Taken
from local.twilio.twiml.attributes import own_text, source, whole
from local.twilio.twiml.document import Source, TwimlError
from local.twilio.twiml.places import QUEUE_END, QUEUE_WAIT, Exit
from local.twilio.twiml.waiting import HOLD_MUSIC, rounds
from local.twilio.webhooks import HookError


async def enqueue(line: Leg, element: ET.Element) -> Exit | None:
    """Wait in the queue; the action, where there is one, is told how that ended, else the next verb comes."""
    queue = line.network.queues.made(own_text(element))
    queue.max_size = whole(element, "maxQueueSize", default=queue.max_size)
    target = source(element, "action", base=line.url)
    if queue.full:
        return _on(target, {"QueueResult": "queue-full"})
    place = queue.enter(line)
    line.did("queued", queue.name)
    result = "system-error"
    try:
        result = await _stay(line, queue, place, _music(line, element))
    except Interrupted as interrupted:
        queue.leave(place)
        if interrupted.to is None:
            line.finish()
        await line.report(target, **_told(queue, place, _broken_off(place, redirected=interrupted.to is not None)))
        raise
    finally:
        queue.leave(place)
        place.gone = True
        line.nudge()
        line.network.touch()
    return _on(target, _told(queue, place, result))


async def _stay(line: Leg, queue: Queue, place: Place, music: Source | None) -> str:
    try:
        exit_ = await rounds(line, music, QUEUE_WAIT, verb="Enqueue", told=lambda: queue.position(place))
    except Taken as taken:
        return await _meet(line, queue, place, taken)
    except (HookError, TwimlError) as exc:
        line.note(exc.code, str(exc), music.url if music is not None else None)
        return "error"
    if not exit_.leaves:
        raise Interrupted(None)
    return "leave"


async def _meet(line: Leg, queue: Queue, place: Place, taken: Taken) -> str:
    """Hear what the one says who takes this caller, and be in a conversation with them."""
    if taken.url is not None:
        fields = {"QueueSid": queue.sid, "QueueTime": str(place.seconds), "DequeingCallSid": taken.by}
        try:
            await line.play(msgspec.structs.replace(taken.url, fields=tuple(fields.items())), QUEUE_END)
        except (HookError, TwimlError) as exc:
            line.note(exc.code, str(exc), taken.url.url)
    place.bridged = True
    await line.lend()
    return "bridged"


def _music(line: Leg, element: ET.Element) -> Source | None:
    if element.get("waitUrl") is None:
        return HOLD_MUSIC
    return source(element, "waitUrl", base=line.url, method_name="waitUrlMethod")


def _broken_off(place: Place, *, redirected: bool) -> str:
    if redirected:
        return "redirected-from-bridged" if place.bridged else "redirected"
    return "bridged" if place.bridged else "hangup"


def _told(queue: Queue, place: Place, result: str) -> dict[str, str]:
    return {"QueueResult": result, "QueueSid": queue.sid, "QueueTime": str(place.seconds)}


def _on(target: Source | None, fields: dict[str, str]) -> Exit | None:
    return None if target is None else Exit(to=msgspec.structs.replace(target, fields=tuple(fields.items())))
