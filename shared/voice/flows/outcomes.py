"""After a step: what its verb's action request tells, on record, and where the call goes then. Pure.

Each function returns the turn that goes on, as those of `verbs` do.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from shared.voice.flows import model
from shared.voice.flows.heard import LONGEST, chosen
from shared.voice.flows.scene import Scene
from shared.voice.flows.turn import Turn

Outcome = Callable[[Scene, Any, Turn], Turn | None]
_REACHED: Final = ("completed", "answered")


def gathered(scene: Scene, action: model.Gather, turn: Turn) -> Turn | None:
    """Go by what was pressed or said; ask again after no input or a wrong one, as often as the step has it."""
    digits, speech = turn.form.get("Digits", ""), turn.form.get("SpeechResult", "")
    way = chosen(action.ways, digits=digits, speech=speech) or (action.other if digits or speech else None)
    asks_again = way is None and turn.tries < action.retries
    on = way or (action.wrong_input if digits or speech else action.no_input)
    outcome = "input" if way is not None else "wrong-input" if digits or speech else "no-input"
    scene.tell(
        "input",
        outcome=outcome,
        digits=digits or None,
        speech=speech or None,
        confidence=turn.form.get("Confidence") if speech else None,
        next=scene.step.name if asks_again else on,
    )
    if way is not None and scene.step.name in scene.flow.inputs:
        scene.inputs.pop(scene.step.name, None)
        scene.inputs[scene.step.name] = (digits or speech)[:LONGEST]
    if not asks_again:
        return scene.go(on)
    if outcome == "wrong-input":
        scene.speak(scene.response, action.sorry)
    return scene.later(tries=turn.tries + 1)


def dialled(scene: Scene, action: model.Dial, turn: Turn) -> Turn | None:
    """Go by DialCallStatus; unless somebody answered, the next target has its turn first."""
    status = _dial_status(action, turn.form)
    scene.tell("dial", dial=status, target=turn.index, **_dial_facts(turn.form))
    if status in _REACHED:
        return scene.go(action.answered)
    if not action.together and turn.index + 1 < len(action.targets):
        return scene.later(index=turn.index + 1)
    return scene.go(action.ways.get(status) or action.ways["failed"])


def queued(scene: Scene, action: model.Queue, turn: Turn) -> Turn | None:
    """Go by https://www.twilio.com/docs/voice/twiml/enqueue#queueresult-values; a queue that fails is as a full one."""
    result = turn.form.get("QueueResult", "")
    scene.tell("queue", queue=action.name, result=result or None, seconds=turn.form.get("QueueTime"))
    if result in {"bridged", "redirected-from-bridged"}:
        return scene.go(action.next)
    if result in {"hangup", "redirected"}:
        return scene.go(None)
    return scene.go((action.leave if result == "leave" else None) or action.full)


def taken(scene: Scene, action: model.Take, turn: Turn) -> Turn | None:
    """Go on after the talk; anything but a talk is an empty queue."""
    status = turn.form.get("DialCallStatus", "failed")
    scene.tell("take", queue=action.queue, dial=status, **_dial_facts(turn.form))
    return scene.go(action.next if status in _REACHED else action.empty)


def recorded(scene: Scene, action: model.Record, turn: Turn) -> Turn | None:
    """Go on with a recording, also where the caller hung up after speaking: a text may still follow."""
    url, seconds = turn.form.get("RecordingUrl"), turn.form.get("RecordingDuration")
    if not url or seconds == "0":
        scene.tell("recording", recording="empty")
        return scene.go(action.empty)
    scene.tell("recording", recording_url=url, recording_sid=turn.form.get("RecordingSid"), seconds=seconds)
    return scene.go(action.next)


OUTCOMES: Final[Mapping[type, Outcome]] = MappingProxyType(
    {
        model.Gather: gathered,
        model.Dial: dialled,
        model.Queue: queued,
        model.Take: taken,
        model.Record: recorded,
    }
)


def _dial_status(action: model.Dial, form: Mapping[str, str]) -> str:
    """Who answered and did not take the call, at a whisper or the screening, was not reached."""
    status = form.get("DialCallStatus", "failed")
    heard_before = action.screen or action.whisper is not None
    if status in _REACHED and heard_before and form.get("DialBridged") == "false":
        return "no-answer"
    return status


def _dial_facts(form: Mapping[str, str]) -> dict[str, str | None]:
    return {
        "dial_sid": form.get("DialCallSid"),
        "seconds": form.get("DialCallDuration"),
        "recording_url": form.get("RecordingUrl"),
        "recording_sid": form.get("RecordingSid"),
    }
