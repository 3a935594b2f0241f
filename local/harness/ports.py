"""Ports for hosts that come and go, so that each finds its own free whenever it is started."""

import atexit
import functools
import itertools
import os
import socket
from collections.abc import Iterator

HOST = "127.0.0.1"
FIRST = 20_000
"""from here on up to 30,000: below those that systems give to outgoing connections"""
BLOCKS, BLOCK = 10, 1000
"""Two runs at once must not give the same port, which nobody listens on until its host starts: each has a block."""


def free_port() -> int:
    """A port that nobody listens on, that no outgoing connection and no other process that asks this is given."""
    for port in itertools.islice(_own_block().ports, BLOCK):
        if _is_free(port):
            return port
    raise OSError(f"expected a free port among the {BLOCK} of this process, and there is none")


class _Block:
    """A block of ports, as long as its first one is bound, which is until the process ends."""

    def __init__(self, guard: socket.socket) -> None:
        self._guard = guard
        first = guard.getsockname()[1]
        self.ports: Iterator[int] = itertools.cycle(range(first + 1, first + BLOCK))


@functools.cache
def _own_block() -> _Block:
    for nth in range(BLOCKS):
        guard = socket.socket()
        try:
            guard.bind((HOST, FIRST + (os.getpid() + nth) % BLOCKS * BLOCK))
        except OSError:
            guard.close()
        else:
            atexit.register(guard.close)
            return _Block(guard)
    raise OSError(f"expected one of the ports {FIRST}, {FIRST + BLOCK} … to be free, and none is")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
