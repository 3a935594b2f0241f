"""The walk: one turn of a call through its flow. Pure.

There is no session: what a call brought along stands in the URL of its next webhook. A turn begins where that says, and
goes on from step to step in one document until Twilio has to ask, or the call ends.
"""

from typing import Final, assert_never

from shared.voice.flows.apologies import gone
from shared.voice.flows.context import TurnContext
from shared.voice.flows.model import Flow
from shared.voice.flows.registry import kind_of
from shared.voice.flows.turn import Call, Happened, Turn, Walked, World

MOST_STEPS: Final = 20
"""in one document; then Twilio asks for the next one, so that no flow holds a turn for ever"""
MOST_TURNS: Final = 300
"""of a call: a loop that nobody leaves ends there"""
_OVER: Final = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""https://www.twilio.com/docs/voice/api/call-resource#call-status-values"""
_ROOM: Final = 16_000
"""bytes after which no step begins: one adds two speeches of 20,500 at most, and Twilio takes 64 kB (error 11750)"""


def walk(flow: Flow, call: Call, turn: Turn, world: World) -> Walked:
    """Walk one turn.

    The same turn gives the same keys, so that a webhook may come twice; only the document can be another one, as the
    hours go on. Nothing is raised because of what a caller, Twilio or a request brings: what can't be said or dialled
    is left out, and stands as a `problem` among what happened.
    """
    if turn.step not in flow.steps:
        what = {"flow": flow.name, "step": turn.step, "problem": "expected a step of this flow, got another"}
        return Walked(twiml=gone(), happened=(Happened(key=f"{turn.count}.0-gone", what=what),))
    context = TurnContext(
        flow=flow, call=call, turn=turn, world=world, step=flow.steps[turn.step], inputs=dict(turn.inputs)
    )
    kind, action = kind_of(context.step.action), context.step.action
    match turn.part:
        case "wait":
            kind.wait(context, action, turn)
        case "whisper":
            kind.whisper(context, action, turn)
        case "screen":
            kind.screen(context, action, turn)
        case "enter" | "done":
            if turn.count >= MOST_TURNS:
                context.tell("problem-turns", problem=f"expected a call to end within {MOST_TURNS} turns: it is ended")
                return Walked(twiml=gone(), happened=tuple(context.happened))
            _continue(context, _begin(context, turn))
        case _:
            assert_never(turn.part)
    return Walked(twiml=str(context.response), happened=tuple(context.happened), texts=tuple(context.texts))


def _begin(context: TurnContext, turn: Turn) -> Turn | None:
    """Return the first turn of the document; None ends it."""
    if turn.part == "done":
        return kind_of(context.step.action).resume(context, context.step.action, turn)
    return turn if turn.count else _by_who_answered(context, turn)


def _by_who_answered(context: TurnContext, turn: Turn) -> Turn | None:
    """https://www.twilio.com/docs/voice/answering-machine-detection: it is told before the first document."""
    answered_by = turn.form.get("AnsweredBy", "")
    if answered_by:
        context.tell("answered-by", answered_by=answered_by)
    if answered_by == "fax":
        return context.go(None)
    return context.go(context.flow.machine) if answered_by.startswith("machine") and context.flow.machine else turn


def _continue(context: TurnContext, turn: Turn | None) -> None:
    first = context.flow.steps[context.turn.step].action
    if context.turn.form.get("CallStatus") in _OVER and not kind_of(first).after_hangup:
        context.response.hangup()
        return
    while turn is not None:
        if context.entered >= MOST_STEPS or (context.entered and len(str(context.response).encode()) > _ROOM):
            context.response.redirect(context.url_of(turn))
            return
        turn = _enter(context, turn)


def _enter(context: TurnContext, turn: Turn) -> Turn | None:
    context.step = context.flow.steps[turn.step]
    context.entered += 1
    if context.step.event is not None and not turn.tries and not turn.index:
        context.tell("event", event=context.step.event)
    return kind_of(context.step.action).enter(context, context.step.action, turn)
