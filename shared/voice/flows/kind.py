"""A kind of step: everything that the other modules need to know of it. Pure.

Each module of `kinds` defines one as `KIND`: its table in the file, its action, and functions that read the table,
write the TwiML, and continue after Twilio's next request. No other module names a kind.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from shared.voice.flows import fields
from shared.voice.flows.context import TurnContext
from shared.voice.flows.model import Action
from shared.voice.flows.step_reader import StepReader
from shared.voice.flows.turn import Turn

Shape = Literal["action", "decision", "connection", "end"]
"""of a step in a diagram"""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One step that may come next: the keys in the file that name it, and its name; None ends the call."""

    keys: tuple[str, ...]
    to: str | None
    at_once: bool = False
    """whether the call may go there without any sound and without any delay"""
    instead: str | None = None
    """the key that names the step where the file has no such key"""

    @property
    def label(self) -> str:
        """The label of the arrow in a diagram."""
        return self.keys[-1]


@dataclass(frozen=True, slots=True)
class OtherFlow:
    """A flow that a step continues with, and the step there; None is the start of that flow."""

    flow: str
    step: str | None


def _nothing_follows(_: Action) -> Iterable[NextStep]:
    return ()


def _same_flow(_: Action) -> OtherFlow | None:
    return None


# A deploy may change the kind of a step during a call: Twilio then asks for what the old kind announced. Every kind
# answers each of these requests, these four by default.


def _enter_again(context: TurnContext, _: Action, turn: Turn) -> Turn | None:
    return context.go(turn.step)


def _leave_the_queue(context: TurnContext, _: Action, __: Turn) -> None:
    context.response.leave()


def _connect(_: TurnContext, __: Action, ___: Turn) -> None:
    """Leave the document empty: Twilio connects the two calls."""


def _screen(context: TurnContext, _: Action, turn: Turn) -> None:
    """Connect a callee who pressed a key; hang up on any other."""
    accepted = bool(turn.form.get("Digits"))
    context.tell(f"screen-{turn.index}", screen="accepted" if accepted else "declined", target=turn.index)
    if not accepted:
        context.response.hangup()


T = TypeVar("T", bound=fields.Step)
A = TypeVar("A", bound=Action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[T, A]):
    """One kind of step. Functions that return a turn continue with it in the same document.

    None ends the document: Twilio makes the next request, or the call is over.
    """

    name: str
    """the key that names the kind in a step's table"""
    table: type[T]
    action: type[A]
    read: Callable[[StepReader, T], A]
    next_steps: Callable[[A], Iterable[NextStep]] = _nothing_follows
    """every next step within the flow; two of them may lead to the same step"""
    other_flow: Callable[[A], OtherFlow | None] = _same_flow
    enter: Callable[[TurnContext, A, Turn], Turn | None]
    """add the verbs of the step"""
    resume: Callable[[TurnContext, A, Turn], Turn | None] = _enter_again
    """answer the request for the verb's `action` URL"""
    wait: Callable[[TurnContext, A, Turn], None] = _leave_the_queue
    """answer the request for a queue's `waitUrl`"""
    whisper: Callable[[TurnContext, A, Turn], None] = _connect
    """answer the request for the `url` of a callee, before the two calls are connected"""
    screen: Callable[[TurnContext, A, Turn], None] = _screen
    """answer the key of a callee who was asked for one"""
    form_fields: tuple[str, ...] = ()
    """the fields of Twilio's requests that these functions read"""
    shape: Shape = "action"
    shown_keys: tuple[str, ...] = ("say", "play")
    """the keys whose values a diagram shows, where the value of the step is a table"""
    asks_nobody: bool = False
    """whether the call goes on without an answer of anybody"""
    is_silent: bool = False
    """whether the caller hears nothing, and Twilio does not answer the call for it"""
    only_unanswered: bool = False
    """whether the step works only before the call is answered"""
    after_hangup: bool = False
    """whether the steps after it are done for a caller who hung up"""
    takes_input: bool = False
    """whether texts may use its answer as `input.STEP`"""
    needs_hours: bool = False
    """whether it needs the flow's [hours]"""
