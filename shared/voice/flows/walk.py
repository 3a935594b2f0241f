"""The walk: one turn of a call through its flow. Pure.

There is no session: what a call brought along stands in the URL of its next webhook. A turn begins where that says, and
goes on from step to step in one document until Twilio has to ask, or the call ends.
"""

from typing import Final

from shared.voice.flows.apologies import gone
from shared.voice.flows.aside import screen, wait, whisper
from shared.voice.flows.model import Flow, Record
from shared.voice.flows.outcomes import OUTCOMES
from shared.voice.flows.scene import Scene
from shared.voice.flows.turn import Call, Happened, Turn, Walked, World
from shared.voice.flows.verbs import VERBS

MOST_STEPS: Final = 20
"""in one document; then Twilio asks for the next one, so that no flow holds a turn for ever"""
MOST_TURNS: Final = 300
"""of a call: a loop that nobody leaves ends there"""
_OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""
_ROOM: Final = 16_000
"""bytes after which no step begins: one adds two speeches of 20,500 at most, and Twilio takes 64 kB (error 11750)"""
_ASIDE: Final = {"wait": wait, "whisper": whisper, "screen": screen}


def walk(flow: Flow, call: Call, turn: Turn, world: World) -> Walked:
    """Walk one turn.

    The same turn gives the same keys, so that a webhook may come twice; only the document can be another one, as the
    hours go on. Nothing is raised because of what a caller, Twilio or a request brings: what can't be said or dialled
    is left out, and stands as a `problem` among what happened.
    """
    if turn.step not in flow.steps:
        what = {"flow": flow.name, "step": turn.step, "problem": "expected a step of this flow, got another"}
        return Walked(twiml=gone(), happened=(Happened(key=f"{turn.count}.0-gone", what=what),))
    scene = Scene(flow=flow, call=call, turn=turn, world=world, step=flow.steps[turn.step], inputs=dict(turn.inputs))
    if turn.part in _ASIDE:
        _ASIDE[turn.part](scene, turn)
    elif turn.count >= MOST_TURNS:
        scene.tell("problem-turns", problem=f"expected a call to end within {MOST_TURNS} turns: it is ended")
        return Walked(twiml=gone(), happened=tuple(scene.happened))
    else:
        _go_on(scene, _begin(scene, turn))
    return Walked(twiml=str(scene.response), happened=tuple(scene.happened), texts=tuple(scene.texts))


def _begin(scene: Scene, turn: Turn) -> Turn | None:
    """Where the turn goes first; after a deploy a step may be another than the one that Twilio answers."""
    if turn.part == "done":
        outcome = OUTCOMES.get(type(scene.step.action))
        return outcome(scene, scene.step.action, turn) if outcome is not None else scene.go(turn.step)
    return turn if turn.count else _by_who_answered(scene, turn)


def _by_who_answered(scene: Scene, turn: Turn) -> Turn | None:
    """https://www.twilio.com/docs/voice/answering-machine-detection: it is told before the first document."""
    answered_by = turn.form.get("AnsweredBy", "")
    if answered_by:
        scene.tell("answered-by", answered_by=answered_by)
    if answered_by == "fax":
        return scene.go(None)
    return scene.go(scene.flow.machine) if answered_by.startswith("machine") and scene.flow.machine else turn


def _go_on(scene: Scene, turn: Turn | None) -> None:
    if scene.turn.form.get("CallStatus") in _OVER and not isinstance(scene.flow.steps[scene.turn.step].action, Record):
        # whoever hung up while it rang elsewhere goes nowhere; after a recording, what it leads to is still done
        scene.response.hangup()
        return
    while turn is not None:
        if scene.place >= MOST_STEPS or (scene.place and len(str(scene.response).encode()) > _ROOM):
            scene.response.redirect(scene.url_of(turn))
            return
        turn = _enter(scene, turn)


def _enter(scene: Scene, turn: Turn) -> Turn | None:
    scene.step = scene.flow.steps[turn.step]
    scene.place += 1
    if scene.step.event is not None and not turn.tries and not turn.index:
        scene.tell("event", event=scene.step.event)
    return VERBS[type(scene.step.action)](scene, scene.step.action, turn)
