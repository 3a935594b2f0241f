"""The same request many times, and two requests that nobody can tell apart."""

import asyncio

from local.harness.backdrop import Backdrop
from local.harness.points import Call, Crash, Point, Recorder
from local.harness.requests import a_call, a_number, a_text
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from tests.faults.ways import Request, outcome, scenario, together

COPIES = 5


@scenario("five copies of each request to two hosts at once are one")
async def copies(backdrop: Backdrop) -> None:
    """Texts and calls."""
    requests = [make() for make in (a_text, a_call) for _ in range(4)]
    async with scene(backdrop, hook=Recorder()) as crowded:
        for request in requests * COPIES:
            await crowded.enqueue(request)
        await asyncio.gather(crowded.start(), crowded.start_another())
        await together({request["channel"] + request["id"]: outcome(crowded, request) for request in requests})


async def _all_sent(twins: Scene, pair: list[Request]) -> bool:
    return sum(twins.twilio.accepted().values()) >= len(pair)


async def _all_final(twins: Scene, pair: list[Request]) -> bool:
    return all([await twins.is_final(request["id"]) for request in pair])


async def _alike(backdrop: Backdrop, pair: list[Request], point: Point, *, callbacks_after: float) -> list[str]:
    """Kill the host at the point, with both under way; there must be two messages for the two, one for each.

    Which of the two is whose does not matter: nobody can tell them apart.
    """
    crash = Crash(point=point)
    async with scene(backdrop, hook=crash, pace=0.5) as twins:
        crash.act = twins.crash
        if callbacks_after:
            twins.twilio.faults.callbacks(delay=callbacks_after)
        for request in pair:
            await twins.enqueue(request)
        await twins.start()
        await until(lambda: _all_sent(twins, pair))
        await twins.told()
        await until(lambda: _all_final(twins, pair))
        await until(twins.is_quiet)
        sent = sum(twins.twilio.accepted().values())
        # callbacks name whoever sent, so a timeline may tell of both SIDs where the two exchanged them: owners count
        owned = [await twins.records.owned(request["id"]) for request in pair]
        wrong = [] if crash.met else ["the point was not met"]
        if sent != len(pair):
            wrong.append(f"sent {sent}, by id {sorted(twins.twilio.accepted().values())}")
        if [len(sids) for sids in owned] != [1, 1]:
            wrong.append(f"expected one owner row for each, got {owned}")
        return wrong


@scenario("two identical requests under a crash make two messages")
async def identical(backdrop: Backdrop) -> None:
    """Texts and calls, killed before and after Twilio took the one and the other."""
    runs = {}
    for make, what in ((a_text, "Messages"), (a_call, "Calls")):
        for nth in (1, 2):
            for after in (False, True):
                for seconds in (0.0, 8.0):
                    to = a_number()
                    point = Point(Call(f"twilio POST {what}", nth), after=after)
                    pair = [make(to=to), make(to=to)]
                    runs[f"{point}, callbacks after {seconds:g} s"] = _alike(
                        backdrop, pair, point, callbacks_after=seconds
                    )
    await together(runs)
