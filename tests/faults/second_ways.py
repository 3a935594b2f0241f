"""Killed with -9 at every call between the end of a first way and the claim of the second: each is gone once."""

import asyncio
from contextlib import suppress

from local.harness.backdrop import Backdrop
from local.harness.points import Crash, Point, Recorder
from local.harness.requests import a_text
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from tests.faults.aimed import Aimed, all_quiet, check_met, worth_ending
from tests.faults.ways import PACE, Request, scenario

UNDELIVERED = "+15005550101"
"""texts to it are undelivered, calls busy"""
ENDS = ("undelivered", "busy")


def a_text_with_a_second_way() -> Request:
    return a_text(to=UNDELIVERED, fallback={"channel": "call", "say": "Only once"})


def _second(request: Request) -> str:
    return f"{request['id']}~2"


async def _sent(crowd: Scene, aimed: Aimed, hook: Recorder) -> Request:
    """Have a request sent that the hook is asked about."""
    request = a_text_with_a_second_way()
    aimed.know(request["id"])
    aimed.aim(request["id"], hook)
    await crowd.enqueue(request)
    return request


async def _recorded(crowd: Scene, aimed: Aimed) -> list[Point]:
    """Record what is done from the look that a wanted second way follows on, to its claim, and how the first ends."""
    recorder = Recorder()
    request = await _sent(crowd, aimed, recorder)
    assert await _wrong(crowd, request) == []
    operations = [call.operation for call in recorder.calls]
    told = operations.index("queue put outbound")
    claimed = operations.index("twilio POST Calls")
    return worth_ending(recorder.calls[told - 2 : claimed + 1])


async def _wrong(crowd: Scene, request: Request) -> list[str]:
    """Wait until both are over, and return what is wrong."""
    ids = request["id"], _second(request)
    with suppress(TimeoutError):
        await all_quiet(crowd, ids, sent=1)
        for one in ids:
            await until(lambda this=one: crowd.is_final(this))  # type: ignore[misc]  # it does return that
    sent = {one: count for one, count in crowd.twilio.accepted().items() if one.startswith(request["id"])}
    ends = tuple([await crowd.records.status(one) for one in ids])
    wrong = [] if sent == dict.fromkeys(ids, 1) else [f"sent {sent}"]
    return wrong if ends == ENDS else [*wrong, f"they are {ends}"]


@scenario("killed anywhere between the end of the first way and the second, each is gone once")
async def second_way(backdrop: Backdrop) -> None:
    """One after the other, as all of them go to the same number."""
    aimed = Aimed()
    async with scene(backdrop, hook=aimed, pace=PACE) as crowd:
        await crowd.start()
        crashes = [Crash(point=point, act=crowd.crash) for point in await _recorded(crowd, aimed)]
        requests = []
        for crash in crashes:
            requests.append(request := await _sent(crowd, aimed, crash))
            await until(lambda one=request, its=crash: _is_past(crowd, one, its))  # type: ignore[misc]  # it does return that
        outcomes = await asyncio.gather(*(_wrong(crowd, request) for request in requests))
    wrong = [f"killed {crash.point}: {text}" for crash, texts in zip(crashes, outcomes, strict=True) for text in texts]
    assert wrong == [], "\n".join(wrong)
    check_met(crashes)


async def _is_past(crowd: Scene, request: Request, crash: Crash) -> bool:
    return crash.met or crowd.twilio.accepted()[_second(request)] > 0
