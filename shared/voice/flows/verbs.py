"""Coming to a step: its verbs, added to the document. Pure.

Each function here takes the scene, what the step does and the turn that comes to it, and returns the turn that goes on
in the same document; None is the document's end, where Twilio asks again or the call is over.
https://www.twilio.com/docs/voice/twiml
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.text.numbers import E164, cleaned
from shared.text.tolls import Countries, NotAllowed, check_recipient
from shared.voice.flows import model
from shared.voice.flows.connecting import dial, take
from shared.voice.flows.hours import day_of
from shared.voice.flows.scene import Scene, written
from shared.voice.flows.texts import CALLER, INPUT
from shared.voice.flows.turn import TextToSend, Turn
from shared.voice.flows.urls import callback_url
from shared.voice.twiml import writable

Verb = Callable[[Scene, Any, Turn], Turn | None]


def say(scene: Scene, action: model.Say, _turn: Turn) -> Turn | None:
    """Say or play: https://www.twilio.com/docs/voice/twiml/say."""
    scene.speak(scene.response, action.speech)
    return scene.go(action.next)


def pause(scene: Scene, action: model.Pause, _turn: Turn) -> Turn | None:
    """Wait: https://www.twilio.com/docs/voice/twiml/pause."""
    scene.response.pause(length=action.seconds)
    return scene.go(action.next)


def choose(scene: Scene, action: model.Choose, _turn: Turn) -> Turn | None:
    """Go by the hours; nothing is heard."""
    day: model.Day = day_of(scene.flow.hours, scene.world.now) if scene.flow.hours is not None else "open"
    return scene.go(action.ways.get(day) or action.ways.get("closed"))


def gather(scene: Scene, action: model.Gather, turn: Turn) -> Turn | None:
    """Ask; without any input Twilio goes on with the Redirect: https://www.twilio.com/docs/voice/twiml/gather."""
    asked = scene.response.gather(
        input="dtmf speech" if action.speech else "dtmf",
        action=scene.url("done", tries=turn.tries),
        timeout=action.timeout,
        finish_on_key=action.finish_on_key,
        num_digits=action.digits,
        hints=writable(",".join(action.hints)) if action.speech and action.hints else None,
        language=written(action.prompt.language) if action.speech else None,
    )
    scene.speak(asked, action.prompt)
    scene.response.redirect(scene.url("done", tries=turn.tries))
    return None


def enqueue(scene: Scene, action: model.Queue, _turn: Turn) -> Turn | None:
    """Wait in a queue: https://www.twilio.com/docs/voice/twiml/enqueue."""
    ours = action.wait or action.music or action.leave_key or action.max_wait_seconds
    scene.response.enqueue(
        writable(action.name),
        action=scene.url("done"),
        max_queue_size=action.max_size,
        # without one, Twilio's own music
        wait_url=scene.url("wait") if ours else None,
    )
    return None


def record(scene: Scene, action: model.Record, _turn: Turn) -> Turn | None:
    """Record; after nothing but silence comes the Redirect: https://www.twilio.com/docs/voice/twiml/record."""
    base_url, delivery = scene.world.base_url, scene.call.delivery_id
    scene.speak(scene.response, action.prompt)
    transcription = callback_url(base_url, "voice/transcription", delivery=delivery)
    scene.response.record(
        action=scene.url("done"),
        timeout=action.silence,
        finish_on_key=action.finish_on_key,
        max_length=action.max_seconds,
        play_beep=action.beep,
        transcribe=action.transcribe or None,
        transcribe_callback=transcription if action.transcribe else None,
        recording_status_callback=callback_url(base_url, "voice/recording", delivery=delivery),
    )
    scene.response.redirect(scene.url("done"))
    return None


def message(scene: Scene, action: model.Message, _turn: Turn) -> Turn | None:
    """Text somebody; if the text can't be sent, the call goes on without it."""
    to = scene.write(action.to, what="the number") if action.to is not None else scene.call.other_end
    to, body = cleaned(to), scene.write(action.body, what="the text")
    problem = _not_texted(to, scene.world.allowed_countries)
    if problem is not None:
        scene.tell("problem-to", problem=f"nobody was texted: {problem}")
    elif not body:
        scene.tell("problem-body", problem="expected a text to send, got none")
    else:
        told = {"flow": scene.flow.name, "step": scene.step.name}
        is_capped = _caller_chose(scene, action)
        scene.texts.append(TextToSend(key=scene.key("text"), to=to, body=body, is_capped=is_capped, told=told))
    return scene.go(action.next)


def _caller_chose(scene: Scene, action: model.Message) -> bool:
    """On a call of ours, `caller` is our own number and the other end is the request's `to`."""
    names = {CALLER} if action.to is None else action.to.names.keys()
    return INPUT in names or (CALLER in names and not scene.call.outbound)


def _not_texted(to: str, allowed: Countries) -> str | None:
    if not E164.fullmatch(to):
        return "expected a number in E.164, got another text"
    try:
        check_recipient(to, allowed)
    except NotAllowed as exc:
        return str(exc)
    return None


def redirect(scene: Scene, action: model.Redirect, _turn: Turn) -> Turn | None:
    """Leave to another flow, whose texts know nothing of the inputs here, or to TwiML somewhere else."""
    if action.url is not None:
        scene.response.redirect(writable(action.url), method=action.method if action.method != "POST" else None)
        return None
    if action.flow is None or action.flow == scene.flow.name:
        return scene.go(action.step or scene.flow.start)
    step = action.step or scene.world.starts.get(action.flow)
    if step is None:
        scene.tell("problem-flow", problem="expected a flow that is there, got another")
        return scene.go(None)
    scene.inputs.clear()
    scene.response.redirect(scene.url_of(scene.later(step=step), flow=action.flow))
    return None


def reject(scene: Scene, action: model.Reject, _turn: Turn) -> Turn | None:
    """Turn the call down; once it is answered, only hanging up is left: https://www.twilio.com/docs/voice/twiml/reject."""
    if scene.response.verbs or scene.turn.count or scene.turn.again or scene.call.outbound:
        return scene.go(None)
    scene.response.reject(reason=action.reason)
    return None


def hang_up(scene: Scene, action: model.Hangup, _turn: Turn) -> Turn | None:
    """End the call, with a last word: https://www.twilio.com/docs/voice/twiml/hangup."""
    scene.speak(scene.response, action.say)
    return scene.go(None)


VERBS: Final[Mapping[type, Verb]] = MappingProxyType(
    {
        model.Say: say,
        model.Pause: pause,
        model.Choose: choose,
        model.Gather: gather,
        model.Dial: dial,
        model.Queue: enqueue,
        model.Take: take,
        model.Record: record,
        model.Message: message,
        model.Redirect: redirect,
        model.Reject: reject,
        model.Hangup: hang_up,
    }
)
