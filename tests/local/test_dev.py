import ast
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import dev
from dev import DevError, Venv

BEFORE = ["ruff check", "ruff format --check", "mypy"]
PYTEST = "pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal"
FAULTS = "pytest -m faults tests/faults"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in here touches what the checkout's own dev.py made."""
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "HOME", tmp_path / ".switchboard")
    monkeypatch.setattr(dev, "LOG", tmp_path / ".switchboard" / "logs" / "install.log")
    for name in ("REQUIREMENTS", "TEST_REQUIREMENTS"):
        monkeypatch.setattr(dev, name, tmp_path / name.lower())
        (tmp_path / name.lower()).write_text("one>=1\n", "utf-8")


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    made = Venv(tmp_path / "venv")
    made.python.parent.mkdir(parents=True)
    made.python.touch()
    return made


def test_an_older_python_can_read_the_file_as_far_as_the_sentence_that_it_is_too_old() -> None:
    source = Path(dev.__file__).read_text("utf-8")
    ast.parse(source, feature_version=(3, 8))
    before_the_sentence = source[: source.index("sys.exit(")]
    assert before_the_sentence.count("import") == 2, "only __future__ and sys"


def test_a_second_start_finds_everything_installed(venv: Venv) -> None:
    assert not venv.has(dev.REQUIREMENTS)
    venv.remember(dev.REQUIREMENTS)
    assert venv.has(dev.REQUIREMENTS)
    assert not venv.has(dev.TEST_REQUIREMENTS)


def test_changed_requirements_are_installed_again(venv: Venv) -> None:
    venv.remember(dev.REQUIREMENTS)
    dev.REQUIREMENTS.write_text("one>=2\n", "utf-8")
    assert not venv.has(dev.REQUIREMENTS)


def test_an_environment_whose_python_is_gone_is_made_again(venv: Venv) -> None:
    venv.remember(dev.REQUIREMENTS)
    venv.python.unlink()
    assert not venv.has(dev.REQUIREMENTS)


def test_an_interrupted_install_begins_anew(venv: Venv) -> None:
    def interrupted() -> None:
        with venv.changing():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert venv.python.exists()
    with venv.changing():
        assert not venv.python.exists()


def test_a_finished_install_is_added_to(venv: Venv) -> None:
    for _ in range(2):
        with venv.changing():
            assert venv.python.exists()


def test_each_python_version_has_its_own_environment(tmp_path: Path) -> None:
    assert Venv.of_this_python(tmp_path).folder.name == f"venv-{sys.version_info[0]}.{sys.version_info[1]}"


def test_a_step_that_fails_is_told_in_one_sentence_with_its_last_line_and_its_log() -> None:
    command = [sys.executable, "-c", "print('first'); print('no route to host'); raise SystemExit(7)"]
    with pytest.raises(DevError, match=r"^Packages: failed with code 7: no route to host \(all of it: .*install.log\)"):
        dev._step("Packages", command)
    assert dev.LOG.read_text("utf-8") == "first\nno route to host\n"


def test_a_short_step_says_nothing_and_a_long_one_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    dev._step("Short", [sys.executable, "-c", "print('done')"])
    assert capsys.readouterr().out == ""
    dev._step("Long", [sys.executable, "-c", "import time; print('at it', flush=True); time.sleep(1.5)"])
    assert capsys.readouterr().out.startswith("Long: 1 s  at it\nLong: done in ")


def test_a_step_does_not_outlive_an_interrupt() -> None:
    started: list[subprocess.Popen[str]] = []

    def interrupted() -> None:
        with dev._started([sys.executable, "-c", "import time; time.sleep(600)"]) as step:
            started.append(step)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert started[0].returncode


def test_two_installs_at_once_wait_for_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    entered = threading.Event()

    def second() -> None:
        with dev._one_at_a_time():
            entered.set()

    thread = threading.Thread(target=second)
    with dev._one_at_a_time():
        thread.start()
        assert not entered.wait(0.3)
    assert entered.wait(20)
    thread.join()
    assert "Another dev.py is installing" in capsys.readouterr().out


def test_an_expected_failure_is_one_sentence_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DevError("It went wrong.")

    monkeypatch.setattr(dev, "prepare", fail)
    assert dev.main(["test"]) == 1
    assert capsys.readouterr().err == "It went wrong.\n"


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        (["test"], [*BEFORE, PYTEST, FAULTS]),
        (["test", "-k", "proof", "tests/local"], [*BEFORE, f"{PYTEST} -k proof tests/local"]),
        (["test", "--only", "pytest", "-x"], [f"{PYTEST} -x"]),
        (["test", "--only", "faults", "-x"], [f"{FAULTS} -x"]),
        (["test", "--only", "types"], ["mypy"]),
    ],
)
def test_the_checks_run_one_after_the_other_and_pytest_gets_its_own_arguments(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], ran: list[str]
) -> None:
    commands = recorded(monkeypatch, code=0)
    assert dev.main(arguments) == 0
    assert [" ".join(command) for command in commands] == ran


def test_the_first_check_that_fails_is_the_last_and_gives_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = recorded(monkeypatch, code=2)
    assert dev.main(["test"]) == 2
    assert commands == [["ruff", "check"]]
    assert capsys.readouterr().out.endswith("== lint failed; not run: format, types, pytest, faults\n")


def test_a_wrong_argument_is_told_before_anything_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[object] = []
    monkeypatch.setattr(dev, "prepare", lambda *given, **_: installed.append(given))
    monkeypatch.setattr(dev, "ROOT", Path(dev.__file__).parent)
    assert dev.main(["run", "--prot", "7071"]) == 2
    assert dev.main(["send", "--help"]) == 0
    assert dev.main(["bench", "--qiuck"]) == 2
    assert dev.main(["bench", "--help"]) == 0
    assert installed == []


def recorded(monkeypatch: pytest.MonkeyPatch, *, code: int) -> list[list[str]]:
    commands: list[list[str]] = []

    def call(command: list[str], **_: object) -> int:
        commands.append(command[2:])
        return code

    monkeypatch.setattr(dev, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(subprocess, "call", call)
    return commands
