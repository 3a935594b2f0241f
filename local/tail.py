"""Prints the events of deliveries as they are recorded: `dev.py tail`.

It watches through the HTTP API, and costs the functions a search a second: it is made for a laptop.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from local.asking import AskingError, Functions, ask, read_answer
from local.follow import Event, describe
from local.search import find
from local.show import path_of

POLL_SECONDS: Final = 1.0
WATCHED: Final = 200
BEFORE: Final = timedelta(minutes=10)


class _State(msgspec.Struct, frozen=True):
    id: str


class Timeline(msgspec.Struct, frozen=True):
    """The events of a delivery; each is the JSON as it came, which tells it from the others."""

    id: str
    events: tuple[msgspec.Raw, ...]


@dataclass(slots=True)
class Watch:
    """The newest deliveries of a search, as they were at the last look."""

    functions: Functions
    wanted: Mapping[str, Any]
    states: dict[str, bytes] = field(default_factory=dict)
    events: dict[str, frozenset[bytes]] = field(default_factory=dict)

    def look(self) -> Iterator[tuple[str, bytes]]:
        """Yield each event that is new since the last look, with the id of its delivery. Raises AskingError."""
        found = find(self.wanted, limit=WATCHED, functions=self.functions).deliveries
        states = {read_answer(self.functions, state, _State, what="delivery").id: state for state in found}
        for forgotten in self.states.keys() - states.keys():
            del self.states[forgotten], self.events[forgotten]
        for delivery_id in reversed(states):  # the oldest first
            if self.states.get(delivery_id) != states[delivery_id]:
                answer = ask(self.functions, path_of(delivery_id))
                events = tuple(map(bytes, read_answer(self.functions, answer, Timeline, what="delivery").events))
                yield from ((delivery_id, event) for event in events if event not in self._seen(delivery_id))
                self.events[delivery_id] = frozenset(events)
                self.states[delivery_id] = states[delivery_id]

    def _seen(self, delivery_id: str) -> frozenset[bytes]:
        return self.events.get(delivery_id, frozenset())


def tail(
    wanted: Mapping[str, Any],
    *,
    functions: Functions,
    as_json: bool,
    pause: Callable[[], None] = lambda: time.sleep(POLL_SECONDS),
) -> int:
    """Print each event that is recorded from now on, until Ctrl-C. Raises LocalError.

    Watches the newest deliveries that `wanted` finds, by default those of the last minutes. An event that changes
    nothing of its delivery, such as a status callback that comes late, is printed with the next change. Functions that
    stop to answer are asked again; ones that do not answer at first are an error.
    """
    since = {"since": (datetime.now(UTC) - BEFORE).isoformat()}
    watch = Watch(functions, {**since, **wanted})
    for _ in watch.look():
        pass
    print("Watching: Ctrl-C stops.", file=sys.stderr, flush=True)
    is_answered = True
    while True:
        pause()
        try:
            for delivery_id, event in watch.look():
                print(_line(functions, delivery_id, event, as_json=as_json), flush=True)
            is_answered = True
        except AskingError as fault:
            if is_answered:
                print(f"{fault} Trying again.", file=sys.stderr, flush=True)
            is_answered = False


def _line(functions: Functions, delivery_id: str, event: bytes, *, as_json: bool) -> str:
    if as_json:
        return json.dumps({"id": delivery_id, "event": json.loads(event)})
    return describe(delivery_id, read_answer(functions, event, Event, what="event"))
