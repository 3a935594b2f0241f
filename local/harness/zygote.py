"""`python -m local.harness.zygote`: has imported everything that a host needs, and forks one whenever it is told.

Starting Python and importing the SDKs costs a second of work; a fork costs a hundredth. It reads commands, one JSON
line each, from standard input, and answers each with one line. As it is the hosts' parent, a pid that it was given
cannot be anybody else's; at the end of its standard input it kills what is left.
"""

import gc
import importlib
import os
import signal
import sys
from pathlib import Path

import msgspec

from local.harness.process import Order, run

IMPORTED = (
    *("shared.housekeeping.run", "shared.inbound.arrivals", "shared.inbound.status", "shared.logs"),
    *("shared.twilio_api", "shared.web.people", "shared.web.twilio", "shared.wiring"),
    # what the SDKs import when they are first used
    *("azure.core.rest._aiohttp", "phonenumbers.data.region_US", "twilio.rest.api", "twilio.twiml.messaging_response"),
)


class Fork(msgspec.Struct, frozen=True, tag="fork"):
    """Start a host; the answer is its pid."""

    order: Order
    log: str


class Kill(msgspec.Struct, frozen=True, tag="kill"):
    """End a host at once; when the answer comes, it is gone. The answer is 1 if it lived until now, else 0."""

    pid: int


class Signal(msgspec.Struct, frozen=True, tag="signal"):
    """Send a host a signal, such as SIGSTOP."""

    pid: int
    name: str


Command = Fork | Kill | Signal


def main() -> None:
    """Obey until standard input ends."""
    _import_all()
    children: set[int] = set()
    try:
        while line := sys.stdin.buffer.readline():
            answer = _obey(msgspec.json.decode(line, type=Command), children)
            os.write(1, b"%d\n" % answer)
    finally:
        for pid in list(children):
            _kill(pid, children)


def _import_all() -> None:
    """Import what function_app.py imports, but not itself: it reads its settings then."""
    for name in IMPORTED:
        importlib.import_module(name)
    # what is shared with the hosts stays shared
    gc.freeze()


def _obey(command: Command, children: set[int]) -> int:
    match command:
        case Fork(order, log):
            pid = os.fork()
            if pid == 0:
                _be_host(order, Path(log))
            children.add(pid)
            return pid
        case Kill(pid):
            return _kill(pid, children)
        case Signal(pid, name):
            os.kill(pid, getattr(signal, name))
            return 1


def _kill(pid: int, children: set[int]) -> int:
    if pid not in children:
        return 0
    children.discard(pid)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return int(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL)


def _be_host(order: Order, log: Path) -> None:
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        run(order)
        code = 0
    except BaseException:  # noqa: BLE001 - a forked process must not go on as its parent does
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
