"""How a file declares the values that a request brings: `name = "text"`, or `{ type = …, default = … }`. Pure."""

import re
from datetime import date, time
from typing import Any, Final

import msgspec

from shared.documents import check_fields
from shared.text.templates.values import KINDS, Declared

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED: Final = frozenset(
    ("and", "else", "false", "if", "in", "is", "loop", "none", "not", "or", "self", "super", "true")
)
ANY: Final = Declared("text")
"""stands for a value whose declaration is faulty, so that its use is no second fault"""


class _Value(msgspec.Struct, frozen=True):
    type: str
    default: Any = None


def read_declared(name: str, raw: object) -> tuple[Declared, list[str]]:
    """Read the declaration of a value, and return it with all that is wrong with it."""
    faults: list[str] = []
    if not _NAME.fullmatch(name) or name in _RESERVED:
        faults.append(f"expected a name of small letters, digits and _, got {name!r}")
    if not isinstance(raw, str | dict):
        return ANY, [*faults, f'{name} expected a type such as "text", or {{ type = …, default = … }}']
    fields, wrong = check_fields({"type": raw} if isinstance(raw, str) else raw, _Value)
    if wrong:
        return ANY, [*faults, *(f"{name} {fault}" for fault in wrong)]
    given = msgspec.convert(fields, _Value)
    if given.type not in KINDS:
        return ANY, [*faults, f"{name} expected one of {', '.join(KINDS)}, got {given.type!r}"]
    declared = Declared(given.type)
    try:
        return _with_default(declared, given.default), faults
    except ValueError as exc:
        return declared, [*faults, f"{name}'s default: {exc}"]


def _with_default(declared: Declared, default: object) -> Declared:
    if default is None:
        return declared
    if default == "":
        return Declared(declared.kind, "")
    return Declared(declared.kind, declared.read(_as_json(default)))


def _as_json(value: object) -> object:
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value.isoformat() if isinstance(value, date | time) else value
