"""Each guard that the harness breaks is there to be broken: the runs themselves are slow, this is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.guards import TRIALS

ROOT = Path(__file__).parents[3]
GUARDS = sorted({trial.guard.__name__ for trial in TRIALS})


@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_can_be_broken_by_its_name(guard: str) -> None:
    script = f"from tests.faults import broken_guards; broken_guards.{guard}()"
    broken = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own

    assert (broken.returncode, broken.stderr) == (0, "")


def test_what_is_not_there_is_no_broken_guard() -> None:
    script = (
        "from shared.outbound.find_out import Finder; del Finder.is_free;"
        "from tests.faults import broken_guards; broken_guards.no_look_before_resending()"
    )
    broken = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own

    assert broken.returncode == 1
    assert "expected the app to have is_free" in broken.stderr
