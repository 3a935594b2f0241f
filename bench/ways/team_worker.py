"""`python -m bench.ways.team_worker KIND PORTS FOLDER`: a Celery worker with its Redis, and the callbacks' web server.

Answers as `bench.ways` does: what is counted is the worker with its children, and the process that takes callbacks.
"""

import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from bench import processes
from bench.talking import talking
from bench.ways.sample import Kind, Sample

HOST: Final = "127.0.0.1"
_NEEDED: Final = ("celery", "kombu.transport.redis", "flask", "sqlalchemy")
_PATIENCE: Final = 60
"""seconds for a worker to begin, and for all of a round"""


def missing() -> str | None:
    """Say what is not there, in a sentence."""
    lacking = [name for name in _NEEDED if not _can_be_imported(name)]
    if lacking:
        return f"it can't be imported: {', '.join(lacking)}"
    if shutil.which("redis-server") is None:
        return "there is no redis-server on PATH (Debian: `apt-get install redis-server`)"
    return None if processes.are_told() else "there is no /proc to read the CPU of processes from"


def _can_be_imported(name: str) -> bool:
    """Try it: that it is installed says nothing of what it needs itself."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


@contextmanager
def redis() -> Iterator[int]:
    """Run a Redis that keeps nothing; its port."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--bind", HOST, "--port", str(port), "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - nothing of it comes from outside
        try:
            yield port
        finally:
            process.terminate()


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[int]:
    """Run a worker as it comes, with a process per core; its process id."""
    command = [sys.executable, "-m", "celery", "--app", "bench.ways.team:queue", "worker", "--loglevel", "ERROR"]
    with subprocess.Popen(  # noqa: S603 - nothing of it comes from outside
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def main(kind: Kind, ports: str, folder: str) -> None:
    """Do what comes until there is no more."""
    why = missing()
    print(json.dumps(why or "ready"), flush=True)
    if why:
        return
    database = Path(folder) / "team.db"
    with ExitStack() as stack:
        port = stack.enter_context(redis())
        twilio = f"http://{HOST}:{json.loads(ports)['twilio']}"
        told = {"BENCH_REDIS": f"redis://{HOST}:{port}/0", "BENCH_TWILIO": twilio, "BENCH_DATABASE": str(database)}
        os.environ.update(told)
        from bench.ways import team  # noqa: PLC0415 - it reads where things are

        team.make_tables()
        pid = stack.enter_context(worker(dict(os.environ)))
        web = stack.enter_context(talking("bench.ways", "webhooks", kind, ports, str(database)))
        web.hear()
        done = 0
        for line in sys.stdin:
            count = json.loads(line)["messages"]
            cost = _round(team, kind, pid, count=count, already=done)
            done += count
            callbacks = web.ask({"messages": count, "at_once": 1})
            total = {
                "cpu": cost / count + callbacks["cpu"],
                "seconds": 0,
                "memory": processes.memory(pid) + callbacks["memory"],
            }
            print(json.dumps(total), flush=True)


def _round(team: Any, kind: Kind, pid: int, *, count: int, already: int) -> float:  # noqa: ANN401 - a module
    """Enqueue so many and wait for them; the CPU that they took."""
    samples = [Sample(kind, f"b{uuid.uuid4().hex}") for _ in range(count)]
    begun = None if already == 0 else processes.cpu(pid)
    for sample in samples:
        team.queue.send_task("team.send", (kind, sample.number, sample.said if kind == "text" else sample.document))
    late = time.monotonic() + _PATIENCE
    while team.count() < already + count:
        if time.monotonic() > late:
            raise SystemExit(f"expected {count} messages of Celery within {_PATIENCE} s, got fewer")
        time.sleep(0.02)
    # the first round is the one that starts the worker, and is not looked at
    return processes.cpu(pid) - (begun or 0)


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
