"""A rate is that of the middle of a run, beside a Twilio whose answers do not come all at once."""

import asyncio

import pytest

from bench.stub.server import Stub
from bench.ways.__main__ import Moment, cost, run


async def test_what_is_measured_of_a_run_is_where_all_its_places_are_taken() -> None:
    under_way = 0
    taken: list[int] = []

    async def job() -> None:
        nonlocal under_way
        under_way += 1
        await asyncio.sleep(0)
        taken.append(under_way)
        under_way -= 1

    moments = await run([job] * 50, 4)
    assert len(moments) == 51
    assert set(taken[8 : 50 - 4]) == {4}


def test_a_cost_is_of_the_jobs_between_two_moments() -> None:
    moments = [Moment(wall=2.0 * place, cpu=0.5 * place) for place in range(11)]
    found = cost(moments, first=4, last=9)
    assert (found["messages"], found["seconds"], found["cpu"]) == (5, 10, 0.5)


def test_however_few_answers_are_looked_at_they_take_as_long_as_was_asked_for_on_average() -> None:
    stub = Stub(latency=0.1)
    latencies = [stub._next_latency() for _ in range(500)]
    assert min(latencies) >= 0.05
    assert max(latencies) <= 0.15
    for begin in range(0, 500, 25):
        assert sum(latencies[begin : begin + 25]) / 25 == pytest.approx(0.1, rel=0.04)
    assert len({round(each, 4) for each in latencies[:64]}) == 64
