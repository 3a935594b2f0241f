"""The points at which a run can be ended: the calls that it makes, found by recording one run."""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from local.faults import PASS, Action, Do, Seen

Act = Callable[[], Awaitable[None]]
OWN_QUEUE = re.compile(r"\bq-[0-9a-f]{12}")
"""each scene has a queue of its own, and what happens to it has the same name in all of them"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a run: what it does, and the how-manieth it is to do so; calls made at once have no order."""

    operation: str
    nth: int
    alone: bool = field(default=True, compare=False)
    """whether nothing else was under way when it began"""

    def __str__(self) -> str:
        return f"{self.operation} #{self.nth}"


@dataclass(frozen=True, slots=True)
class Point:
    """A moment of a run: before a call reaches the service, or after it took effect there and before its answer."""

    call: Call
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.call}"


@dataclass(slots=True)
class Recorder:
    """A hook that passes everything on, and keeps which calls were made."""

    calls: list[Call] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _underway: dict[int, Call] = field(default_factory=dict)

    async def before(self, request: Seen) -> Action:
        """Name the call."""
        operation = OWN_QUEUE.sub("outbound", request.operation)
        self._counts[operation] += 1
        call = Call(operation, self._counts[operation], alone=not self._underway)
        self._underway[id(request)] = call
        self.calls.append(call)
        return await self.at(Point(call, after=False))

    async def after(self, request: Seen, status: int) -> Action:  # noqa: ARG002 - the proxy's interface
        """Find its name again."""
        return await self.at(Point(self._underway.pop(id(request)), after=True))

    async def at(self, point: Point) -> Action:  # noqa: ARG002 - what others do here
        """Say what happens at a point."""
        return PASS


@dataclass(slots=True)
class Crash(Recorder):
    """Does something at a point, once, such as killing the host; `met` says whether the run came there."""

    point: Point | None = None
    act: Act | None = None
    met: bool = False

    async def at(self, point: Point) -> Action:
        """Act at the one point."""
        if point != self.point or self.met or self.act is None:
            return PASS
        self.met = True
        return Do(self.act)


@dataclass(slots=True)
class Pause(Recorder):
    """Does something at a point, once, such as freezing the host, and then passes on what came."""

    point: Point | None = None
    act: Act | None = None
    met: asyncio.Event = field(default_factory=asyncio.Event)

    async def at(self, point: Point) -> Action:
        """Act at the one point."""
        if point == self.point and self.act is not None and not self.met.is_set():
            await self.act()
            self.met.set()
        return PASS


@dataclass(slots=True)
class Spoil(Recorder):
    """Answers something else at a point, once."""

    point: Point | None = None
    action: Action = PASS
    met: bool = False

    async def at(self, point: Point) -> Action:
        """Spoil the one call."""
        if point != self.point or self.met:
            return PASS
        self.met = True
        return self.action


def worth_ending_at(calls: Iterable[Call]) -> list[Call]:
    """Leave out what is no step of a request but comes with time.

    Looks into an empty queue are told by coming after the first one: a host that dies with a message just taken again
    leaves what one leaves that dies before its next call. The message's lease is renewed every second that the
    request takes: a host that dies then leaves what one leaves that dies before its next call, and the message hidden
    for a lease at most.
    """
    return [call for call in calls if not _comes_with_time(call)]


def _comes_with_time(call: Call) -> bool:
    return call.operation.startswith("queue update ") or (call.nth > 1 and call.operation.startswith("queue get "))


def points(calls: Iterable[Call], *, all_of_them: bool) -> list[Point]:
    """Both points of each call, or without those that leave what another leaves.

    A host that dies before a call, with nothing else under way, leaves what one leaves that dies after the call before.
    """
    both = [Point(call, after=after) for call in calls for after in (False, True)]
    return [point for point in both if all_of_them or point.after or not point.call.alone]
