"""Hooks for proxies: one that keeps what it saw, and does what a test tells it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from local.faults import PASS, Action, Seen


@dataclass(slots=True)
class Recorder:
    """Passes everything on but what was planned: the next actions before, and after, an operation."""

    seen: list[Seen] = field(default_factory=list)
    answered: list[tuple[str, int]] = field(default_factory=list)
    planned_before: dict[str, deque[Action]] = field(default_factory=dict)
    planned_after: dict[str, deque[Action]] = field(default_factory=dict)

    @property
    def operations(self) -> list[str]:
        return [seen.operation for seen in self.seen]

    def do_before(self, operation: str, *actions: Action) -> None:
        self.planned_before[operation] = deque(actions)

    def do_after(self, operation: str, *actions: Action) -> None:
        self.planned_after[operation] = deque(actions)

    async def before(self, request: Seen) -> Action:
        self.seen.append(request)
        return _next(self.planned_before, request)

    async def after(self, request: Seen, status: int) -> Action:
        self.answered.append((request.operation, status))
        return _next(self.planned_after, request)


@dataclass(slots=True)
class Faulty:
    """Raises something from its one hook or the other."""

    fault: Callable[[], Exception]
    on: str

    async def before(self, _request: Seen) -> Action:
        if self.on == "before":
            raise self.fault()
        return PASS

    async def after(self, _request: Seen, _status: int) -> Action:
        raise self.fault()


def _next(planned: dict[str, deque[Action]], request: Seen) -> Action:
    actions = planned.get(request.operation)
    return actions.popleft() if actions else PASS
