"""The content at the root is the user's, and may be any. The tests have content of their own, in tests/samples/app."""

import re
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest

from local import __main__ as console
from tests.web import app
from tests.web.app import CONTENT, ROOT, App, settings_of

CHECKS = ("template", "flow", "replies")
PASTED = (
    ("how-to/templates.md", "jinja", "templates/order-shipped.txt"),
    ("how-to/flows.md", "toml", "flows/example.toml"),
    ("reference/reply-rules.md", "toml", "replies.toml"),
)


@pytest.mark.parametrize("command", CHECKS)
def test_the_content_at_the_root_is_what_dev_py_checks_and_is_in_order(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.main([command, "check"]) == 0, capsys.readouterr().err
    assert f"All is well in {ROOT}" in capsys.readouterr().out


@pytest.fixture
def pasted(tmp_path: Path) -> Path:
    """The content of the tests, with the first examples of the documentation added to it."""
    folder = tmp_path / "app"
    shutil.copytree(CONTENT, folder)
    for page, kind, target in PASTED:
        [example, *_] = re.findall(
            rf"^```{kind}\n(.*?)^```$", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL | re.MULTILINE
        )
        before = (folder / target).read_text("utf-8") if (folder / target).exists() else ""
        (folder / target).write_text(before + example, "utf-8")
    return folder


def test_the_examples_of_the_documentation_can_be_added_to_the_content(
    pasted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "TEMPLATES", pasted / "templates")
    monkeypatch.setattr(console, "FLOWS", pasted / "flows")
    monkeypatch.setattr(console, "REPLIES", pasted / "replies.toml")
    assert [console.main([command, "check"]) for command in CHECKS] == [0, 0, 0], capsys.readouterr().err


async def test_an_app_of_the_tests_has_the_content_of_the_tests_and_no_other(pasted: Path) -> None:
    settings = settings_of("UseDevelopmentStorage=true")
    async with App.load(settings) as ours:
        assert "order-shipped" not in {template.name for template in ours.wiring.rules.templates}
    with patch.object(app, "CONTENT", pasted):
        async with App.load(settings) as theirs:
            assert "order-shipped" in {template.name for template in theirs.wiring.rules.templates}
            assert "example" in {flow.name for flow in theirs.wiring.rules.flows}
            assert "shop" in {rule.name for rule in theirs.wiring.replies.rules}


async def test_content_that_was_not_deployed_is_told_by_health_and_is_no_problem(azurite: str, tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    with patch.object(app, "CONTENT", tmp_path):
        async with App.load(settings_of(azurite)) as bare:
            answer = await bare.request("GET", "/api/health/details")
    told = answer.json()
    assert (answer.status, told["status"]) == (200, "ok")
    assert told["content"] == {"templates": None, "flows": 0, "replies.toml": None}


@pytest.mark.parametrize("command", CHECKS)
def test_a_test_that_reads_the_content_at_the_root_fails(command: str) -> None:
    with pytest.raises(AssertionError, match="expected the content in tests/samples/app, got "):
        console.main([command, "check"])
