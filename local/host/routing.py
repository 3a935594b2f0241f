"""Routes of HTTP triggers, matched as ASP.NET matches them: without regard to case, the first one that fits.

https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from local.host.errors import HostError
from local.host.indexing import Function, HttpTrigger

_PARAMETER = re.compile(r"\{(?P<star>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[^{}?]+)*)(?P<optional>\??)\}")
_CONSTRAINTS = {
    "int": r"[-+]?\d{1,10}",
    "long": r"[-+]?\d{1,19}",
    "bool": "true|false",
    "guid": "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
    "alpha": "[a-z]+",
    "required": "[^/]+",
}


@dataclass(frozen=True, slots=True)
class Route:
    """A function, the pattern of its whole path, and the parameters in the order of the pattern's groups."""

    function: Function
    methods: frozenset[str] | None
    pattern: re.Pattern[str]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """The function that a request is for, with its route parameters; an optional one that is missing is left out."""

    function: Function
    parameters: dict[str, str]


class Router:
    """All routes of an app."""

    def __init__(self, functions: Iterable[Function], *, prefix: str) -> None:
        """Compile the routes; raises HostError for a template that this host does not understand."""
        self._routes = [
            _compile(function, function.trigger, prefix=prefix)
            for function in functions
            if isinstance(function.trigger, HttpTrigger)
        ]

    def match(self, *, method: str, path: str) -> Match | None:
        """Return the first route that takes this method and path (as it was sent), or None."""
        # A slash that was escaped stays so: it separates nothing.
        decoded = unquote(re.sub("%2f", "%252F", path, flags=re.IGNORECASE))
        for route in self._routes:
            if route.methods is None or method in route.methods:
                found = route.pattern.fullmatch(decoded)
                if found is not None:
                    pairs = zip(route.parameters, found.groups(), strict=True)
                    return Match(route.function, {name: value for name, value in pairs if value})
        return None


def _compile(function: Function, trigger: HttpTrigger, *, prefix: str) -> Route:
    if trigger.route.startswith(("/", "~")):
        raise HostError(f"the route of function {function.name} must not start with {trigger.route[0]}")
    template = f"{prefix}/{trigger.route}".strip("/")
    names: list[str] = []
    pattern = ""
    for segment in template.split("/") if template else []:
        pattern += _compile_segment(segment, function=function.name, names=names)
    return Route(
        function=function,
        methods=trigger.methods,
        pattern=re.compile(pattern + "/?", re.IGNORECASE),
        parameters=tuple(names),
    )


def _compile_segment(segment: str, *, function: str, names: list[str]) -> str:
    pattern = ""
    end = 0
    for found in _PARAMETER.finditer(segment):
        pattern += _literal(segment[end : found.start()], function=function)
        names.append(found["name"])
        pattern += f"({_values(found, function=function)})"
        end = found.end()
        if found.group() == segment and (found["star"] or found["optional"]):
            return f"(?:/{pattern})?"
    return "/" + pattern + _literal(segment[end:], function=function)


def _values(parameter: re.Match[str], *, function: str) -> str:
    constraints = parameter["constraints"].removeprefix(":")
    if parameter["star"]:
        return ".*"
    if not constraints:
        return "[^/]+"
    if constraints not in _CONSTRAINTS:
        raise HostError(
            f"the route of function {function} has the constraint {constraints}, "
            "which the embedded host does not support"
        )
    return _CONSTRAINTS[constraints]


def _literal(text: str, *, function: str) -> str:
    if "{" in text or "}" in text:
        raise HostError(f"the route of function {function} has {text!r}, which the embedded host does not support")
    return re.escape(text)
