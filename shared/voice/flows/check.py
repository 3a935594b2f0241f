"""Faults of flows that could be read: loops, steps that no call reaches, and redirects to other flows. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from shared.toml.lines import Lines, Path
from shared.voice.flows.model import Action, Flow
from shared.voice.flows.read import Source
from shared.voice.flows.registry import kind_of

_FILE: Final = ".toml"


class _Node(NamedTuple):
    flow: str
    step: str


class Found(NamedTuple):
    """Something wrong: the flow, the line in its file, from 1, and the problem."""

    flow: str
    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class _Edge:
    begin: _Node
    end: _Node
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
            begin = _Node(flow.name, step.name)
            kind = kind_of(step.action)
            for following in kind.next_steps(step.action):
                if following.to is not None:
                    yield _Edge(begin, _Node(flow.name, following.to), step.action, following.at_once)
            target = kind.other_flow(step.action)
            if target is not None and (other := flows.get(target.flow)) is not None:
                yield _Edge(begin, _Node(other.name, target.step or other.start), step.action, at_once=True)


def _closure(starts: Iterable[_Node], edges: Iterable[_Edge]) -> set[_Node]:
    """Return the starts, and all nodes that these edges reach from there."""
    edges = list(edges)
    reached: set[_Node] = set()
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

    def nodes(self) -> Iterator[tuple[_Node, Action]]:
        for flow in self.flows.values():
            for step in flow.steps.values():
                yield _Node(flow.name, step.name), step.action

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
        for node, action in self.nodes():
            target = kind_of(action).other_flow(action)
            if target is None or target.flow in self.unread:
                continue
            path = ("steps", node.step, kind_of(action).name)
            other = self.flows.get(target.flow)
            if other is None:
                yield self.found(node.flow, (*path, "flow"), f"flow: there is no flow {target.flow[:64]!r}")
                continue
            if target.step is not None and target.step not in other.steps:
                problem = f"step: there is no step {target.step[:64]!r} in {other.name}{_FILE}"
                yield self.found(node.flow, (*path, "step"), problem)
            for problem in _unbrought(self.flows[node.flow], other):
                yield self.found(node.flow, (*path, "flow"), problem)

    def loops(self) -> Iterator[Found]:
        told: set[_Node] = set()
        yield from self.circles(
            told, lambda edge: kind_of(edge.action).asks_nobody, "nobody is asked, and it never ends"
        )
        yield from self.circles(told, lambda edge: edge.at_once, "nothing is heard in between, and no time goes by")

    def circles(self, told: set[_Node], follows: _Follows, problem: str) -> Iterator[Found]:
        """Find the loops of these edges; of each, its first step in the file is named."""
        edges = [edge for edge in self.edges if follows(edge)]
        back = [_Edge(edge.end, edge.begin, edge.action, edge.at_once) for edge in edges]
        for node, _ in self.nodes():
            ahead = _closure((edge.end for edge in edges if edge.begin == node), edges)
            if node not in ahead or node in told:
                continue
            told |= ahead & _closure([node], back)
            yield self.found(node.flow, ("steps", node.step), f"{node.step} comes back to itself: {problem}")

    def rejects(self) -> Iterator[Found]:
        """A call is answered as soon as the caller hears anything, and can't be rejected after that."""
        silent = [edge for edge in self.edges if kind_of(edge.action).is_silent]
        callers = {_Node(flow.name, flow.start) for flow in self.flows.values() if flow.answers}
        answered = {edge.end for edge in self.edges if not kind_of(edge.action).is_silent}
        answered |= {_Node(flow.name, flow.machine) for flow in self.flows.values() if flow.machine is not None}
        may = _closure(callers, silent) - _closure(answered, silent)
        for node, action in self.nodes():
            kind = kind_of(action)
            if kind.only_unanswered and node not in may:
                problem = "only a call that comes in, before anything is heard, can be rejected; expected hangup"
                yield self.found(node.flow, ("steps", node.step, kind.name), f"{kind.name}: {problem}")

    def unreached(self) -> Iterator[Found]:
        entries = [_Node(flow.name, flow.start) for flow in self.flows.values()]
        entries += [_Node(flow.name, flow.machine) for flow in self.flows.values() if flow.machine is not None]
        reached = _closure(entries, self.edges)
        for node, _ in self.nodes():
            if node not in reached:
                yield self.found(node.flow, ("steps", node.step), f"{node.step} is never reached")


def _unbrought(flow: Flow, other: Flow) -> Iterator[str]:
    """Find the values that a flow takes and that a call which comes from this one does not bring."""
    for name, declared in other.values.items():
        brought = flow.values.get(name)
        if brought is None and declared.default is None:
            yield f"flow: {other.name}{_FILE} takes {name}, and this flow has no such value"
        elif brought is not None and brought.kind != declared.kind:
            yield f"flow: {other.name}{_FILE} takes {name} as {declared.kind}, and here it is {brought.kind}"
