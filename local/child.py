"""One child process of a development machine: started, known to be ready, stopped with all that it started."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from local.errors import LocalError

LINES_KEPT = 20


class ChildDiedError(LocalError):
    """A child ended, or was not ready in time; the message holds the last lines that it wrote."""


class Child:
    """A running child, in a process group of its own, so that Ctrl-C reaches its parent only.

    It is asked to stop by the end of its standard input, which comes as well when the parent is killed.
    What does not listen to that (Core Tools) is asked by a signal: `stops_by_signal`.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        ready: str,
        ready_lines: int = 1,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        stops_by_signal: bool = False,
    ) -> None:
        """Start it; `ready` is a pattern with a URL as its first group, met `ready_lines` times once ready."""
        self.name = name
        self.urls: list[str] = []
        self._pattern = re.compile(ready)
        self._ready_lines = ready_lines
        self._stops_by_signal = stops_by_signal
        self._last_lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._ready_or_over = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - every command is made by this package
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=Path(__file__).resolve().parents[1],
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._reader = threading.Thread(target=self._read, args=(log,), name=f"output of {name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_ready(self, *, timeout: float = 60) -> list[str]:
        """Wait at most `timeout` seconds; return the URLs of its ready lines or raise ChildDiedError."""
        if not self._ready_or_over.wait(timeout):
            raise ChildDiedError(self._obituary(f"was not ready within {timeout:g} s"))
        if len(self.urls) < self._ready_lines:
            raise ChildDiedError(self._obituary(f"ended with code {self._process.wait()} before it was ready"))
        return self.urls

    def check(self) -> None:
        """Raise ChildDiedError if it has ended."""
        if self._process.poll() is not None:
            self._reader.join(timeout=5)
            raise ChildDiedError(self._obituary(f"ended with code {self._process.returncode}"))

    def stop(self, *, timeout: float = 10) -> None:
        """Ask it to stop, wait at most `timeout` seconds, then kill it and whatever it started."""
        self._ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)
        self._kill_group()
        self._process.wait()
        self._reader.join(timeout=5)

    def _ask_to_stop(self) -> None:
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        if self._stops_by_signal and self._process.poll() is None:
            if sys.platform == "win32":
                self._process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                self._process.send_signal(signal.SIGINT)

    def _kill_group(self) -> None:
        if sys.platform == "win32":
            if self._process.poll() is None:
                killer = ["taskkill", "/F", "/T", "/PID", str(self.pid)]
                subprocess.run(killer, check=False, capture_output=True)  # noqa: S603 - a command of Windows
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _obituary(self, what: str) -> str:
        lines = "\n".join(f"    {line}" for line in self._last_lines) or "    (it wrote nothing)"
        return f"{self.name} {what}; its last lines:\n{lines}"

    def _read(self, log: Path | None) -> None:
        output = self._process.stdout
        if output is None:
            return
        with output, Path(log or os.devnull).open("a", encoding="utf-8", buffering=1) as copy:
            for line in output:
                copy.write(line)
                self._last_lines.append(line.rstrip())
                self._notice(line)
        self._ready_or_over.set()

    def _notice(self, line: str) -> None:
        if len(self.urls) < self._ready_lines and (found := self._pattern.search(line)):
            self.urls.append(found[1])
            if len(self.urls) == self._ready_lines:
                self._ready_or_over.set()
