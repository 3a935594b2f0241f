"""What is told of a measurement is what was measured."""

import subprocess
import sys

import pytest

from bench import processes
from bench.growth import _Place, _rows
from bench.report import Row
from bench.webhooks import Held
from bench.webhooks import _rows as rows_of


def test_a_ratio_is_the_median_of_the_rounds_and_its_spread_their_least_and_greatest() -> None:
    row = Row.of("a", [2.0, 9.0, 4.0], "ms", base=[1.0, 3.0, 8.0])
    assert (row.value, row.ratio, row.spread) == (4.0, 2.0, (0.5, 3.0))
    assert row.at_most(2).met
    assert not row.at_least(2.1).met
    assert Row.of("a", [1.0, 5.0, 3.0], "ms").spread == (1.0, 5.0)


@pytest.mark.parametrize(("count", "names"), [(20, ["p50"]), (125, ["p50", "p99"]), (1000, ["p50", "p99", "p99.9"])])
def test_no_percentile_is_told_that_would_be_the_slowest_answer_by_another_name(count: int, names: list[str]) -> None:
    held = Held([0.001 * number for number in range(count)], rate=1.0, cpu=0.001, failed=0)
    assert [row.name for row in rows_of(25, held)] == [f"25/s: {name}" for name in [*names, "CPU of one"]]


def test_growth_is_told_of_every_size_beside_the_smallest() -> None:
    places = []
    for size, cpu in ((1_000, 2.0), (10_000, 2.2)):
        place = _Place.__new__(_Place)
        place.size, place.cpu, place.asked = size, {"a text": [cpu]}, {"a text": cpu * 10}
        places.append(place)
    cpu_row, asked = _rows("a text", *places)
    assert [row.name for row in (cpu_row, asked)] == ["a text, 10,000: CPU", "a text, 10,000: transactions and rows"]
    assert [row.ratio for row in (cpu_row, asked)] == [pytest.approx(1.1)] * 2


@pytest.mark.skipif(not processes.are_told(), reason="there is no /proc here")
def test_what_processes_share_counts_once_for_all_of_them() -> None:
    """Three that were forked share what they hold."""
    large = 60_000_000
    script = f"""
import os, sys
held = bytearray(os.urandom(1000) * {large // 1000})
_ = os.fork() and os.fork()
os.write(1, b"there\\n")
sys.stdin.read()
"""
    with subprocess.Popen(  # noqa: S603 - a script of ours
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "there\n"
        found = processes.memory(process.pid)
        process.communicate()
    assert large < found < 2 * large
