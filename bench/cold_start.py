"""What it takes from the start of a process to an indexed app, and to the first webhook answered.

`python -m bench.cold_start` prints a table. The base is an app that imports what this one uses and no more, keeps a
webhook as one row and answers it. Each start is a new process, the apps by turns. "Compiled" is with .pyc files of
everything; "own code not" is what a package has whose dependencies were compiled as they were installed, and whose own
folder can't be written; "nothing compiled" is without any.
"""

import collections
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from bench import forms
from bench.report import Report, Row, text
from bench.stubbed import stubbed
from bench.talking import ROOT
from bench.ways.way import Place

App = Literal["bare", "sdks", "function_app"]
Code = Literal["compiled", "own code not", "nothing compiled"]
NAMES: Final[dict[App, str]] = {"bare": "azure.functions alone", "sdks": "its SDKs alone", "function_app": "this app"}
WEBHOOKS: Final = ("sms_status", "voice_inbound")
GOAL: Final = 1.3
UNWANTED: Final = ("twilio.rest", "azure.identity", "azure.storage.queue", "requests")
_START: Final = ROOT / "bench" / "starts" / "start.py"
_IMPORT: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*([\w.]+)")
_LARGEST: Final = 8


@dataclass(frozen=True, slots=True)
class Begun:
    """What one process told: seconds of CPU and of waiting until it was indexed, and until it had answered."""

    indexed: tuple[float, float]
    answered: tuple[float, float] | None
    memory: float | None
    """MB at most"""
    modules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where processes are started: their settings, and folders of compiled code."""

    settings: dict[str, str]
    compiled: Path
    own_not: Path
    nothing: Path

    def environment(self, code: Code) -> dict[str, str]:
        """Return the environment of a process that finds this much compiled."""
        folder = {"compiled": self.compiled, "own code not": self.own_not, "nothing compiled": self.nothing}[code]
        keep = {} if code == "compiled" else {"PYTHONDONTWRITEBYTECODE": "1"}
        return {**self.settings, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder), **keep}

    def start(self, app: App, code: Code, webhook: str | None = None) -> Begun:
        """Start an app, and let it answer."""
        command = [sys.executable, str(_START), app, repr(time.monotonic())]
        done = self._run(command, code, json.dumps(_asked(webhook)))
        told: dict[str, Any] = json.loads(done.stdout)
        if told.get("status", 200) not in {200, 204}:
            raise SystemExit(f"expected {webhook} to be answered, got {told['status']}")
        answered = tuple(told["answered"]) if webhook else None
        return Begun(tuple(told["indexed"]), answered, told["memory"], frozenset(told["modules"]))

    def imports(self) -> dict[str, float]:
        """Return the milliseconds that each top-level package takes by itself when this app is imported."""
        command = [sys.executable, "-X", "importtime", "-c", "import function_app"]
        packages: collections.Counter[str] = collections.Counter()
        for spent, module in _IMPORT.findall(self._run(command, "compiled").stderr):
            packages[module.partition(".")[0]] += int(spent)
        return {name: spent / 1000 for name, spent in packages.most_common()}

    def _run(self, command: list[str], code: Code, said: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(  # noqa: S603 - a command of ours
            command, input=said, capture_output=True, text=True, env=self.environment(code), cwd=ROOT, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        return done


@contextmanager
def bench() -> Iterator[Bench]:
    """Make ready: storage, and everything compiled once."""
    with tempfile.TemporaryDirectory() as folder, stubbed() as stub:
        connection = Place.of(stub.argument).storage
        places = [Path(folder) / name for name in ("compiled", "own", "nothing")]
        ready = Bench({**forms.settings(connection), "STORAGE": connection}, *places)
        for app in NAMES:
            for webhook in WEBHOOKS if app != "bare" else (None,):
                ready.start(app, "compiled", webhook)
        shutil.copytree(ready.compiled, ready.own_not)
        own = ready.own_not / ROOT.relative_to(ROOT.anchor)
        for path in (own / "shared", own / "function_app.cpython-{}{}.pyc".format(*sys.version_info)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield ready


def _asked(webhook: str | None) -> dict[str, Any] | None:
    if webhook is None:
        return None
    posted = forms.post(webhook)
    return {
        "function": posted.function,
        "target": posted.target,
        "headers": posted.headers,
        "body": posted.body.decode(),
    }


Found = dict[tuple[App, str | None], list[Begun]]


def _rounds(ready: Bench, code: Code, rounds: int) -> Found:
    """Start every app in each round, one after the other, so that whatever else the machine does meets all."""
    pair: tuple[App, App] = ("sdks", "function_app")
    webhooks = WEBHOOKS if code == "compiled" else WEBHOOKS[:1]
    found: Found = {("bare", None): []} if code == "compiled" else {}
    found |= {(app, webhook): [] for webhook in webhooks for app in pair}
    for _ in range(rounds):
        for app, webhook in found:
            found[app, webhook].append(ready.start(app, code, webhook))
    return found


def _rows(found: Found) -> Iterator[Row]:
    base = found["sdks", WEBHOOKS[0]]
    starts = [kind for kind in found if kind[1] in {None, WEBHOOKS[0]}]
    for clock, unit in enumerate(("ms of CPU", "ms")):
        for kind in starts:
            name = f"indexed: {NAMES[kind[0]]}"
            row = Row.of(name, _indexed(found[kind], clock), unit, base=_indexed(base, clock))
            yield row.at_most(GOAL) if kind[0] == "function_app" else row
    for app, webhook in found:
        if webhook:
            name = f"{webhook.replace('_', '/')} answered: {NAMES[app]}"
            beside = _answered(found["sdks", webhook])
            row = Row.of(name, _answered(found[app, webhook]), "ms of CPU", base=beside)
            yield row.at_most(GOAL) if app == "function_app" else row
    if base[0].memory is not None:
        for kind in starts:
            yield Row.of(f"memory: {NAMES[kind[0]]}", _memory(found[kind]), "MB", base=_memory(base))


def _indexed(begun: Sequence[Begun], clock: int) -> list[float]:
    return [1000 * one.indexed[clock] for one in begun]


def _answered(begun: Sequence[Begun]) -> list[float]:
    return [1000 * one.answered[0] for one in begun if one.answered]


def _memory(begun: Sequence[Begun]) -> list[float]:
    return [one.memory or 0.0 for one in begun]


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Start them all."""
    many: dict[Code, int] = {"compiled": 1, "own code not": 1, "nothing compiled": 1}
    if not quick:
        many = {"compiled": 9, "own code not": 5, "nothing compiled": 5}
    with bench() as ready:
        found = {code: _rounds(ready, code, rounds) for code, rounds in many.items()}
        imports = ready.imports()
    notes = {"compiled": (*_notes(found["compiled"]), _largest(imports))}
    return tuple(
        Report(title=f"Cold start, {code}", rows=tuple(_rows(begun)), notes=notes.get(code, ()))
        for code, begun in found.items()
    )


def _notes(found: Found) -> Iterator[str]:
    for webhook in WEBHOOKS:
        modules = found["function_app", webhook][0].modules
        there = [name for name in UNWANTED if name in modules]
        found_there = ", ".join(there) or "nothing"
        yield f"After {webhook.replace('_', '/')}, of what it can do without: {found_there} is imported."


def _largest(imports: dict[str, float]) -> str:
    whole = sum(imports.values())
    parts = [f"{name} {spent:.0f}" for name, spent in list(imports.items())[:_LARGEST]]
    return f"Imports, ms by themselves, of {whole:.0f}: {', '.join(parts)} (one run, with -X importtime)."


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
