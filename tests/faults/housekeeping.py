"""What only housekeeping can mend: an hour later, told by a host whose clock is ahead."""

from local.harness.backdrop import Backdrop
from local.harness.points import Call, Crash, Point, Recorder
from local.harness.requests import a_call, a_text
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from tests.faults.ways import ENDS, Request, complaints, scenario, together

AN_HOUR = 3600
EVERY_SECOND = {"HOUSEKEEPING_CRON": "* * * * * *"}


@scenario("a request whose message is gone is sent once an hour later")
async def lost_message(backdrop: Backdrop) -> None:
    """Its host dies right after the claim, and somebody clears the queue."""
    request = a_text()
    crash = Crash(point=Point(Call("table insert Deliveries", 1), after=True))
    async with backdrop.with_other_storage() as own, scene(own, hook=crash) as ended:
        crash.act = ended.stop
        await ended.enqueue(request)
        await ended.start()
        await until(lambda: _has_met(crash))
        await own.records.clear(ended.queue)
        await ended.start(ahead_seconds=AN_HOUR, settings=EVERY_SECOND)
        await ended.over(request["id"])
        assert await complaints(ended, request) == []


@scenario("callbacks that are all lost are made up for an hour later")
async def lost_callbacks(backdrop: Backdrop) -> None:
    """Twilio is asked what became of them."""
    requests = [a_text(), a_call()]
    async with backdrop.with_other_storage() as own, scene(own, hook=Recorder()) as silent:
        silent.twilio.faults.callbacks(lose=1.0)
        for request in requests:
            await silent.enqueue(request)
        await silent.start()
        for request in requests:
            await until(lambda one=request: silent.has_sent(one["id"]))  # type: ignore[misc]  # it does return that
        await silent.told()
        await until(silent.is_quiet)
        await silent.stop()
        await silent.start(ahead_seconds=AN_HOUR, settings=EVERY_SECOND)
        await together({request["channel"]: _ended(silent, request) for request in requests})


async def _ended(silent: Scene, request: Request) -> list[str]:
    await until(lambda: silent.is_final(request["id"]))
    end = await silent.records.status(request["id"]), silent.twilio.accepted()[request["id"]]
    return [] if end == (ENDS[request["channel"]], 1) else [f"expected its end and one, got {end}"]


async def _has_met(crash: Crash) -> bool:
    return crash.met
