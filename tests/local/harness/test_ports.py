import socket
import subprocess
import sys
from pathlib import Path

from local.harness.ports import BLOCK, FIRST, free_port

ROOT = Path(__file__).resolve().parents[3]
ANOTHER = "from local.harness.ports import free_port; print(free_port(), flush=True); input()"


def block(port: int) -> int:
    return (port - FIRST) // BLOCK


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    first = free_port()
    with socket.create_server(("127.0.0.1", first + 1)):
        assert free_port() > first + 1


def test_no_two_processes_are_given_the_same_ports() -> None:
    mine = free_port()
    with subprocess.Popen(  # noqa: S603 - this very Python
        [sys.executable, "-c", ANOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as other:
        told, _ = other.communicate("\n", timeout=60)
    assert block(int(told)) != block(mine)
