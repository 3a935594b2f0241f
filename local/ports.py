"""Whether a port of 127.0.0.1 is free, asked before anything is started."""

import socket
import sys
from collections.abc import Mapping

from local.errors import LocalError

HOST = "127.0.0.1"


class PortBusyError(LocalError):
    """Somebody else listens there; the message names the port, what wanted it and the option for another."""


def require_different(wanted: Mapping[str, int]) -> None:
    """Raise PortBusyError where two options name the same port."""
    by_port: dict[int, str] = {}
    for option, port in wanted.items():
        if port in by_port:
            raise PortBusyError(f"Port {port} can't be used twice, and {by_port[port]} and {option} both name it.")
        by_port[port] = option


def require_free(port: int, *, wanted_by: str, option: str) -> None:
    """Raise PortBusyError unless the port can be listened on."""
    if _is_busy(port):
        raise PortBusyError(
            f"Port {port} is busy, and {wanted_by} needs it: "
            f"stop what listens there (another `dev.py run`?) or choose another port with {option}."
        )


def _is_busy(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform == "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Connections of a set that stopped a moment ago do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return True
        return False
