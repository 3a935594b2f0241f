"""Documents that stand beside the walk: for who waits in a queue, and for who is about to be connected. Pure."""

from typing import Final

from shared.voice.flows import model
from shared.voice.flows.scene import Scene
from shared.voice.flows.turn import Turn, whole_number
from shared.voice.twiml import writable

HOLD_MUSIC: Final = "http://com.twilio.music.classical.s3.amazonaws.com/BusyStrings.mp3"
"""of Twilio's own; the bucket's dots fit no certificate: https://www.twilio.com/docs/voice/twiml/conference"""
SCREENING: Final = "There is a call for you. To take it, press any key."
_SCREEN_SECONDS: Final = 8
_PRESS_SECONDS: Final = 5


def wait(scene: Scene, turn: Turn) -> None:
    """Tell who waits, play music, and let them leave; Twilio asks again when it ends.

    How long somebody waited is looked at in each round, so that `max_wait_seconds` may be late by one.
    https://www.twilio.com/docs/voice/twiml/enqueue
    """
    action = scene.step.action
    if not isinstance(action, model.Queue) or _has_to_leave(action, turn):
        scene.response.leave()
        return
    if turn.form.get("Digits"):
        return  # another key: an empty document has Twilio ask again, and only that tells the place in the queue
    host = scene.response
    if action.leave_key is not None:
        host = host.gather(num_digits=1, finish_on_key="", timeout=1, action=scene.url("wait"))
    scene.speak(host, action.wait)
    host.play(writable(action.music) if action.music is not None else HOLD_MUSIC)


def whisper(scene: Scene, turn: Turn) -> None:
    """Tell who is about to be connected, and where the step has it, ask for a key: an empty document connects.

    https://www.twilio.com/docs/voice/twiml/number
    """
    action = scene.step.action
    if not isinstance(action, model.Dial | model.Take):
        return
    if not (isinstance(action, model.Dial) and _asks(action) and _is_person(action, turn.index)):
        scene.speak(scene.response, action.whisper)
        return
    asked = scene.response.gather(
        num_digits=1,
        finish_on_key="",
        timeout=_SCREEN_SECONDS if action.screen else _PRESS_SECONDS,
        action=scene.url("screen", index=turn.index),
    )
    scene.speak(asked, action.whisper)
    if not asked.verbs:
        asked.say(SCREENING)
    if action.screen:
        scene.response.hangup()


def screen(scene: Scene, turn: Turn) -> None:
    """Connect who pressed a key, and hang up on who did not."""
    accepted = bool(turn.form.get("Digits"))
    scene.tell(f"screen-{turn.index}", screen="accepted" if accepted else "declined", target=turn.index)
    if not accepted:
        scene.response.hangup()


def _has_to_leave(action: model.Queue, turn: Turn) -> bool:
    if action.leave_key is not None and turn.form.get("Digits") == action.leave_key:
        return True
    waited = whole_number(turn.form.get("QueueTime")) or 0
    return action.max_wait_seconds is not None and waited >= action.max_wait_seconds


def _asks(action: model.Dial) -> bool:
    return action.screen or action.may_press


def _is_person(action: model.Dial, index: int) -> bool:
    return index < len(action.targets) and action.targets[index].kind not in {"queue", "conference"}
