"""The files of editors, containers and hosts can be read, and name commands, paths and versions that exist."""

import configparser
import importlib.util
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import dev
from local import __main__ as console
from local.parts import PORT, TWILIO_PORT
from tests.web.app import ROOT

FOLDERS = (".vscode", ".devcontainer", ".github")
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in {".json", ".yml"}]
FILES += [ROOT / ".pre-commit-config.yaml"]
DEV = re.compile(r"(?:python3|py) (dev\.py\b.*)")


def read(path: Path | str) -> Any:  # noqa: ANN401 - JSON or YAML
    text = (ROOT / path).read_text("utf-8")
    return json.loads(text) if Path(path).suffix == ".json" else yaml.safe_load(text)


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def accepts(arguments: list[str]) -> bool:
    """Whether dev.py, or what it hands over to, takes these arguments."""
    try:
        if arguments[:1] != ["--version"] and arguments[0] in dev.LOCAL_COMMANDS:
            console.parser().parse_args(arguments)
        else:
            dev.parser().parse_args(arguments)
    except SystemExit as end:
        return end.code == 0
    return True


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_file_of_an_editor_or_a_host_can_be_read(path: Path) -> None:
    assert isinstance(read(path), dict)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_command_of_dev_py_that_a_file_names_is_one(path: Path) -> None:
    for text in strings(read(path)):
        for command in re.findall(r"`([^`]+)`", text) or [text]:
            if match := DEV.fullmatch(command):
                assert accepts(shlex.split(match[1])[1:]), command


def test_the_test_of_commands_refuses_others() -> None:
    assert accepts(["test", "--only", "lint"])
    assert not accepts(["test", "--only", "nothing"])
    assert not accepts(["run", "--prot", "7071"])


TASKS = read(".vscode/tasks.json")["tasks"]
LAUNCHES = read(".vscode/launch.json")["configurations"]


@pytest.mark.parametrize("task", TASKS, ids=[task["label"] for task in TASKS])
def test_a_task_of_the_editor_is_a_command_of_dev_py(task: dict[str, Any]) -> None:
    assert task["command"] == "python3"
    assert task["windows"]["command"] == "py", "Windows has no python3"
    assert task["args"][0] == "dev.py"
    assert accepts(task["args"][1:])


def test_the_editor_has_tasks_to_run_and_to_test() -> None:
    assert {"run", "test", "install"} <= {task["label"] for task in TASKS}


@pytest.mark.parametrize("launch", LAUNCHES, ids=[launch["name"] for launch in LAUNCHES])
def test_what_the_editor_debugs_is_a_module_that_is_there(launch: dict[str, Any]) -> None:
    assert importlib.util.find_spec(launch["module"]) is not None
    assert launch["preLaunchTask"] in {task["label"] for task in TASKS}


def test_f5_debugs_the_functions_in_the_embedded_host() -> None:
    first = LAUNCHES[0]
    options = console.parser().parse_args(first["args"])
    assert (first["module"], options.command, options.host) == ("local", "run", "embedded")
    assert first["subProcess"], "the functions are a process of their own"


def test_the_editor_is_told_the_environment_that_dev_py_makes() -> None:
    interpreter = read(".vscode/settings.json")["python.defaultInterpreterPath"]
    folder = interpreter.removeprefix("${workspaceFolder}/").removesuffix("/bin/python")
    assert re.fullmatch(r"\.switchboard/venv-3\.\d+", folder)
    assert f"python:{folder.partition('-')[2]}" in read(".devcontainer/devcontainer.json")["image"]


def test_the_container_has_the_extensions_and_the_ports_of_the_project() -> None:
    container = read(".devcontainer/devcontainer.json")
    wanted = read(".vscode/extensions.json")["recommendations"]
    assert container["customizations"]["vscode"]["extensions"] == wanted
    assert container["forwardPorts"] == [PORT, TWILIO_PORT]
    assert set(container["portsAttributes"]) == {str(PORT), str(TWILIO_PORT)}


def test_the_workflow_runs_what_ci_runs_on_the_pythons_that_it_looks_for() -> None:
    steps = read(".github/workflows/ci.yml")["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    [python] = [step["with"] for step in steps if "setup-python" in step.get("uses", "")]
    looked_for = re.findall(r"find_python (3\.\d+)", script.read_text("utf-8"))
    assert sorted(python["python-version"].split()) == sorted(looked_for)
    assert (ROOT / python["cache-dependency-path"]).is_file()


def test_the_hooks_before_a_commit_are_checks_of_dev_py() -> None:
    [repository] = read(".pre-commit-config.yaml")["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == [
        f"python3 dev.py test --only {check}" for check in ("lint", "format", "types")
    ]


def test_the_editor_shows_the_line_length_that_ruff_holds() -> None:
    settings = configparser.ConfigParser()
    settings.read_string("[top]\n" + (ROOT / ".editorconfig").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert settings["*.py"]["max_line_length"] == str(project["tool"]["ruff"]["line-length"])


@pytest.mark.parametrize("name", ["bug", "feature"])
def test_an_issue_form_has_what_the_host_asks_for(name: str) -> None:
    # https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-issue-forms
    form = read(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert {"name", "description", "body"} <= set(form)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert fields
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)
    assert all(field["attributes"]["options"] for field in fields if field["type"] == "dropdown")


def test_the_licence_of_the_package_is_the_one_that_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "MIT"
    [file] = project["license-files"]
    assert (ROOT / file).read_text("utf-8").startswith("MIT License\n")


def test_every_file_that_the_policy_of_security_and_the_templates_name_is_there() -> None:
    for file in ("SECURITY.md", ".github/PULL_REQUEST_TEMPLATE.md", ".github/ISSUE_TEMPLATE/bug.yml"):
        for name in re.findall(r"\b[A-Z]+\.md\b", (ROOT / file).read_text("utf-8")):
            assert (ROOT / name).is_file(), f"{file} names {name}"
