"""The pages on call flows name all that may stand in a flow's file, and their examples do what is said there."""

import re
import shlex
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import pytest

from local import __main__ as console
from shared.voice.flows import fields
from shared.voice.flows.kinds.dial.step import ConferenceTable, QueueTable
from shared.voice.flows.library import Flows
from shared.voice.flows.registry import all_kinds
from tests.web.app import CONTENT, ROOT

PAGES: Final = ("how-to/flows.md", "reference/flow-file.md")
DOCUMENTATION: Final = "".join((ROOT / "docs" / page).read_text("utf-8") for page in PAGES)
ANYWHERE: Final = {"event", "voice", "language"}
"""keys that are described for all steps together"""
SOMEWHERE: Final = "/home/ada/switchboard/flows"


def blocks(kind: str) -> list[str]:
    """The examples of a kind."""
    found: list[str] = re.findall(rf"^```{kind}\n(.*?)^```$", DOCUMENTATION, re.DOTALL | re.MULTILINE)
    return found


def keys(table: type[msgspec.Struct]) -> set[str]:
    """What may stand in a table of a flow's file."""
    return {field.encode_name for field in msgspec.structs.fields(table)}


def rows() -> dict[str, str]:
    """The second cell of each row of the tables, by the first."""
    return dict(re.findall(r"^\| `([a-z]+)` \| (.*?) \| ", DOCUMENTATION, re.MULTILINE))


def test_every_kind_of_step_has_a_row() -> None:
    assert all_kinds().keys() <= rows().keys()


@pytest.mark.parametrize("kind", all_kinds())
def test_every_key_of_a_step_is_in_its_row_and_no_other(kind: str) -> None:
    assert set(re.findall(r"`([a-z_-]+)`", rows()[kind])) == keys(all_kinds()[kind].table) - ANYWHERE


@pytest.mark.parametrize("table", [fields.Document, fields.Hours, fields.Speech, ConferenceTable, QueueTable])
def test_every_key_of_the_other_tables_is_named(table: type[msgspec.Struct]) -> None:
    named = keys(table) - {"steps", "values", "hours"}
    assert {key for key in named if not re.search(rf"[`{{ ]{key}(`| = )", DOCUMENTATION)} == set()


def test_the_first_example_is_a_flow_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "example.toml").write_text(blocks("toml")[0], "utf-8")
    (flow,) = Flows.load(tmp_path, default_zone=ZoneInfo("UTC"))
    assert flow.answers == ("+15005550009",)


def test_every_other_example_is_part_of_a_flow(tmp_path: Path) -> None:
    for number, block in enumerate(blocks("toml")[1:]):
        more = '\nanswered = "bye"\nunanswered = "bye"\n[steps.bye]\nhangup = true\n'
        (tmp_path / f"example-{number}.toml").write_text(block + more, "utf-8")
    assert len(list(Flows.load(tmp_path, default_zone=ZoneInfo("UTC")))) == len(blocks("toml")) - 1 > 0


def test_the_console_says_what_is_said_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "FLOWS", CONTENT / "flows")
    dialogues = "".join(blocks("console")).split("$ python3 dev.py ")[1:]
    assert dialogues
    for dialogue in dialogues:
        command, _, answer = dialogue.partition("\n")
        assert console.main(shlex.split(command)) == 0
        assert capsys.readouterr().out.replace(str(CONTENT / "flows"), SOMEWHERE) == answer
