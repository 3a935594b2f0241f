"""The TwiML of a step that dials: the callees, the caller id, the recording and the time limit. Pure.

https://www.twilio.com/docs/voice/twiml/dial
"""

from typing import Any

from shared.text.numbers import E164
from shared.voice.clients import add_client
from shared.voice.flows.context import TurnContext, written
from shared.voice.flows.kinds.dial.step import Conference, Dial
from shared.voice.flows.targets import Address, MayNotDial, address
from shared.voice.flows.turn import Turn
from shared.voice.flows.urls import callback_url
from shared.voice.twiml import writable


def enter(context: TurnContext, action: Dial, turn: Turn) -> Turn | None:
    """Dial all targets at once, or the next target that may be dialled; without any, the dial has failed."""
    callees = _callees(context, action, turn.index)
    if not callees:
        return context.go(action.branches["failed"])
    recorded = action.record and not any(each.kind == "conference" for _, each in callees)
    verb = context.response.dial(
        action=context.url("done", index=callees[-1][0]),
        timeout=action.timeout,
        time_limit=min(action.time_limit or context.world.max_call_seconds, context.world.max_call_seconds),
        caller_id=_caller_id(context, action) if any(each.is_person for _, each in callees) else None,
        record="record-from-answer-dual" if recorded else None,
        recording_status_callback=_recording_url(context) if recorded else None,
    )
    for index, each in callees:
        _add(context, verb, action, index, each)
    return None


def _callees(context: TurnContext, action: Dial, first: int) -> list[tuple[int, Address]]:
    """Return the addresses of this Dial with their index in the list; a refused target is an event."""
    callees: list[tuple[int, Address]] = []
    for index, target in enumerate(action.targets):
        if index < first or (callees and not action.together):
            continue
        try:
            name = context.write(target.name, what="whom to dial")
            callees.append((index, address(target, name, context.world.allowed_countries)))
        except MayNotDial as exc:
            context.tell(f"dial-{index}", dial="failed", target=index, problem=f"nobody was dialled: {exc}")
    return callees


def _caller_id(context: TurnContext, action: Dial) -> str | None:
    """Twilio's default is the `From` of the call: on an outbound call that is the callee, and it may be no number."""
    if action.caller_id is not None:
        return writable(action.caller_id)
    number = bool(E164.fullmatch(context.call.caller))
    if context.call.outbound and number:
        return context.call.caller
    return None if number else context.world.default_from


def _add(context: TurnContext, verb: Any, action: Dial, index: int, each: Address) -> None:  # noqa: ANN401 - untyped library
    whispers = action.whisper is not None or ((action.screen or action.may_press) and each.is_person)
    url = context.url("whisper", index=index) if whispers else None
    if each.kind == "number":
        verb.number(each.name, url=url)
    elif each.kind == "client":
        add_client(verb, each.name, caller=context.call.caller, delivery=context.call.delivery_id, url=url)
    elif each.kind == "sip":
        verb.sip(each.name, url=url)
    elif each.kind == "queue":
        verb.queue(each.name, url=url)
    else:
        _add_conference(context, verb, action, each)


def _add_conference(context: TurnContext, verb: Any, action: Dial, each: Address) -> None:  # noqa: ANN401 - untyped library
    """https://www.twilio.com/docs/voice/twiml/conference: it is recorded by its own attribute, not by Dial's."""
    conference = action.conference or Conference()
    verb.conference(
        each.name,
        start_conference_on_enter=conference.moderator,
        end_conference_on_exit=conference.moderator and conference.ends,
        muted=conference.muted,
        wait_url=written(conference.music),
        wait_method="GET" if conference.music is not None else None,
        record="record-from-start" if action.record else None,
        recording_status_callback=_recording_url(context) if action.record else None,
    )


def _recording_url(context: TurnContext) -> str:
    return callback_url(context.world.base_url, "voice/recording", delivery=context.call.delivery_id)
