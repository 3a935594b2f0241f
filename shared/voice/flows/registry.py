"""The kinds of steps: every module of the package `kinds` has one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

from shared.voice.flows import kinds
from shared.voice.flows.kind import Kind
from shared.voice.flows.model import Action

AnyKind = Kind[Any, Any]
_FIRST: Final = (
    *("say", "play", "pause", "choose", "gather", "dial", "queue", "take", "record", "message"),
    *("redirect", "reject", "hangup"),
)
"""the order in messages, as in the documentation; any other kind comes after these"""


@dataclass(frozen=True, slots=True)
class _Registry:
    by_name: Mapping[str, AnyKind]
    by_action: Mapping[type[Action], AnyKind]


def find_kinds() -> _Registry:
    """Import every module of the package, and return their kinds.

    Raises:
        TypeError: a module has no KIND.
        ValueError: two modules have a kind of the same name, or for the same action.
    """
    found = sorted(_modules(), key=lambda kind: _FIRST.index(kind.name) if kind.name in _FIRST else len(_FIRST))
    by_name = {kind.name: kind for kind in found}
    by_action = {kind.action: kind for kind in found}
    if not len(found) == len(by_name) == len(by_action):
        raise ValueError("expected each kind of step to have a name and an action of its own, got two alike")
    return _Registry(by_name, by_action)


def _modules() -> Iterator[AnyKind]:
    for module in iter_modules(kinds.__path__, f"{kinds.__name__}."):
        kind = getattr(import_module(module.name), "KIND", None)
        if not isinstance(kind, Kind):
            raise TypeError(f"expected {module.name} to have a KIND")
        yield kind


_kinds = find_kinds()


def all_kinds() -> Mapping[str, AnyKind]:
    """Return every kind, by its name."""
    return _kinds.by_name


def kind_of(action: Action) -> AnyKind:
    """Return the kind of an action."""
    return _kinds.by_action[type(action)]
