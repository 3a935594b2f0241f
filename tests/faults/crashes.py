"""Killed with -9 at every call that a request makes, before it and after it took effect, and started again."""

from local.harness.backdrop import Backdrop
from local.harness.points import Crash, points
from local.harness.scene import scene
from tests.faults.ways import PACE, WAYS, Scenario, Way, outcome, recorded, scenario, together


def _killed_everywhere(way: Way) -> Scenario:
    async def run(backdrop: Backdrop) -> None:
        found = points(await recorded(backdrop, way), all_of_them=way.since is None)
        crashes = [Crash(point=point) for point in found]
        await together({str(crash.point): _killed(backdrop, way, crash) for crash in crashes})
        # calls that are made at once, or that time decides on, may come in another number
        met = sum(crash.met for crash in crashes)
        assert met >= len(crashes) * 0.8, f"only {met} of {len(crashes)} points were met"

    return run


async def _killed(backdrop: Backdrop, way: Way, crash: Crash) -> list[str]:
    async with scene(backdrop, hook=crash, pace=PACE) as ended:
        crash.act = ended.crash
        request = way.request()
        way.prepare(ended)
        await ended.enqueue(request)
        await ended.start()
        return await outcome(ended, request)


for one in WAYS:
    scenario(f"killed anywhere, {one.name} is sent once and comes to its end")(_killed_everywhere(one))
