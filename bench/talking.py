"""A child process that answers each line of JSON with another one, and ends with its input."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]


class ChildFailedError(Exception):
    """A child ended before it answered; the message is the last line that it wrote."""


class Talking:
    """A running child."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def hear(self) -> Any:  # noqa: ANN401 - whatever it says
        """Return what it says next.

        Raises:
            ChildFailedError: it ended.
        """
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise ChildFailedError(f"a measured process ended with code {self._process.wait()}")
        return json.loads(line)

    def ask(self, question: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever it says
        """Say something and return what it answers."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self.hear()


@contextmanager
def talking(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Talking]:
    """Start `python -m module` in this project, until the block is left; the caller's PYTHONPATH comes first."""
    command: Sequence[str] = [sys.executable, "-P", "-m", module, *arguments]
    path = [*filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)]
    inherited = {**os.environ, "PYTHONPATH": os.pathsep.join(path), **(environment or {})}
    with subprocess.Popen(  # noqa: S603 - our own modules
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=inherited
    ) as process:
        try:
            yield Talking(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
