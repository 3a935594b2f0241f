"""Read one step of a flow from its table: its kind reads the rest. Pure."""

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from shared.voice.flows.model import Step
from shared.voice.flows.registry import AnyKind, all_kinds
from shared.voice.flows.step_reader import NAME, StepReader

_EVENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def read_step(reader: StepReader, name: str, table: object) -> Step | None:
    """Read one step; None where its kind is not clear."""
    if not NAME.fullmatch(name):
        problem = f"expected a step's name of small letters, digits, - and _, got {name[:64]!r}"
        reader.sheet.note(reader.path, problem)
    if not isinstance(table, dict):
        reader.sheet.note(reader.path, f"{name} expected a table: [steps.{name}]")
        return None
    kind = _kind(reader, name, table)
    given = None if kind is None else reader.sheet.struct(reader.path, table, kind.table)
    if kind is None or given is None:
        return None
    event = table.get("event")
    if event is not None and not _EVENT.fullmatch(event):
        reader.fault("event", "expected a word of at most 64 letters, digits and _.-")
    speaking = dataclasses.replace(
        reader, voice=table.get("voice") or reader.voice, language=table.get("language") or reader.language
    )
    action = kind.read(speaking, given)
    line = reader.sheet.lines.of(*reader.path)
    return Step(
        name=name, line=line, action=action, event=event, shown=_shown(table, table[kind.name], kind.shown_keys)
    )


def _kind(reader: StepReader, name: str, table: Mapping[str, Any]) -> AnyKind | None:
    """Find the kind of a step: a key such as `record` names a kind, and is an option of `dial`."""
    kinds = all_kinds()
    named = [kind for kind in kinds if kind in table]
    whole = [kind for kind in named if {*named} <= {*kinds[kind].table.__struct_fields__}]
    if len(whole) == 1:
        return kinds[whole[0]]
    got = f"got {' and '.join(named)}" if named else f"got {', '.join(table) or 'nothing'}"
    reader.sheet.note(reader.path, f"{name} expected one of {', '.join(kinds)}, {got}")
    return None


def _shown(table: Mapping[str, Any], value: object, keys: Collection[str]) -> str:
    """Return the text of a step in a diagram."""
    if isinstance(value, dict):
        return " ".join(str(value[key]) for key in keys if key in value)
    if isinstance(value, list):
        return ", ".join(_shown(table, item, keys) for item in value)
    return _shown(table, table.get("say", ""), keys) if isinstance(value, bool) else str(value)
