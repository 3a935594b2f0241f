import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.host.restart import Beginning

COMMAND = ["python3", "-P", "-m", "local.host", "--port", "0"]


class Child:
    """What a process is to its parent: it is waited for, and Ctrl-C interrupts the wait."""

    def __init__(self) -> None:
        self.interrupts = 2

    def wait(self) -> int:
        self.interrupts -= 1
        if self.interrupts >= 0:
            raise KeyboardInterrupt
        return 3


@pytest.mark.parametrize("arguments", [COMMAND, [*COMMAND, "--port", "7071"]])
def test_on_windows_the_same_command_runs_as_a_child_whose_exit_code_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    started: list[tuple[list[str], str, str | None]] = []

    def popen(command: list[str], *, env: dict[str, str]) -> Child:
        started.append((command, str(Path.cwd()), env.get("ADDED_LATER")))
        return Child()

    monkeypatch.chdir(tmp_path)
    beginning = Beginning.now()
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setenv("ADDED_LATER", "by local.settings.json")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(sys, "orig_argv", arguments)
    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit) as ended:
        beginning.again(port=7071)
    assert ended.value.code == 3
    assert started == [([sys.executable, *COMMAND[1:], "--port", "7071"], str(tmp_path), None)]
