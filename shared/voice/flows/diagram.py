"""A flow as a Mermaid flowchart: each step, and its next steps. Pure.

https://mermaid.js.org/syntax/flowchart.html: GitHub, GitLab and mermaid.live draw it.
"""

import re
from collections.abc import Iterator
from typing import Final, assert_never

from shared.voice.flows.model import Action, Flow, Step
from shared.voice.flows.registry import kind_of

_LONGEST: Final = 60
"""characters of a text in a step"""
_BEGIN: Final = "begin"
_FINISH: Final = "finish"
# All is written by its number but letters, digits and what means nothing to Mermaid or to the Markdown that it knows:
# `1.` would begin a list there.
_UNSAFE: Final = re.compile(r"[^\w ,.!?'/=…“”+-]|(?<![^\W_])_|[_-](?![^\W_])|\+(?![0-9])|(?<=\d)\.")


def mermaid(flow: Flow) -> str:
    """Return the diagram. No text can break it; each next step is an arrow with a label."""
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
    """Return each next step, with all labels that lead to it."""
    grouped: dict[str | None, list[str]] = {}
    for following in kind_of(action).next_steps(action):
        grouped.setdefault(following.to, []).append(following.label)
    yield from grouped.items()


def _shape(step: Step) -> str:
    kind = kind_of(step.action)
    shown = f"{kind.name} “{_short(step.shown)}”" if step.shown else kind.name
    lines = [f"<b>{_escaped(step.name)}</b>", _escaped(shown)]
    if step.event is not None:
        lines.append(_escaped(f"event = {step.event}"))
    label = "<br/>".join(lines)
    match kind.shape:
        case "decision":
            return f'{{"{label}"}}'
        case "end":
            return f'(["{label}"])'
        case "connection":
            return f'[["{label}"]]'
        case "action":
            return f'["{label}"]'
        case _:
            assert_never(kind.shape)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", " ".join(text.split()))
