"""What processes cost, as Linux tells it in /proc."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def are_told() -> bool:
    """Tell whether this system tells."""
    return Path("/proc/self/stat").exists()


def cpu(pid: int) -> float:
    """Return the seconds of CPU of a process and its children."""
    fields = [Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2].split() for one in _tree(pid)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS


def memory(pid: int) -> int:
    """Return the bytes of a process and its children: what processes share is shared out among them.

    https://docs.kernel.org/filesystems/proc.html, Pss
    """
    return sum(_share(Path(f"/proc/{one}/smaps_rollup").read_text(encoding="ascii")) for one in _tree(pid))


def _share(rollup: str) -> int:
    line = next(line for line in rollup.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(other for child in children for other in _tree(int(child)))]
