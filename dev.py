"""Switchboard on a machine with nothing but Python: `python3 dev.py run`, `test`, `send` and more.

Makes a virtual environment and gets Azurite, all in `.switchboard/`, then hands over to `python -m local`.
Standard library only, in one file; what is installed already is not installed again.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11) or sys.version_info >= (3, 14):
    sys.exit(
        "Switchboard needs Python 3.11, 3.12 or 3.13, and this is Python %d.%d: start dev.py with one of those, "  # noqa: UP031
        "such as `python3.13 dev.py` or, on Windows, `py -3.13 dev.py`." % sys.version_info[:2]
    )

import argparse
import contextlib
import errno
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent
HOME = ROOT / ".switchboard"
REQUIREMENTS = ROOT / "requirements.txt"
TEST_REQUIREMENTS = ROOT / "requirements-dev.txt"
BENCH_REQUIREMENTS = ROOT / "requirements-bench.txt"
LOCK_REQUIREMENTS = ROOT / "requirements-lock.txt"
LOCKED = {
    REQUIREMENTS: "pyproject.toml",
    TEST_REQUIREMENTS: "pyproject.toml --group test --constraints requirements.txt",
    BENCH_REQUIREMENTS: "pyproject.toml --group bench --constraints requirements.txt",
    ROOT / "requirements-node.txt": "--group node",  # local/azurite/install.py installs it
    LOCK_REQUIREMENTS: "--group lock",
}
"""the lock files, in the order in which they are resolved, and what of pyproject.toml each of them locks"""
LOG = HOME / "logs" / "install.log"
NEWS_SECONDS = 15  # between two signs of life, where there is no terminal to show them live
REACHABLE = " Are the package registries reachable?"
PART_BYTES = (
    500 * 10**6
)  # the packages take 300 MB, Azurite 370 MB, and what is downloaded lies beside them for a while
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
SAYS_DISK_FULL = re.compile("no space left|ENOSPC|not enough space|quota exceeded", re.IGNORECASE)
MAKE_ROOM = " The disk is full: make room, and start again."
BOLD, RED, GREEN = 1, 31, 32
INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended
LOCAL_COMMANDS = {
    "run": "start everything, prove that it works, and stay up",
    "send": "enqueue one request",
    "show": "show a delivery and its timeline",
    "search": "find deliveries",
    "tail": "print events as they are recorded",
    "replay": "send rejected or failed deliveries again",
    "template": "show, list and check the message templates",
    "flow": "show, list and check the call flows",
    "replies": "try, list and check the rules that answer texts",
    "soak": "send thousands of requests while everything fails, and count",
}
EXAMPLES = """\
examples:
  python3 dev.py run
  python3 dev.py send --to +14155550100 --body "Hello" --follow
  python3 dev.py COMMAND --help
"""
TEST_EXAMPLES = """\
What dev.py does not know goes to pytest.

examples:
  python3 dev.py test
  python3 dev.py test --only types
  python3 dev.py test --only pytest tests/text -k segments
  python3 dev.py test --only faults -k frozen
"""
INSTALL_EXAMPLES = """\
examples:
  python3 dev.py install
"""
LOCK_EXAMPLES = """\
Versions stay as they are locked while pyproject.toml allows them.

examples:
  python3 dev.py lock
  python3 dev.py lock --upgrade
"""
CHECKS: dict[str, Sequence[str]] = {
    "lint": ("ruff", "check"),
    "format": ("ruff", "format", "--check"),
    "types": ("mypy",),
    # each worker has storage of its own; with more of them than cores, all is faster and some test may wait in vain
    "pytest": ("pytest", "--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal"),
    # after the others: it keeps the cores busy by itself
    "faults": ("pytest", "-m", "faults", "tests/faults"),
}
"""what `test` runs, in this order, and how"""
TAKE_ARGUMENTS = ("pytest", "faults")


class DevError(Exception):
    """Something that is expected to go wrong at times; its message is the sentence that the person reads."""


@dataclass(frozen=True)
class Venv:
    """A virtual environment for this very Python, with the packages of requirement files."""

    folder: Path

    @classmethod
    def of_this_python(cls, home: Path = HOME) -> Venv:
        """The one of this Python version, made or not."""
        return cls(home / "venv-{}.{}".format(*sys.version_info))

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def has(self, requirements: Path) -> bool:
        """Whether what the file lists has been installed, all of it, by this very Python."""
        stamp = self._stamp(requirements)
        return self.python.exists() and stamp.is_file() and stamp.read_text("utf-8") == _fingerprint()

    def remember(self, requirements: Path) -> None:
        """Note that what the file lists is installed: the last step."""
        self._stamp(requirements).write_text(_fingerprint(), "utf-8")

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Mark it as unfinished while packages are installed; one that was left unfinished is made anew."""
        mark = self.folder / "unfinished"
        if mark.exists() or not self.python.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.touch()
        for stamp in self.folder.glob("installed-*"):
            if stamp.read_text("utf-8") != _fingerprint():
                stamp.unlink()  # the versions of other lock files are about to be replaced
        yield
        mark.unlink()

    def _stamp(self, requirements: Path) -> Path:
        return self.folder / f"installed-{requirements.name}"


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; returns the exit code, after one sentence where something is wrong."""
    try:
        return _main(list(arguments))
    except DevError as fault:
        print(fault, file=sys.stderr)
        return 1
    except OSError as fault:
        hint = MAKE_ROOM if fault.errno in DISK_FULL else ""
        print(f"dev.py cannot go on: {fault}.{hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED


def _main(arguments: list[str]) -> int:
    options, rest = parser().parse_known_args(arguments)
    if options.command in {"install", "lock"} and rest:
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "install":
        prepare(Venv.of_this_python(), TEST_REQUIREMENTS, azurite=True)
        return 0
    if options.command == "lock":
        return lock_requirements(upgrade=options.upgrade)
    if options.command == "test":
        return run_tests(options.only, rest)
    if options.command == "bench":
        return hand_over("bench", rest, BENCH_REQUIREMENTS, azurite=True)
    return hand_over("local", arguments, REQUIREMENTS, azurite=arguments[0] in {"run", "soak"})


def parser() -> argparse.ArgumentParser:
    """The commands. `python -m local` and `python -m bench` know the options of theirs."""
    whole = argparse.ArgumentParser(
        prog="dev.py",
        description=__doc__,
        epilog=EXAMPLES,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action=ShowVersion, nargs=0, help="print the version, and stop")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in LOCAL_COMMANDS.items():
        commands.add_parser(name, help=what, add_help=False)
    commands.add_parser("bench", help="measure what a message costs, beside other ways to send it", add_help=False)
    own = partial(commands.add_parser, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    test = own("test", help="run lint, types, tests and the fault harness", epilog=TEST_EXAMPLES)
    test.add_argument("--only", choices=CHECKS, help="one of the checks instead of all")
    own("install", help="install what run and test need, and stop", epilog=INSTALL_EXAMPLES)
    lock = own("lock", help="resolve pyproject.toml into the requirements files", epilog=LOCK_EXAMPLES)
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    return whole


class ShowVersion(argparse.Action):
    """Print the version of pyproject.toml and of this Python, and stop."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Read the version only if somebody asks for it."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        print(f"Switchboard {project['version']}, Python {sys.version.split()[0]}")
        parser.exit()


def hand_over(module: str, arguments: list[str], requirements: Path, *, azurite: bool) -> int:
    """Let `python -m MODULE` do the rest, in the virtual environment."""
    venv = Venv.of_this_python()
    command = ["-P", "-m", module]
    asks_for_help = not {"-h", "--help"}.isdisjoint(arguments)
    if asks_for_help or not venv.has(requirements):
        # What the arguments get wrong is told before anything long begins.
        code = subprocess.call([sys.executable, *command, "--check", *arguments], env=_environment())
        if code or asks_for_help:
            return code
    prepare(venv, requirements, azurite=azurite)
    return _become([str(venv.python), *command, *arguments])


def run_tests(only: str | None, pytest_arguments: list[str]) -> int:
    """Run the checks until one fails; returns its exit code. Who chooses tests by arguments has chosen no others."""
    venv = Venv.of_this_python()
    prepare(venv, TEST_REQUIREMENTS, azurite=True)
    chosen = [only] if only else [name for name in CHECKS if name != "faults" or not pytest_arguments]
    for name in chosen:
        command = [*CHECKS[name], *(pytest_arguments if name in TAKE_ARGUMENTS else ())]
        print(_painted(f"== {name}: {' '.join(command)}", BOLD), flush=True)
        code = subprocess.call([str(venv.python), "-m", *command], cwd=ROOT, env=_environment())
        if code:
            left = ", ".join(chosen[chosen.index(name) + 1 :]) or "nothing"
            print(_painted(f"== {name} failed; not run: {left}", RED))
            return code
    print(_painted(f"== passed: {', '.join(chosen)}, on Python {sys.version.split()[0]}", GREEN))
    return 0


def _painted(text: str, code: int) -> str:
    """Return a text for standard output in colour, if that is a terminal and nobody asked for none.

    As local/colours.py decides, which this file does not import: https://no-color.org
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m" if os.name != "nt" or "WT_SESSION" in os.environ else text


def lock_requirements(*, upgrade: bool) -> int:
    """Write each lock file: every package in one version, with the hashes of its files, for each Python and system.

    Versions stay as they are locked while pyproject.toml allows them, unless `upgrade`.
    https://docs.astral.sh/uv/pip/compile/
    """
    venv = Venv.of_this_python(HOME / "lock-tool")
    prepare(venv, LOCK_REQUIREMENTS, azurite=False)
    compiled = [str(venv.python), "-m", "uv", "pip", "compile", "--no-config", "--no-cache", "--no-progress"]
    compiled += ["--python", str(venv.python), "--universal", "--python-version", "3.11", "--generate-hashes"]
    compiled += ["--annotation-style", "line", "--custom-compile-command", "python3 dev.py lock"]
    for file, source in LOCKED.items():
        newest = ["--upgrade"] if upgrade else []
        _step(f"Lock {file.name}", [*compiled, *newest, *source.split(), "--output-file", file.name])
    print(f"Locked: {', '.join(file.name for file in LOCKED)}. `git diff` shows what changed.")
    return 0


def prepare(venv: Venv, requirements: Path, *, azurite: bool) -> None:
    """Install what is missing; raises DevError, before anything long begins where it cannot end well."""
    _require_a_writable_home()
    with _one_at_a_time():
        _require_room(parts=(not venv.has(requirements)) + (azurite and not (HOME / "azurite").exists()))
        if not venv.has(requirements):
            with venv.changing():
                _install_packages(venv, requirements)
        if azurite:
            _step("Azurite", [str(venv.python), "-m", "local.azurite.install"], hint=REACHABLE)


def _require_a_writable_home() -> None:
    try:
        HOME.mkdir(exist_ok=True)
        (HOME / "lock").open("a").close()
        tempfile.TemporaryFile(dir=HOME).close()
    except OSError as fault:
        if fault.errno in DISK_FULL:
            raise
        raise DevError(
            f"dev.py keeps what it installs in {HOME}, which cannot be written ({fault.strerror}): "
            "make it writable, or copy the checkout to a folder that is."
        ) from fault


def _require_room(parts: int) -> None:
    free, needed = shutil.disk_usage(HOME).free, parts * PART_BYTES
    if free < needed:
        raise DevError(
            f"dev.py needs {needed // 10**6} MB of free space for what it installs in {HOME}, "
            f"and there are {free // 10**6} MB: make room, and start again."
        )


def _install_packages(venv: Venv, requirements: Path) -> None:
    if not venv.python.exists():
        hint = " On Debian and Ubuntu it needs the package python3-venv."
        _step("Virtual environment", [sys.executable, "-m", "venv", str(venv.folder)], hint=hint)
    pip = [str(venv.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    _step("Python packages", [*pip, "--progress-bar", "off", "-r", str(requirements)], hint=REACHABLE)
    # The files of the tests and of bench/ name everything that the app needs as well.
    for installed in {requirements} if requirements == LOCK_REQUIREMENTS else {requirements, REQUIREMENTS}:
        venv.remember(installed)


def _fingerprint() -> str:
    """What an install depends on: the lock files, and which Python this is."""
    content = b"".join(path.read_bytes() for path in LOCKED)
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def _step(label: str, command: list[str], *, hint: str = "") -> None:
    """Run a command that may take long, its output in the log; raises DevError if it fails."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    output: list[str] = [""]
    with LOG.open("a", encoding="utf-8") as log, _started(command) as process:
        reader = threading.Thread(target=_copy, args=(process, log, output), daemon=True)
        reader.start()
        _show_progress(label, process, output)
        reader.join()
    if process.returncode:
        where = LOG.relative_to(ROOT)
        if any(SAYS_DISK_FULL.search(line) for line in output):
            hint = MAKE_ROOM
        raise DevError(f"{label}: failed with code {process.returncode}: {output[-1]} (all of it: {where}).{hint}")


@contextlib.contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that does not outlive the block."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _copy(process: subprocess.Popen[str], log: TextIO, output: list[str]) -> None:
    for line in process.stdout or ():
        # On a full disk the log ends, but whoever writes must not wait for a reader.
        with contextlib.suppress(OSError):
            log.write(line)
        if line.strip():
            output.append(line.strip())


def _show_progress(label: str, process: subprocess.Popen[str], output: list[str]) -> None:
    """Say how long it takes and what it does; nothing, if it takes no second."""
    began, said = time.monotonic(), 0.0
    live = sys.stdout.isatty()
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1 if live else 1)
            break
        elapsed = time.monotonic() - began
        if live:
            line = f"{'|/-'[int(elapsed * 5) % 3]} {label}: {elapsed:.0f} s  {output[-1]}"
            print("\r" + line.encode("ascii", "replace").decode()[: _width()].ljust(_width()), end="", flush=True)
        elif not said or elapsed - said >= NEWS_SECONDS:
            print(f"{label}: {elapsed:.0f} s  {output[-1]}"[:100], flush=True)
            said = elapsed
    elapsed = time.monotonic() - began
    if live:
        print("\r" + " " * _width() + "\r", end="")
    if elapsed >= 1 and process.returncode == 0:
        print(f"{label}: done in {elapsed:.0f} s", flush=True)


def _width() -> int:
    return shutil.get_terminal_size().columns - 1


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold the lock of all installs here; the system lets go of it when this process ends, however it ends."""
    HOME.mkdir(exist_ok=True)
    with (HOME / "lock").open("a") as lock:
        if not _try_lock(lock):
            print("Another dev.py is installing: waiting for it.", flush=True)
            while not _try_lock(lock):
                time.sleep(0.2)
        yield


def _try_lock(file: TextIO) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - exists on Windows only

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - does not exist on Windows

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _become(command: list[str]) -> int:
    """Let the command take the place of this process; where there is no such thing, wait for it."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, _environment())  # noqa: S606 - no shell is the point
    process = subprocess.Popen(command, env=_environment())
    while True:
        # Ctrl-C reaches it as well, and it stops in its own time.
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


def _environment() -> dict[str, str]:
    """This checkout's packages are found from wherever dev.py is called."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
