"""How to size it: each number of docs/explanation/performance.md that follows from others follows from them."""

import math
import re
from typing import Final

import pytest

from bench.throughput import concurrency
from tests.web.app import ROOT

PAGE: Final = (ROOT / "docs" / "explanation" / "performance.md").read_text(encoding="utf-8")


def planned(column: str) -> int:
    """Return with how many a second to plan, as the head of the table says."""
    [found] = re.findall(rf"{column} \((\d+) each\)", PAGE)
    return int(found)


def sizes() -> list[list[int]]:
    """Return the rows: texts a second, apps, instances, callbacks, cores, texts under way."""
    rows = re.findall(r"^\| ([\d,]+) \| (\d+) \| (\d+) \| ([\d,]+): (\d+) \| ([\d,]+) \|$", PAGE, re.MULTILINE)
    return [[int(cell.replace(",", "")) for cell in row] for row in rows]


def test_sizes_are_told_up_to_10_000_texts_a_second() -> None:
    assert [row[0] for row in sizes()] == [1, 100, 500, 1_000, 5_000, 10_000]


@pytest.mark.parametrize("row", sizes(), ids=lambda row: f"{row[0]}/s")
def test_a_size_is_what_its_rate_needs(row: list[int]) -> None:
    rate, apps, instances, callbacks, cores, under_way = row
    assert apps == math.ceil(rate / planned("apps"))
    assert instances == apps * math.ceil(rate / apps / planned("instances that send"))
    assert callbacks == 2 * rate
    assert cores == math.ceil(callbacks / planned("callbacks a second, and cores"))
    assert under_way == max(1, math.floor(rate * 0.35))


@pytest.mark.parametrize("row", sizes(), ids=lambda row: f"{row[0]}/s")
def test_the_instances_of_a_size_have_places_for_all_texts_under_way(row: list[int]) -> None:
    assert row[-1] <= row[2] * concurrency()


def test_an_instance_sends_what_it_has_places_for() -> None:
    told = re.findall(r"\| (\d+) ms \| (\d+) ms \| (\d+) ÷ ([\d.]+) s = (\d+)/s \| (\d+) %, at ([\d.]+) ms", PAGE)
    assert len(told) == 2
    for twilio, storage, places, seconds, rate, cpu, of_one in told:
        assert int(places) == concurrency()
        assert float(seconds) == pytest.approx((int(twilio) + int(storage)) / 1000)
        assert int(rate) == round(int(places) / float(seconds))
        assert int(cpu) == round(int(rate) * float(of_one) / 10)


def test_the_largest_size_is_within_the_cores_of_a_region() -> None:
    _, apps, instances, _, cores, _ = sizes()[-1]
    assert f"{instances} + {cores} + {2 * apps} = {instances + cores + 2 * apps} cores, of the 250 of a region" in PAGE
