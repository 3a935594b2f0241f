"""Killed with -9 at every call of a replay, and of the message that it enqueues: each replay is sent once.

Who got no answer asks again: 202 where the first one did not come to anything, 409 where it did.
"""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import aiohttp
from azure.storage.queue.aio import QueueClient

from local.harness.backdrop import Backdrop
from local.harness.points import Crash, Point, Recorder
from local.harness.requests import a_text
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from tests.faults.aimed import POLL, Aimed, all_quiet, ask, ask_again, check_met, worth_ending
from tests.faults.ways import PACE, Request, Scenario, scenario
from tests.samples import webhooks

ACCEPTED, CONFLICT = 202, 409
NOBODY = {"ALLOWED_COUNTRIES": "DE"}
"""a setting with which none of the requests here can be sent"""

Fail = Callable[[Scene, int], Awaitable[list[Request]]]


async def _undelivered(crowd: Scene, number: int) -> list[Request]:
    """Have texts sent, and told to be undelivered."""
    crowd.twilio.faults.callbacks(lose=1.0)
    requests = [a_text() for _ in range(number)]
    for request in requests:
        await crowd.enqueue(request)
    await all_quiet(crowd, [request["id"] for request in requests], sent=1)
    crowd.twilio.faults.clear()
    for request in requests:
        [sid] = await crowd.records.sids(request["id"])
        await _tell(crowd, request, sid, "undelivered")
    return requests


async def _tell(crowd: Scene, request: Request, sid: str, status: str) -> None:
    """Tell the app what became of a message, as Twilio does."""
    target = f"/api/sms/status?delivery={request['id']}&v=2"
    content = webhooks.encode(("MessageSid", sid), ("MessageStatus", status), ("To", request["to"]))
    headers = webhooks.headers(target, content, base=crowd.url)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{crowd.url}{target}", data=content, headers=headers) as answer,
    ):
        assert answer.status == 204


async def _expired(crowd: Scene, number: int) -> list[Request]:
    """Have requests that come too late."""
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    requests = [a_text(expires_at=yesterday) for _ in range(number)]
    for request in requests:
        await crowd.enqueue(request)
    for request in requests:
        await until(lambda one=request: crowd.is_final(one["id"]))  # type: ignore[misc]  # it does return that
    await until(crowd.is_quiet)
    return requests


async def _recorded(crowd: Scene, aimed: Aimed, delivery_id: str) -> list[Point]:
    aimed.refused = frozenset({POLL})
    aimed.rest = recorder = Recorder()
    assert await ask(crowd, "POST", f"deliveries/{delivery_id}/replay") == ACCEPTED
    aimed.rest = Recorder()
    aimed.refused = frozenset()
    return worth_ending(recorder.calls)


async def _over(crowd: Scene, request: Request, *, sent: int) -> list[str]:
    """Wait until the replayed request is over, and return what is wrong with it."""
    try:
        await all_quiet(crowd, [request["id"]], sent=sent)
        await until(lambda: crowd.is_final(request["id"]))
    except TimeoutError:
        return [f"it is {await crowd.records.status(request['id'])}", crowd.log.read_text()[-3000:]]
    times, status = crowd.twilio.accepted()[request["id"]], await crowd.records.status(request["id"])
    return [] if (times, status) == (sent, "delivered") else [f"sent {times} times, expected {sent}; it is {status}"]


async def _killed_asking(crowd: Scene, aimed: Aimed, ids: Sequence[str], crashes: Sequence[Crash]) -> list[str]:
    """Replay each and be killed, and ask again, as whoever got no answer does; nothing is sent meanwhile."""
    aimed.refused = frozenset({POLL})
    wrong = []
    for delivery_id, crash in zip(ids, crashes, strict=True):
        aimed.rest = crash
        target = f"deliveries/{delivery_id}/replay"
        first, second = await ask(crowd, "POST", target), await ask_again(crowd, "POST", target)
        aimed.rest = Recorder()
        if first != (None if crash.met else ACCEPTED) or second not in {ACCEPTED, CONFLICT}:
            wrong.append(f"killed {crash.point}, it answered {first}, {second}")
    aimed.refused = frozenset()
    return wrong


def _replayed(fail: Fail, *, sent: int, every: int = 1) -> Scenario:
    async def run(backdrop: Backdrop) -> None:
        aimed = Aimed()
        async with scene(backdrop, hook=aimed) as crowd:
            await crowd.start()
            [first] = await fail(crowd, 1)
            found = (await _recorded(crowd, aimed, first["id"]))[::every]
            wrong = await _over(crowd, first, sent=sent)
            requests = await fail(crowd, len(found))
            crashes = [Crash(point=point, act=crowd.crash) for point in found]
            wrong += await _killed_asking(crowd, aimed, [request["id"] for request in requests], crashes)
            await _check(crowd, requests, crashes, wrong, sent=sent)

    return run


async def _check(
    crowd: Scene, requests: Sequence[Request], crashes: Sequence[Crash], wrong: Sequence[str], *, sent: int
) -> None:
    outcomes = await asyncio.gather(*(_over(crowd, request, sent=sent) for request in requests))
    told = [f"killed {crash.point}: {text}" for crash, texts in zip(crashes, outcomes, strict=True) for text in texts]
    assert [*wrong, *told] == [], "\n".join([*wrong, *told])
    check_met(crashes)


scenario("killed anywhere, the replay of what failed is sent once more")(_replayed(_undelivered, sent=2))
scenario("killed anywhere, the replay of what expired is sent once")(_replayed(_expired, sent=1, every=2))


async def _reject(crowd: Scene, requests: Sequence[Request]) -> list[str]:
    """Have requests rejected by a host whose settings they don't suit; return the ids of their messages."""
    await crowd.stop()
    ids = []
    async with QueueClient.from_connection_string(crowd.backdrop.storage, crowd.queue) as queue:
        for request in requests:
            message = await queue.send_message(base64.b64encode(json.dumps(request).encode()).decode())
            ids.append(message.id)
    await crowd.start(settings=NOBODY)
    for message_id in ids:
        await until(lambda one=message_id: crowd.is_final(one))  # type: ignore[misc]  # it does return that
    await until(crowd.is_quiet)
    await crowd.stop()
    await crowd.start()
    await until(lambda: _is_up(crowd))
    return ids


@scenario("killed anywhere, the replay of a rejected message is sent once")
async def rejected(backdrop: Backdrop) -> None:
    aimed = Aimed()
    async with backdrop.with_other_storage() as own, scene(own, hook=aimed) as crowd:
        first = a_text()
        [message_id] = await _reject(crowd, [first])
        found = await _recorded(crowd, aimed, message_id)
        wrong = await _over(crowd, first, sent=1)
        requests = [a_text() for _ in found]
        crashes = [Crash(point=point, act=crowd.crash) for point in found]
        wrong += await _killed_asking(crowd, aimed, await _reject(crowd, requests), crashes)
        await _check(crowd, requests, crashes, wrong, sent=1)


async def _is_up(crowd: Scene) -> bool:
    return await ask(crowd, "GET", "health") == 200


async def _recorded_sending(crowd: Scene, aimed: Aimed) -> list[Point]:
    """Record what is done with the message of a replay, from its claim until it is known to be at Twilio.

    What comes before and after that is as in every second attempt and every callback (crashes.py).
    """
    [request] = await _undelivered(crowd, 1)
    recorder = Recorder()
    aimed.know(request["id"])
    aimed.aim(request["id"], recorder)
    assert await ask(crowd, "POST", f"deliveries/{request['id']}/replay") == ACCEPTED
    asked = len(recorder.calls)
    assert await _over(crowd, request, sent=2) == []
    operations = [call.operation for call in recorder.calls]
    claimed = operations.index("table merge Deliveries", asked)
    known = operations.index("table merge Deliveries", operations.index("twilio POST Messages"))
    return worth_ending(recorder.calls[claimed : known + 1])


async def _is_past(crowd: Scene, request: Request, crash: Crash) -> bool:
    return crash.met or await crowd.records.status(request["id"]) == "delivered"


@scenario("killed anywhere, the message of a replay is sent once")
async def message_of_a_replay(backdrop: Backdrop) -> None:
    aimed = Aimed()
    async with scene(backdrop, hook=aimed, pace=PACE) as crowd:
        await crowd.start()
        found = await _recorded_sending(crowd, aimed)
        requests = await _undelivered(crowd, len(found))
        crashes = [Crash(point=point, act=crowd.crash) for point in found]
        for request, crash in zip(requests, crashes, strict=True):
            aimed.know(request["id"])
            aimed.aim(request["id"], crash)
            assert await ask_again(crowd, "POST", f"deliveries/{request['id']}/replay") in {ACCEPTED, CONFLICT}
            # while this one comes to its end, the next one is replayed
            await until(lambda one=request, its=crash: _is_past(crowd, one, its))  # type: ignore[misc]  # it does return that
        await _check(crowd, requests, crashes, [], sent=2)
