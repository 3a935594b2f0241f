"""docs/reference/reply-rules.md shows rules that can be used, every field, and what `dev.py replies` says."""

import re
from pathlib import Path

import msgspec
import pytest

from local import __main__ as console
from shared.inbound.form import Form
from shared.inbound.replies import read
from shared.inbound.replies.documents import forwarded
from shared.inbound.replies.library import Replies
from shared.inbound.replies.rules import VALUES, Chosen, Rule
from shared.settings import MOST_REPLIES
from shared.text.templates.library import Templates
from tests.deliveries.samples import a_delivery
from tests.fakes import make_settings
from tests.web.app import CONTENT, ROOT

PAGE = (ROOT / "docs" / "reference" / "reply-rules.md").read_text(encoding="utf-8")
SOMEWHERE = "/home/ada/switchboard"


def _names(heading: str) -> set[str]:
    """The names in the first column of the first table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def test_the_rules_that_it_shows_can_be_used(tmp_path: Path) -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "replies.toml"
    path.write_text(shown, "utf-8")
    rules = Replies.load(path, templates=Templates.load(CONTENT / "templates")).rules
    assert [rule.name for rule in rules] == ["hours", "order", "shop", "other"]


def test_every_field_of_a_rule_is_there_and_no_other() -> None:
    assert _names("Rules") == {field.encode_name for field in msgspec.structs.fields(read._Written)}
    assert set(VALUES) <= set(re.findall(r"{{ (\w+) }}", PAGE))


def test_every_field_of_what_is_passed_on_is_there_and_no_other() -> None:
    message = msgspec.json.decode(forwarded(a_delivery(), Form([]), Chosen(Rule(name="a"), "")))
    assert _names("Passed on") == set(message)
    [shown] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert list(msgspec.json.decode(shown)) == list(message)


def test_the_cap_is_what_it_says() -> None:
    assert f"{make_settings().replies_per_hour} by default, 0 for none; {MOST_REPLIES} at most" in PAGE


@pytest.mark.parametrize(
    ("command", "answer"), re.findall(r"^\$ python3 dev\.py (.*)\n((?:[^$`].*\n)+)", PAGE, re.MULTILINE)
)
def test_a_command_answers_what_it_shows(
    command: str, answer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "TEMPLATES", CONTENT / "templates")
    monkeypatch.setattr(console, "REPLIES", CONTENT / "replies.toml")
    arguments = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', command)]
    assert console.main(arguments) == 0
    assert capsys.readouterr().out.replace(str(CONTENT), SOMEWHERE) == answer
