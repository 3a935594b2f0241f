"""After a callee answered, or nobody did: the whisper, the key of the callee, and the next step. Pure."""

from collections.abc import Mapping
from typing import Final

from shared.voice.flows.context import TurnContext
from shared.voice.flows.dial_status import ANSWERED, dial_facts, dial_status
from shared.voice.flows.kinds.dial.step import Dial
from shared.voice.flows.turn import Turn

SCREENING: Final = "There is a call for you. To take it, press any key."
_SCREEN_SECONDS: Final = 8
_PRESS_SECONDS: Final = 5


def whisper(context: TurnContext, action: Dial, turn: Turn) -> None:
    """Tell the callee about the call, and ask for a key where the step has `screen`; an empty document connects.

    https://www.twilio.com/docs/voice/twiml/number
    """
    if not ((action.screen or action.may_press) and _is_person(action, turn.index)):
        context.speak(context.response, action.whisper)
        return
    asked = context.response.gather(
        num_digits=1,
        finish_on_key="",
        timeout=_SCREEN_SECONDS if action.screen else _PRESS_SECONDS,
        action=context.url("screen", index=turn.index),
    )
    context.speak(asked, action.whisper)
    if not asked.verbs:
        asked.say(SCREENING)
    if action.screen:
        context.response.hangup()


def _is_person(action: Dial, index: int) -> bool:
    return index < len(action.targets) and action.targets[index].kind not in {"queue", "conference"}


def resume(context: TurnContext, action: Dial, turn: Turn) -> Turn | None:
    """Continue by DialCallStatus; unless somebody answered, dial the next target first."""
    status = _status(action, turn.form)
    context.tell("dial", dial=status, target=turn.index, **dial_facts(turn.form))
    if status in ANSWERED:
        return context.go(action.answered)
    if not action.together and turn.index + 1 < len(action.targets):
        return context.later(index=turn.index + 1)
    return context.go(action.branches.get(status) or action.branches["failed"])


def _status(action: Dial, form: Mapping[str, str]) -> str:
    """Twilio counts a callee as answered who hung up at the whisper: the caller did not reach them."""
    status = dial_status(form)
    whispered = action.screen or action.whisper is not None
    if status in ANSWERED and whispered and form.get("DialBridged") == "false":
        return "no-answer"
    return status
