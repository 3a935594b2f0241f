"""Where each kind of step may lead: for the checks and the diagram. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.voice.flows.model import (
    Action,
    Choose,
    Dial,
    Gather,
    Hangup,
    Message,
    Pause,
    Queue,
    Record,
    Redirect,
    Reject,
    Say,
    Take,
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way on from a step: the keys that name it in the file, and the step where it leads; None ends the call."""

    keys: tuple[str, ...]
    to: str | None
    at_once: bool = False
    """whether it can be gone without that anything was heard, or any time went by"""

    @property
    def label(self) -> str:
        """What it is called."""
        return self.keys[-1]


def ways(action: Action) -> Iterator[Way]:
    """Return every way on within the flow; several may lead to the same step."""
    match action:
        case Say() | Pause():
            yield Way(("next",), action.next)
        case Message():
            yield Way(("next",), action.next, at_once=True)
        case Choose():
            yield from (Way((day,), to, at_once=True) for day, to in action.ways.items())
        case Gather():
            yield from _of_gather(action)
        case Dial():
            yield Way(("answered",), action.answered)
            yield from (Way((outcome,), to, at_once=True) for outcome, to in action.ways.items())
        case Queue():
            yield from _of_queue(action)
        case Take():
            yield Way(("next",), action.next)
            yield Way(("empty",), action.empty)
        case Record():
            yield Way(("next",), action.next)
            yield Way(("empty",), action.empty)
        case Redirect() | Reject() | Hangup():
            return


def _of_gather(action: Gather) -> Iterator[Way]:
    yield from (Way(("on", given), to) for given, to in action.ways.items())
    if action.other is not None:
        yield Way(("other",), action.other)
    else:
        yield Way(("wrong_input",), action.wrong_input)
    yield Way(("no_input",), action.no_input)


def _of_queue(action: Queue) -> Iterator[Way]:
    yield Way(("next",), action.next)
    yield Way(("full",), action.full, at_once=True)
    if action.leave is not None:
        yield Way(("leave",), action.leave)
