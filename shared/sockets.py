"""Sockets that keep nothing back: what was not on its way when a connection ends is not sent afterwards."""

import socket
import struct
import sys
from collections.abc import Callable
from typing import Any, Final

KEEP_ALIVE_SECONDS: Final = 4.0
"""how long an unused connection is kept for the next request: less than the server keeps it.

A request that leaves just as the server closes the connection gets no answer. Node's servers, and so Azurite, announce
`Keep-Alive: timeout=5`: https://nodejs.org/api/http.html#serverkeepalivetimeout. Neither Azure Storage nor Twilio
documents its own time. A new connection costs some milliseconds, a lost answer of Twilio more than a minute."""

_FORMAT: Final = "HH" if sys.platform == "win32" else "ii"
"""of `struct linger`"""
_RESET_AT_ONCE: Final = struct.pack(_FORMAT, 1, 0)
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Linux has it: https://man7.org/linux/man-pages/man7/tcp.7.html"""


def bounded(seconds: float) -> Callable[[tuple[Any, ...]], socket.socket]:
    """Return what makes a socket for an address (as socket.getaddrinfo describes it).

    A kernel goes on for minutes sending what a closed connection left behind: these are reset when they are closed, and
    what was left behind goes with them. And where the system can, one whose data is not acknowledged for so many
    seconds ends by itself, even if the process that should close it stands still.
    """

    def make(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        if _USER_TIMEOUT is not None:
            made.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(seconds * 1000)))
        return made

    return make
