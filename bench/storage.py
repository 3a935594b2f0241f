"""The stub of bench/stub in a process of its own: it takes no time of the process that is measured."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local import azurite

ROOT: Final = Path(__file__).resolve().parents[1]


@contextmanager
def storage() -> Iterator[str]:
    """Serve tables and queues until the block is left; yields their connection string."""
    command = [sys.executable, "-m", "bench.stub"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101 - it was asked for
        ports = json.loads(process.stdout.readline())
        table, queue = (f"http://127.0.0.1:{ports[name]}" for name in ("table", "queue"))
        yield azurite.connection_string(blob=queue, queue=queue, table=table)
        process.communicate()  # the end of its input ends it
