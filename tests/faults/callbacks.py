"""Callbacks in any order, twice, before the create's answer, after the end: each is kept once, the end is the same."""

from typing import Any

from local.harness.backdrop import Backdrop
from local.harness.points import Recorder
from local.harness.requests import a_call, a_text
from local.harness.scene import scene
from tests.faults.ways import Request, outcome, scenario, together

DISORDERS: dict[str, dict[str, Any]] = {
    "twice": {"duplicate": 1.0},
    "backwards": {"reverse": True},
    "backwards and twice": {"reverse": True, "duplicate": 1.0},
    "before the answer": {"before_answer": 1.0},
    "before the answer, backwards and twice": {"before_answer": 1.0, "reverse": True, "duplicate": 1.0},
    "late": {"delay": 2.0, "duplicate": 0.5},
    **{f"in order {seed}": {"shuffle": True, "seed": seed, "duplicate": 0.3} for seed in range(6)},
}


async def _run(backdrop: Backdrop, requests: list[Request], disorder: dict[str, Any]) -> list[str]:
    async with scene(backdrop, hook=Recorder()) as scene_:
        scene_.twilio.faults.callbacks(**disorder)
        for request in requests:
            await scene_.enqueue(request)
        await scene_.start()
        return [wrong for request in requests for wrong in await outcome(scene_, request)]


@scenario("in any disorder each callback is kept once")
async def disordered(backdrop: Backdrop) -> None:
    """Each disorder, for a text and a call."""
    await together({name: _run(backdrop, [a_text(), a_call()], how) for name, how in DISORDERS.items()})
