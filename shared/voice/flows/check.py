"""What is wrong with flows that could be read: ways that lead nowhere good, and what they do to one another. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.toml.lines import Lines, Path
from shared.voice.flows.model import Action, Choose, Flow, Message, Pause, Redirect, Reject, Say
from shared.voice.flows.read import Source
from shared.voice.flows.ways import ways

_FILE: Final = ".toml"
_SILENT: Final = (Choose, Message)
"""a call that came through these only is in its first document, and not answered yet"""
_ALONE: Final = (*_SILENT, Redirect, Say, Pause)
"""these go on whether anybody is there or not"""


class _Place(NamedTuple):
    flow: str
    step: str


class Found(NamedTuple):
    """Something wrong: the flow, the line in its file, from 1, and the problem."""

    flow: str
    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class _Edge:
    begin: _Place
    end: _Place
    action: Action
    at_once: bool


_Follows = Callable[[_Edge], bool]


def check(sources: Iterable[Source]) -> list[Found]:
    """Return what is wrong with the flows of a folder, given all of its files.

    Those that could not be read have faults of their own. Steps that nobody reaches are looked for only where all
    could be read, as one flow may lead into the middle of another.
    """
    sources = list(sources)
    whole = {source.name: (source.flow, source.lines) for source in sources if source.flow and source.lines}
    flows = {name: flow for name, (flow, _) in whole.items()}
    unread = frozenset(source.name for source in sources) - flows.keys()
    checker = _Checker(flows, {name: lines for name, (_, lines) in whole.items()}, unread, tuple(_edges(flows)))
    return sorted(checker.all())


def _edges(flows: dict[str, Flow]) -> Iterator[_Edge]:
    for flow in flows.values():
        for step in flow.steps.values():
            begin = _Place(flow.name, step.name)
            for way in ways(step.action):
                if way.to is not None:
                    yield _Edge(begin, _Place(flow.name, way.to), step.action, way.at_once)
            if isinstance(step.action, Redirect) and (other := flows.get(step.action.flow or "")) is not None:
                yield _Edge(begin, _Place(other.name, step.action.step or other.start), step.action, at_once=True)


def _closure(starts: Iterable[_Place], edges: Iterable[_Edge]) -> set[_Place]:
    """Return all places that can be reached by these edges, and those where that starts."""
    edges = list(edges)
    reached: set[_Place] = set()
    coming = set(starts)
    while coming:
        reached |= coming
        coming = {edge.end for edge in edges if edge.begin in coming} - reached
    return reached


@dataclass(frozen=True, slots=True)
class _Checker:
    flows: dict[str, Flow]
    lines: dict[str, Lines]
    unread: frozenset[str]
    edges: tuple[_Edge, ...]

    def all(self) -> Iterator[Found]:
        yield from self.answers()
        yield from self.redirects()
        yield from self.loops()
        yield from self.rejects()
        if not self.unread:
            yield from self.unreached()

    def found(self, flow: str, path: Path, problem: str) -> Found:
        return Found(flow, self.lines[flow].of(*path), problem)

    def places(self) -> Iterator[tuple[_Place, Action]]:
        for flow in self.flows.values():
            for step in flow.steps.values():
                yield _Place(flow.name, step.name), step.action

    def answers(self) -> Iterator[Found]:
        answered: dict[str, str] = {}
        for flow in self.flows.values():
            for index, number in enumerate(flow.answers):
                first = answered.setdefault(number, flow.name)
                if first != flow.name:
                    yield self.found(
                        flow.name, ("answers", str(index)), f"answers: {first}{_FILE} has this one already"
                    )

    def redirects(self) -> Iterator[Found]:
        for place, action in self.places():
            if not isinstance(action, Redirect) or action.flow is None or action.flow in self.unread:
                continue
            path = ("steps", place.step, "redirect")
            other = self.flows.get(action.flow)
            if other is None:
                yield self.found(place.flow, (*path, "flow"), f"flow: there is no flow {action.flow[:64]!r}")
                continue
            if action.step is not None and action.step not in other.steps:
                problem = f"step: there is no step {action.step[:64]!r} in {other.name}{_FILE}"
                yield self.found(place.flow, (*path, "step"), problem)
            for problem in _unbrought(self.flows[place.flow], other):
                yield self.found(place.flow, (*path, "flow"), problem)

    def loops(self) -> Iterator[Found]:
        told: set[_Place] = set()
        yield from self.circles(
            told, lambda edge: isinstance(edge.action, _ALONE), "nobody is asked, and it never ends"
        )
        yield from self.circles(told, lambda edge: edge.at_once, "nothing is heard in between, and no time goes by")

    def circles(self, told: set[_Place], follows: _Follows, problem: str) -> Iterator[Found]:
        """Find the loops of these edges; of each, its first step in the file is named."""
        edges = [edge for edge in self.edges if follows(edge)]
        back = [_Edge(edge.end, edge.begin, edge.action, edge.at_once) for edge in edges]
        for place, _ in self.places():
            ahead = _closure((edge.end for edge in edges if edge.begin == place), edges)
            if place not in ahead or place in told:
                continue
            told |= ahead & _closure([place], back)
            yield self.found(place.flow, ("steps", place.step), f"{place.step} comes back to itself: {problem}")

    def rejects(self) -> Iterator[Found]:
        """Whoever hears anything is answered, and can't be rejected any more."""
        silent = [edge for edge in self.edges if isinstance(edge.action, _SILENT)]
        callers = {_Place(flow.name, flow.start) for flow in self.flows.values() if flow.answers}
        heard = {edge.end for edge in self.edges if not isinstance(edge.action, _SILENT)}
        heard |= {_Place(flow.name, flow.machine) for flow in self.flows.values() if flow.machine is not None}
        may = _closure(callers, silent) - _closure(heard, silent)
        for place, action in self.places():
            if isinstance(action, Reject) and place not in may:
                problem = (
                    "reject: only a call that comes in, before anything is heard, can be rejected; expected hangup"
                )
                yield self.found(place.flow, ("steps", place.step, "reject"), problem)

    def unreached(self) -> Iterator[Found]:
        entries = [_Place(flow.name, flow.start) for flow in self.flows.values()]
        entries += [_Place(flow.name, flow.machine) for flow in self.flows.values() if flow.machine is not None]
        reached = _closure(entries, self.edges)
        for place, _ in self.places():
            if place not in reached:
                yield self.found(place.flow, ("steps", place.step), f"{place.step} is never reached")


def _unbrought(flow: Flow, other: Flow) -> Iterator[str]:
    """Find the values that a flow takes and that a call which comes from this one does not bring."""
    for name, declared in other.values.items():
        brought = flow.values.get(name)
        if brought is None and declared.default is None:
            yield f"flow: {other.name}{_FILE} takes {name}, and this flow has no such value"
        elif brought is not None and brought.kind != declared.kind:
            yield f"flow: {other.name}{_FILE} takes {name} as {declared.kind}, and here it is {brought.kind}"
