"""A flow as a Mermaid flowchart: what each step does, and where it leads. Pure.

https://mermaid.js.org/syntax/flowchart.html: GitHub, GitLab and mermaid.live draw it.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.voice.flows.model import Action, Choose, Dial, Flow, Gather, Hangup, Queue, Reject, Say, Step, Take
from shared.voice.flows.ways import ways

_LONGEST: Final = 60
"""characters of a text in a step"""
_BEGIN: Final = "begin"
_FINISH: Final = "finish"
# All is written by its number but letters, digits and what means nothing to Mermaid or to the Markdown that it knows:
# `1.` would begin a list there.
_UNSAFE: Final = re.compile(r"[^\w ,.!?'/=…“”+-]|(?<![^\W_])_|[_-](?![^\W_])|\+(?![0-9])|(?<=\d)\.")


def mermaid(flow: Flow) -> str:
    """Return the diagram; nothing in a text can break it, and each way of a step is an arrow with its name."""
    return "\n".join(_lines(flow)) + "\n"


def _lines(flow: Flow) -> Iterator[str]:
    ids = {name: f"s{number}" for number, name in enumerate(flow.steps)}
    yield "flowchart TD"
    yield f'    {_BEGIN}(["{_coming(flow)}"]) --> {ids[flow.start]}'
    if flow.machine is not None:
        yield f'    {_BEGIN} -->|"{_escaped("a machine answered")}"| {ids[flow.machine]}'
    for name, step in flow.steps.items():
        yield f"    {ids[name]}{_shape(step)}"
    ends = False
    for name, step in flow.steps.items():
        for to, labels in _grouped(step.action):
            ends = ends or to is None
            end = _FINISH if to is None else ids[to]
            yield f'    {ids[name]} -->|"{_escaped(", ".join(labels))}"| {end}'
    if ends:
        yield f'    {_FINISH}(["{_escaped("the call ends")}"])'


def _coming(flow: Flow) -> str:
    numbers = ["any other number" if number == "*" else number for number in flow.answers]
    who = f"somebody calls {', '.join(numbers)}" if numbers else "a request calls somebody"
    return f"<b>{_escaped(flow.name)}</b><br/>{_escaped(who)}"


def _grouped(action: Action) -> Iterator[tuple[str | None, list[str]]]:
    """Return each step to which another one leads, with the names of all ways there."""
    grouped: dict[str | None, list[str]] = {}
    for way in ways(action):
        grouped.setdefault(way.to, []).append(way.label)
    yield from grouped.items()


def _shape(step: Step) -> str:
    kind = "play" if isinstance(step.action, Say) and step.action.speech.play else type(step.action).__name__.lower()
    lines = [f"<b>{_escaped(step.name)}</b>", _escaped(f"{kind} “{_short(step.shown)}”" if step.shown else kind)]
    if step.event is not None:
        lines.append(_escaped(f"event = {step.event}"))
    label = "<br/>".join(lines)
    match step.action:
        case Gather() | Choose():
            return f'{{"{label}"}}'
        case Hangup() | Reject():
            return f'(["{label}"])'
        case Dial() | Queue() | Take():
            return f'[["{label}"]]'
    return f'["{label}"]'


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))
