"""Frozen with SIGSTOP between the claim and the POST, and woken after another host took over: it must not send."""

import asyncio

from local.harness.backdrop import Backdrop
from local.harness.hosts import CAN_FREEZE
from local.harness.points import Call, Pause, Point
from local.harness.requests import a_call, a_text
from local.harness.scene import Scene, scene
from local.harness.waiting import PATIENCE, until
from tests.faults.ways import PACE, Request, complaints, outcome, scenario, together

FIRST_CLAIM = Point(Call("table insert Deliveries", 1), after=True)
LAST_LOOK = Point(Call("table get Consents", 1), after=True)


async def _takes_over(frozen: Scene, request: Request, freeze: Pause) -> list[str]:
    """Freeze the host at the point, have another one send, wake it; return what is wrong in the end."""

    async def stop() -> None:
        assert frozen.host is not None
        await frozen.host.freeze()

    freeze.act = stop
    await frozen.enqueue(request)
    await asyncio.wait_for(freeze.met.wait(), PATIENCE)
    other = await frozen.start_another()
    await until(lambda: frozen.has_sent(request["id"]))
    assert frozen.host is not None
    await frozen.host.thaw()
    await frozen.over(request["id"])
    # that it sends something else shows that it is awake, and had its chance
    await other.kill()
    another = a_text()
    await frozen.enqueue(another)
    return [*await outcome(frozen, another), *await complaints(frozen, request)]


@scenario("frozen after its claim a host finds itself too late", possible=CAN_FREEZE)
async def after_the_claim(backdrop: Backdrop) -> None:
    """A text and a call."""
    await together({request["channel"]: _frozen_at(backdrop, request, FIRST_CLAIM) for request in (a_text(), a_call())})


@scenario("frozen with nothing but the POST before it a host finds itself too late", possible=CAN_FREEZE)
async def before_the_post(backdrop: Backdrop) -> None:
    """No call to the storage comes after this one."""
    assert await _frozen_at(backdrop, a_text(), LAST_LOOK) == []


@scenario("frozen with its connection to Twilio open a host finds itself too late", possible=CAN_FREEZE)
async def with_an_open_connection(backdrop: Backdrop) -> None:
    """It sent another text a moment ago."""
    freeze = Pause(point=Point(Call("table get Consents", 2), after=True))
    first = a_text()
    async with scene(backdrop, hook=freeze, pace=PACE) as frozen:
        await frozen.start()
        await frozen.enqueue(first)
        await frozen.over(first["id"])
        assert await _takes_over(frozen, a_text(), freeze) == []
        assert await complaints(frozen, first) == []


async def _frozen_at(backdrop: Backdrop, request: Request, point: Point) -> list[str]:
    freeze = Pause(point=point)
    async with scene(backdrop, hook=freeze, pace=PACE) as frozen:
        await frozen.start()
        return await _takes_over(frozen, request, freeze)
