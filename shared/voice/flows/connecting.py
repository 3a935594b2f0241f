"""Dial: whom, in which order, what they hear before, and for how long at most. Pure.

https://www.twilio.com/docs/voice/twiml/dial
"""

from typing import Any, Final

from shared.text.numbers import E164
from shared.voice.clients import add_client
from shared.voice.flows import model
from shared.voice.flows.scene import Scene, written
from shared.voice.flows.targets import Address, MayNotDial, address
from shared.voice.flows.turn import Turn
from shared.voice.flows.urls import callback_url
from shared.voice.twiml import writable

TAKE_SECONDS: Final = 5
"""how long an agent waits for somebody to come to an empty queue"""


def dial(scene: Scene, action: model.Dial, turn: Turn) -> Turn | None:
    """Dial all targets at once, or the next one that may be dialled; where there is none, that is a failure."""
    reached = _reached(scene, action, turn.index)
    if not reached:
        return scene.go(action.ways["failed"])
    recorded = action.record and not any(each.kind == "conference" for _, each in reached)
    verb = scene.response.dial(
        action=scene.url("done", index=reached[-1][0]),
        timeout=action.timeout,
        time_limit=min(action.time_limit or scene.world.max_call_seconds, scene.world.max_call_seconds),
        caller_id=_caller_id(scene, action) if any(each.is_person for _, each in reached) else None,
        record="record-from-answer-dual" if recorded else None,
        recording_status_callback=_recording_url(scene) if recorded else None,
    )
    for index, each in reached:
        _add(scene, verb, action, index, each)
    return None


def take(scene: Scene, action: model.Take, _turn: Turn) -> Turn | None:
    """Connect with the next caller of a queue: https://www.twilio.com/docs/voice/twiml/queue."""
    verb = scene.response.dial(action=scene.url("done"), timeout=TAKE_SECONDS, time_limit=scene.world.max_call_seconds)
    verb.queue(writable(action.queue), url=scene.url("whisper") if action.whisper is not None else None)
    return None


def _reached(scene: Scene, action: model.Dial, first: int) -> list[tuple[int, Address]]:
    """Whom this Dial calls, with their places in the list; who may not be dialled goes on record."""
    reached: list[tuple[int, Address]] = []
    for index, target in enumerate(action.targets):
        if index < first or (reached and not action.together):
            continue
        try:
            name = scene.write(target.name, what="whom to dial")
            reached.append((index, address(target, name, scene.world.allowed_countries)))
        except MayNotDial as exc:
            scene.tell(f"dial-{index}", dial="failed", target=index, problem=f"nobody was dialled: {exc}")
    return reached


def _caller_id(scene: Scene, action: model.Dial) -> str | None:
    """Twilio's default is the caller's own `From`, which has to be a number, and of our own calls is the callee's."""
    if action.caller_id is not None:
        return writable(action.caller_id)
    number = bool(E164.fullmatch(scene.call.caller))
    if scene.call.outbound and number:
        return scene.call.caller
    return None if number else scene.world.default_from


def _add(scene: Scene, verb: Any, action: model.Dial, index: int, each: Address) -> None:  # noqa: ANN401 - untyped library
    heard = action.whisper is not None or ((action.screen or action.may_press) and each.is_person)
    url = scene.url("whisper", index=index) if heard else None
    if each.kind == "number":
        verb.number(each.name, url=url)
    elif each.kind == "client":
        add_client(verb, each.name, caller=scene.call.caller, delivery=scene.call.delivery_id, url=url)
    elif each.kind == "sip":
        verb.sip(each.name, url=url)
    elif each.kind == "queue":
        verb.queue(each.name, url=url)
    else:
        _add_conference(scene, verb, action, each)


def _add_conference(scene: Scene, verb: Any, action: model.Dial, each: Address) -> None:  # noqa: ANN401 - untyped library
    """https://www.twilio.com/docs/voice/twiml/conference: it is recorded by its own attribute, not by Dial's."""
    how = action.conference or model.Conference()
    verb.conference(
        each.name,
        start_conference_on_enter=how.moderator,
        end_conference_on_exit=how.moderator and how.ends,
        muted=how.muted,
        wait_url=written(how.music),
        wait_method="GET" if how.music is not None else None,
        record="record-from-start" if action.record else None,
        recording_status_callback=_recording_url(scene) if action.record else None,
    )


def _recording_url(scene: Scene) -> str:
    return callback_url(scene.world.base_url, "voice/recording", delivery=scene.call.delivery_id)
