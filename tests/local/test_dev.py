import ast
import errno
import io
import os
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import dev
from dev import DevError, Venv

PROJECT = Path(dev.__file__).parent
BEFORE = ["ruff check", "ruff format --check", "mypy"]
PYTEST = "pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal"
FAULTS = "pytest -m faults tests/faults"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in here touches what the checkout's own dev.py made."""
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "HOME", tmp_path / ".switchboard")
    monkeypatch.setattr(dev, "LOG", tmp_path / ".switchboard" / "logs" / "install.log")
    locked = {tmp_path / path.name: source for path, source in dev.LOCKED.items()}
    monkeypatch.setattr(dev, "LOCKED", locked)
    for name in ("REQUIREMENTS", "TEST_REQUIREMENTS", "LOCK_REQUIREMENTS"):
        monkeypatch.setattr(dev, name, tmp_path / getattr(dev, name).name)
    for path in locked:
        path.write_text("one==1\n", "utf-8")


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


@pytest.mark.parametrize("version", [(3, 10), (3, 14), (4, 0)])
def test_another_python_is_told_what_is_supported_before_anything_else(version: tuple[int, int]) -> None:
    answer = started_by(version)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr == (
        f"Switchboard needs Python 3.11, 3.12 or 3.13, and this is Python {version[0]}.{version[1]}: "
        "start dev.py with one of those, such as `python3.13 dev.py` or, on Windows, `py -3.13 dev.py`.\n"
    )


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_each_python_that_the_project_supports_is_taken(version: tuple[int, int]) -> None:
    supported = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert supported == ">=3.11,<3.14"
    assert started_by(version).returncode == 0


def started_by(version: tuple[int, int]) -> subprocess.CompletedProcess[str]:
    """`dev.py --help`, by a Python that takes itself for another one."""
    program = f"import runpy, sys; sys.version_info = ({version[0]}, {version[1]}, 0, 'final', 0); "
    program += f"sys.argv = ['dev.py', '--help']; runpy.run_path({dev.__file__!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603 - our own


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would be installed, in place of installing it."""
    labels: list[str] = []
    monkeypatch.setattr(dev, "_step", lambda label, *_, **__: labels.append(label))
    return labels


def free_space(monkeypatch: pytest.MonkeyPatch, megabytes: int) -> None:
    usage = SimpleNamespace(free=megabytes * 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What dev.py says before it ends with 1."""
    assert dev.main(arguments) == 1
    return capsys.readouterr().err


def test_too_little_space_is_told_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], steps: list[str]
) -> None:
    free_space(monkeypatch, 999)
    assert told(capsys, "test") == (
        f"dev.py needs 1000 MB of free space for what it installs in {dev.HOME}, "
        "and there are 999 MB: make room, and start again.\n"
    )
    assert steps == []


@pytest.mark.parametrize(
    ("has_packages", "has_azurite", "needed"), [(True, True, 0), (True, False, 500), (False, True, 500)]
)
def test_what_is_installed_already_needs_no_space_again(
    monkeypatch: pytest.MonkeyPatch, venv: Venv, steps: list[str], *, has_packages: bool, has_azurite: bool, needed: int
) -> None:
    dev.HOME.mkdir()
    if has_packages:
        venv.remember(dev.REQUIREMENTS)
    if has_azurite:
        (dev.HOME / "azurite").mkdir()
    if needed:
        free_space(monkeypatch, needed - 1)
        with pytest.raises(DevError, match=f"needs {needed} MB of free space .*, and there are {needed - 1} MB"):
            dev.prepare(venv, dev.REQUIREMENTS, azurite=True)
        assert steps == []
    free_space(monkeypatch, needed)
    dev.prepare(venv, dev.REQUIREMENTS, azurite=True)
    assert steps == ([] if has_packages else ["Python packages"]) + ["Azurite"]


@pytest.mark.parametrize("made_before", [True, False])
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_checkout_that_cannot_be_written_is_told_before_anything_is_installed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    steps: list[str],
    number: int,
    *,
    made_before: bool,
) -> None:
    if made_before:
        dev.HOME.mkdir()
    unwritable(monkeypatch, number)
    assert told(capsys, "test") == (
        f"dev.py keeps what it installs in {dev.HOME}, which cannot be written ({os.strerror(number)}): "
        "make it writable, or copy the checkout to a folder that is.\n"
    )
    assert steps == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_to_the_last_byte_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], steps: list[str], number: int
) -> None:
    unwritable(monkeypatch, number)
    error = told(capsys, "test")
    assert error.startswith("dev.py cannot go on: ")
    assert error.endswith(" The disk is full: make room, and start again.\n")
    assert error.count("\n") == 1
    assert steps == []


def unwritable(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the system refuse to write, as it does with a folder that is mounted read-only, somebody else's, or full."""

    def refuse(self: Path, *_: object, **__: object) -> None:
        if not self.exists():
            raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(Path, "open", refuse)


def test_a_step_that_fills_the_disk_is_told_as_that() -> None:
    program = "print('OSError: [Errno 28] No space left on device'); print('gave up'); raise SystemExit(1)"
    with pytest.raises(DevError, match=r"gave up \(all of it: .*\)\. The disk is full: make room, and start again\.$"):
        dev._step("Packages", [sys.executable, "-c", program], hint=dev.REACHABLE)


def test_a_step_ends_though_its_log_cannot_be_written() -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    more_than_a_pipe_holds = "print('x' * 99 + '\\n', end='') or [print('y' * 99) for _ in range(5000)]"
    output: list[str] = []
    with dev._started([sys.executable, "-c", more_than_a_pipe_holds]) as step:
        dev._copy(step, Full(), output)
        assert step.wait(60) == 0
    assert len(output) == 5001


def test_a_second_start_finds_everything_installed(venv: Venv) -> None:
    assert not venv.has(dev.REQUIREMENTS)
    venv.remember(dev.REQUIREMENTS)
    assert venv.has(dev.REQUIREMENTS)
    assert not venv.has(dev.TEST_REQUIREMENTS)


def test_changed_requirements_are_installed_again(venv: Venv) -> None:
    venv.remember(dev.REQUIREMENTS)
    dev.REQUIREMENTS.write_text("one==2\n", "utf-8")
    assert not venv.has(dev.REQUIREMENTS)


def test_what_was_installed_before_another_lock_file_is_installed_again_when_the_file_comes_back(venv: Venv) -> None:
    venv.remember(dev.TEST_REQUIREMENTS)
    dev.REQUIREMENTS.write_text("one==2\n", "utf-8")
    with venv.changing():
        venv.remember(dev.REQUIREMENTS)
    dev.REQUIREMENTS.write_text("one==1\n", "utf-8")
    assert not venv.has(dev.TEST_REQUIREMENTS), "one==2 is there now"


def test_adding_the_packages_of_the_tests_keeps_those_of_the_app(venv: Venv) -> None:
    venv.remember(dev.REQUIREMENTS)
    with venv.changing():
        venv.remember(dev.TEST_REQUIREMENTS)
    assert venv.has(dev.REQUIREMENTS)


@pytest.fixture
def stepped(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would take long, in place of running them."""
    commands: list[list[str]] = []
    monkeypatch.setattr(dev, "_step", lambda _, command, **__: commands.append(command))
    return commands


def test_packages_are_installed_only_with_the_hashes_of_the_lock_file(venv: Venv, stepped: list[list[str]]) -> None:
    dev.prepare(venv, dev.TEST_REQUIREMENTS, azurite=False)
    [pip] = stepped
    assert "--require-hashes" in pip
    assert pip[-2:] == ["-r", str(dev.TEST_REQUIREMENTS)]
    assert venv.has(dev.REQUIREMENTS), "the lock file of the tests names what the app needs as well"


def test_the_lock_tool_is_installed_apart_from_the_app(venv: Venv, stepped: list[list[str]]) -> None:
    dev.prepare(venv, dev.LOCK_REQUIREMENTS, azurite=False)
    assert venv.has(dev.LOCK_REQUIREMENTS)
    assert not venv.has(dev.REQUIREMENTS)
    assert dev.main(["lock"]) == 0
    tools = {Path(command[0]).relative_to(dev.HOME).parts[0] for command in stepped if "uv" in command}
    assert tools == {"lock-tool"}


@pytest.mark.parametrize("upgrade", [True, False])
def test_each_lock_file_is_resolved_for_all_pythons_and_systems_after_the_one_that_it_follows(
    stepped: list[list[str]], *, upgrade: bool
) -> None:
    assert dev.main(["lock", "--upgrade"] if upgrade else ["lock"]) == 0
    resolved = [command for command in stepped if "uv" in command]
    assert [command[-1] for command in resolved] == [path.name for path in dev.LOCKED]
    for command in resolved:
        assert {"--universal", "--generate-hashes"} <= set(command)
        assert ("--upgrade" in command) is upgrade
    for command in resolved[1:3]:
        assert command[command.index("--constraints") + 1] == "requirements.txt"


def test_install_installs_what_the_tests_and_run_need_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Path, bool]] = []
    monkeypatch.setattr(dev, "prepare", lambda _, requirements, *, azurite: asked.append((requirements, azurite)))
    assert dev.main(["install"]) == 0
    assert asked == [(dev.TEST_REQUIREMENTS, True)]


@pytest.mark.parametrize("command", ["install", "lock"])
def test_what_install_and_lock_do_not_know_is_told(
    monkeypatch: pytest.MonkeyPatch, stepped: list[list[str]], command: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        dev.main([command, "--upgarde"])
    assert stepped == []


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


def test_the_version_of_the_project_and_of_python_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev, "ROOT", PROJECT)
    with pytest.raises(SystemExit, match="0"):
        dev.main(["--version"])
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert capsys.readouterr().out == f"Switchboard {version}, Python {sys.version.split()[0]}\n"


def recorded(monkeypatch: pytest.MonkeyPatch, *, code: int) -> list[list[str]]:
    commands: list[list[str]] = []

    def call(command: list[str], **_: object) -> int:
        commands.append(command[2:])
        return code

    monkeypatch.setattr(dev, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(subprocess, "call", call)
    return commands
