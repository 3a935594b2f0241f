"""Jinja2 as templates use it: text with values, `if`, `for`, `set` and a few filters, and nothing that calls. Pure.

What is rendered is bounded: lists and texts are (`values`), `for` stands in `for` once, `*` and `%` take numbers only,
and a text that grows too long ends there. https://jinja.palletsprojects.com/en/stable/sandbox/
"""

import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.filters import FILTERS
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.text.templates import filters

LONGEST: Final = 20_000
"""characters: rendering stops there, long after what can be sent"""
_DEEPEST_FOR: Final = 2
_KEPT_FILTERS: Final = ("capitalize", "first", "last", "length", "lower", "title", "trim", "truncate", "upper")
_OWN_FILTERS: Final = {
    "date": filters.date_filter,
    "in_zone": filters.in_zone,
    "join": filters.join,
    "number": filters.number,
    "spell": filters.spell,
    "time": filters.time_filter,
}
# what a template may consist of; everything else is refused by name
_STATEMENTS: Final = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign)
_EXPRESSIONS: Final = (
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword),
    *(nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Getattr, nodes.Getitem, nodes.Slice),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod),
)
_ALLOWED: Final = _STATEMENTS + _EXPRESSIONS
_FILENAME: Final = "<template>"
_FAILURES: Final = (
    TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    RecursionError,
)
"""what an expression can raise"""


class TextInvalid(Exception):
    """A text can't be used as a template; `faults` are pairs of its line, from 1, and the problem."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} faults")


class RenderingFailed(Exception):
    """A text can't be rendered with these values; the message holds none of them. `line` is the text's, from 1."""

    def __init__(self, problem: str, *, line: int | None = None) -> None:
        self.line = line
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is ready to be rendered; `names` are the values that it uses, with the line of the first use."""

    _template: Template
    names: Mapping[str, int]

    def render(self, values: Mapping[str, object]) -> str:
        """Write the text with these values, without the white space around it.

        Raises:
            RenderingFailed: it can't be, or grows beyond `LONGEST`.
        """
        try:
            return "".join(_bounded(self._template.generate(values))).strip()
        except _FAILURES as exc:
            raise RenderingFailed(_explain(exc), line=_line(exc)) from exc


def read(source: str) -> Text:
    """Read a text as a template.

    Raises:
        TextInvalid: it isn't one, or uses what templates here don't have.
    """
    try:
        tree = _ENVIRONMENT.parse(source)
        faults = list(_strangers(tree))
        if faults:
            raise TextInvalid(faults)
        return Text(_ENVIRONMENT.from_string(tree), _names(tree))
    except TemplateSyntaxError as exc:
        raise TextInvalid([(exc.lineno, exc.message or "is no template")]) from exc
    except RecursionError as exc:
        raise TextInvalid([(1, "is nested too deep")]) from exc


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401 - as it is there
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            # a text times a number of the data would be as long as the data likes
            raise filters.Misused(f"`{operator}` expected numbers on both sides")
        return super().call_binop(context, operator, left, right)


def _make_environment() -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined,
        finalize=filters.show,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # a text is no HTML; what becomes TwiML is escaped where that is written
    )
    environment.globals.clear()
    environment.filters = {name: FILTERS[name] for name in _KEPT_FILTERS} | _OWN_FILTERS
    return environment


_ENVIRONMENT: Final = _make_environment()


def _strangers(node: nodes.Node, *, depth: int = 0) -> Iterator[tuple[int, str]]:
    if not isinstance(node, _ALLOWED):
        what = "a call" if isinstance(node, nodes.Call) else f"{type(node).__name__}"
        yield node.lineno, f"expected text, values, if, for, set and filters, got {what}"
        return
    if isinstance(node, nodes.For):
        depth += 1
        if depth > _DEEPEST_FOR:
            yield node.lineno, f"expected `for` at most {_DEEPEST_FOR} deep"
    for child in node.iter_child_nodes():
        yield from _strangers(child, depth=depth)


def _names(tree: nodes.Template) -> dict[str, int]:
    undeclared = find_undeclared_variables(tree)
    uses = [(name.lineno, name.name) for name in tree.find_all(nodes.Name) if name.name in undeclared]
    return {name: line for line, name in sorted(uses, reverse=True)}


def _bounded(parts: Iterator[str]) -> Iterator[str]:
    length = 0
    for part in parts:
        length += len(part)
        if length > LONGEST:
            raise RenderingFailed(f"it grows beyond {LONGEST} characters")
        yield part


def _explain(exc: Exception) -> str:
    if isinstance(exc, UndefinedError):
        return "it uses something that isn't there"
    # what Python says of the others may hold a value
    return str(exc) if isinstance(exc, filters.Misused) else f"it ends in {type(exc).__name__}"


def _line(exc: BaseException) -> int | None:
    lines = [line for frame, line in traceback.walk_tb(exc.__traceback__) if frame.f_code.co_filename == _FILENAME]
    return lines[-1] if lines else None
