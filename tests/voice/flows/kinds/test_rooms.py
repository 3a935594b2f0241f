"""Each kind of step is one room: no other module names a kind, and no kind knows another."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.voice.flows.registry import all_kinds
from shared.voice.flows.turn_urls import _told_once
from tests.web.app import ROOT

FLOWS = "shared.voice.flows"
KINDS = f"{FLOWS}.kinds"
ALL_KINDS = ("registry", "steps", "read", "check", "walk", "diagram", "library", "turn_urls")
"""the modules that work with any kind"""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "shared" / "voice" / "flows").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


MODULES = dict(modules())


def imports(module: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module or "" for name in whole}
    return found & MODULES.keys()


def room(module: str) -> str | None:
    """The kind to which a module belongs."""
    return module.removeprefix(f"{KINDS}.").partition(".")[0] if module.startswith(f"{KINDS}.") else None


def test_every_kind_is_a_module_of_its_own_name() -> None:
    assert {room(module) for module in MODULES} - {None} == set(all_kinds())


@pytest.mark.parametrize("module", [module for module in MODULES if room(module)])
def test_a_kind_imports_no_other_kind_and_nothing_that_works_with_all(module: str) -> None:
    assert {room(imported) for imported in imports(module)} <= {None, room(module)}
    assert not imports(module) & {f"{FLOWS}.{name}" for name in ALL_KINDS}


@pytest.mark.parametrize("module", [module for module in MODULES if not room(module)])
def test_no_module_outside_names_a_kind(module: str) -> None:
    assert not {imported for imported in imports(module) if room(imported)}


@pytest.mark.parametrize("module", MODULES)
def test_no_module_imports_itself_by_way_of_others(module: str) -> None:
    reached: set[str] = set()
    coming = imports(module)
    while coming - reached:
        reached |= coming
        coming = {further for imported in coming for further in imports(imported)}
    assert module not in reached


def test_a_repeated_turn_carries_the_same_fields_as_ever() -> None:
    """A URL that an earlier deploy wrote is read by this one."""
    assert set(_told_once()) == {
        *("Digits", "SpeechResult", "Confidence", "AnsweredBy"),
        *("DialCallStatus", "DialBridged", "DialCallSid", "DialCallDuration"),
        *("QueueResult", "QueueTime", "QueuePosition"),
        *("RecordingUrl", "RecordingSid", "RecordingDuration"),
    }
