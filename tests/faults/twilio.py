"""Whatever Twilio does to a create, the request is sent once and comes to its end."""

from collections.abc import Callable, Mapping

import aiohttp

from local.faults import Proxy
from local.harness.backdrop import Backdrop
from local.harness.points import Recorder
from local.harness.ports import free_port
from local.harness.requests import a_call, a_text
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from local.twilio.faults import FAULTS, FaultName
from local.twilio.lists import Lists
from local.twilio.stand_ins import STATUSES
from tests.faults.ways import Request, Scenario, outcome, scenario, together

SLOWER_THAN_WE_WAIT = 2.6
EARLIER = 12
MAKERS: Mapping[str, Callable[[], Request]] = {"text": a_text, "call": a_call}


async def _run(backdrop: Backdrop, request: Request, prepare: Callable[[Scene], None]) -> list[str]:
    async with scene(backdrop, hook=Recorder()) as faulty:
        prepare(faulty)
        await faulty.enqueue(request)
        await faulty.start()
        return await outcome(faulty, request)


@scenario("any fault of a create ends with one message")
async def each_fault(backdrop: Backdrop) -> None:
    def once(fault: str) -> Callable[[Scene], None]:
        return lambda scene: scene.twilio.faults.add(fault, times=1, seconds=SLOWER_THAN_WE_WAIT, retry_after=1)  # type: ignore[arg-type]

    faults = sorted(FAULTS.keys() - {"401", "suspended", "proxy-before", "proxy-after", "loop"})
    await together(
        {f"{fault}, {kind}": _run(backdrop, make(), once(fault)) for fault in faults for kind, make in MAKERS.items()}
    )


@scenario("any page of a proxy, before or after Twilio took the create, ends with one message")
async def proxies(backdrop: Backdrop) -> None:
    """One request for each status and each moment."""
    async with scene(backdrop, hook=Recorder()) as behind:
        for fault in ("proxy-before", "proxy-after"):
            for status in STATUSES:
                behind.twilio.faults.add(fault, times=1, status=status)
        requests = [(a_text, a_call)[number % 2]() for number in range(2 * len(STATUSES))]
        for request in requests:
            await behind.enqueue(request)
        await behind.start()
        await together({f"{one['channel']} {one['id']}": outcome(behind, one) for one in requests})
        assert behind.twilio.faults.followed == {}


@scenario("a look that breaks off, or leads in a circle, is no look")
async def broken_off(backdrop: Backdrop) -> None:
    """The second page of several."""

    def lost(request: Request, fault: FaultName) -> Callable[[Scene], None]:
        def prepare(scene: Scene) -> None:
            scene.twilio.lists = Lists(order="adverse", seed=5)
            for _ in range(EARLIER):
                scene.twilio.sent_before(request["channel"], to=request["to"])
            scene.twilio.faults.add("drop-after", times=1)
            scene.twilio.faults.add(fault, on="list", page=1, times=1)
            scene.twilio.faults.callbacks(delay=20)

        return prepare

    faults: tuple[FaultName, ...] = ("500-before", "refuse", "garbage", "proxy-before", "loop")
    asked = [(f"{fault}, {kind}", fault, make()) for fault in faults for kind, make in MAKERS.items()]
    await together({name: _run(backdrop, request, lost(request, fault)) for name, fault, request in asked})


@scenario("a look that fails is no look")
async def failed_looks(backdrop: Backdrop) -> None:
    def lost(look: str) -> Callable[[Scene], None]:
        def prepare(scene: Scene) -> None:
            scene.twilio.faults.add("drop-after", times=1)
            scene.twilio.faults.add(look, on="list", times=1)  # type: ignore[arg-type]
            scene.twilio.faults.callbacks(delay=20)

        return prepare

    looks = ("500-before", "garbage", "429", "never-before", "proxy-before")
    await together({look: _run(backdrop, a_text(), lost(look)) for look in looks})


@scenario("one fault after another ends with one message")
async def fault_after_fault(backdrop: Backdrop) -> None:
    def prepare(scene: Scene) -> None:
        for fault in ("500-before", "429", "refuse", "drop-after"):
            scene.twilio.faults.add(fault, times=1, retry_after=1)
        scene.twilio.faults.callbacks(delay=3)

    await together({kind: _run(backdrop, make(), prepare) for kind, make in MAKERS.items()})


@scenario("a rate limit is waited out")
async def rate_limit(backdrop: Backdrop) -> None:
    async with scene(backdrop, hook=Recorder()) as limited:
        requests = [a_text(), a_call(), a_text()]
        limited.twilio.faults.add("429", times=2 * len(requests), retry_after=1)
        for request in requests:
            await limited.enqueue(request)
        await limited.start()
        await together({request["channel"] + request["id"]: outcome(limited, request) for request in requests})
        assert limited.twilio.faults.made["429"] == 2 * len(requests)


@scenario("nobody listening is waited out")
async def nobody_there(backdrop: Backdrop) -> None:
    port = free_port()
    requests = [a_text(), a_call(), a_text()]
    async with scene(backdrop, hook=Recorder(), settings={"TWILIO_API_BASE_URL": f"http://127.0.0.1:{port}"}) as alone:
        for request in requests:
            await alone.enqueue(request)
        await alone.start()
        await until(lambda: _all_wait(alone, requests))
        async with Proxy.start(target=alone.twilio.url, service="twilio", hook=Recorder(), port=port):
            await together({request["channel"] + request["id"]: outcome(alone, request) for request in requests})


async def _all_wait(scene: Scene, requests: list[Request]) -> bool:
    return all([await scene.records.status(request["id"]) == "retrying" for request in requests])


async def _is_well(scene: Scene) -> bool:
    async with aiohttp.ClientSession() as session, session.get(f"{scene.url}/api/health") as answer:
        assert answer.status in {200, 503}
        return answer.status == 200


def _turned_away(fault: FaultName) -> Scenario:
    async def run(backdrop: Backdrop) -> None:
        requests = [a_text(), a_call(), a_text(), a_call(), a_text()]
        # its notice is for all hosts of a storage
        async with backdrop.with_other_storage() as own, scene(own, hook=Recorder()) as turned_away:
            turned_away.twilio.faults.add(fault, on="any")
            await turned_away.start()
            for request in requests:
                await turned_away.enqueue(request)
            await until(lambda: _all_wait(turned_away, requests))
            assert not await _is_well(turned_away)
            assert turned_away.twilio.faults.made[fault] < len(requests) * 2
            turned_away.twilio.faults.clear()
            await together({request["channel"] + request["id"]: outcome(turned_away, request) for request in requests})
            await until(lambda: _is_well(turned_away))

    return run


scenario("a wrong token keeps everything, and all goes on by itself")(_turned_away("401"))
scenario("a suspended account keeps everything, and all goes on by itself")(_turned_away("suspended"))
