"""Starting this process again, as it was started."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Beginning:
    """The folder and the environment in which a process was started, before it changed them."""

    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def now(cls) -> "Beginning":
        """Remember the present ones."""
        return cls(Path.cwd(), dict(os.environ))

    def again(self, *, port: int) -> NoReturn:
        """Start the same command again, on the same port, in place of this process: its id stays, its threads end.

        Windows cannot replace a process: there, the new one is a child, which this one waits for.
        """
        command = [sys.executable, *sys.orig_argv[1:], *_last_word(port)]
        sys.stdout.flush()
        sys.stderr.flush()
        os.chdir(self.folder)
        if sys.platform != "win32":
            os.execve(command[0], command, self.environment)  # noqa: S606 - no shell is the point
        process = subprocess.Popen(command, env=dict(self.environment))  # noqa: S603 - our own
        while True:
            # Ctrl-C reaches the child as well, and it stops in its own time.
            with suppress(KeyboardInterrupt):
                os._exit(process.wait())


def _last_word(port: int) -> list[str]:
    """`--port 0` means another port each time; of two options, the last one counts."""
    option = ["--port", str(port)]
    return [] if sys.orig_argv[-2:] == option else option
