"""The ways of a request that are ended, spoilt and frozen, and what must have come of each in the end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.harness.backdrop import Backdrop
from local.harness.points import Call, Recorder, worth_ending_at
from local.harness.requests import a_call, a_text
from local.harness.scene import Scene, scene
from local.twilio.faults import FaultName

PACE = 0.5
"""so slow that a host is there again before Twilio gives a callback up"""
AFTER_THE_LOOK = 5.0
"""seconds"""
SHORTLY = timedelta(seconds=8)
CALLBACKS = {
    "sms": {"sent", "delivered"},
    "call": {"0:initiated", "1:ringing", "2:in-progress", "3:completed"},
}
ENDS = {"sms": "delivered", "call": "completed"}

Request = dict[str, Any]
Scenario = Callable[[Backdrop], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}
"""by the sentence that it shows"""


def scenario(sentence: str, *, possible: bool = True) -> Callable[[Scenario], Scenario]:
    """Make a test of it, which fails as it does, unless this system can't do such a thing."""

    def keep(run: Scenario) -> Scenario:
        if possible:
            SCENARIOS[sentence] = run
        return run

    return keep


def nothing(_scene: Scene) -> None:
    """Nothing goes wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way that a request can go."""

    name: str
    request: Callable[[], Request]
    prepare: Callable[[Scene], None] = nothing
    """what goes wrong at Twilio on this way"""
    since: str | None = None
    """the call from which on, until its message is deleted, it is another way than those that are tried before"""
    until: str | None = None
    """the last call of it that is another way, where that is not the deletion of its message"""


TEXT = Way(name="a text", request=a_text)
CALL = Way(name="a call", request=a_call)


def failing_first(name: str, fault: FaultName, make: Callable[[], Request]) -> Way:
    """A way whose first create meets a fault; what Twilio took all the same says nothing before it was looked for."""

    def prepare(scene: Scene) -> None:
        scene.twilio.faults.add(fault, times=1)
        if fault == "drop-after":
            scene.twilio.faults.callbacks(delay=AFTER_THE_LOOK)

    first = f"twilio POST {'Calls' if make is a_call else 'Messages'}"
    return Way(name=name, request=make, prepare=prepare, since=first)


def a_text_for_later() -> Request:
    """A text that has to wait, however long its host takes to start."""
    return a_text(send_at=(datetime.now(UTC) + SHORTLY).isoformat())


WAYS = (
    Way(
        name="a text that waits for its send_at",
        request=a_text_for_later,
        since="queue put outbound",
        until="twilio POST Messages",
    ),
    failing_first("a text that Twilio has no time for at first", "429", a_text),
    failing_first("a call that Twilio has no time for at first", "429", a_call),
    failing_first("a text that Twilio took without a word", "drop-after", a_text),
    failing_first("a call that Twilio took without a word", "drop-after", a_call),
    failing_first("a text that Twilio did not take, without a word", "500-before", a_text),
    TEXT,
    CALL,
)
_recorded: dict[str, asyncio.Future[list[Call]]] = {}


async def recorded(backdrop: Backdrop, way: Way) -> list[Call]:
    """Return the calls of one run in which nothing dies, which is recorded once."""
    if way.name not in _recorded:
        _recorded[way.name] = asyncio.ensure_future(_record(backdrop, way))
    return await _recorded[way.name]


async def _record(backdrop: Backdrop, way: Way) -> list[Call]:
    recorder = Recorder()
    async with scene(backdrop, hook=recorder, pace=PACE) as undisturbed:
        request = way.request()
        way.prepare(undisturbed)
        await undisturbed.enqueue(request)
        await undisturbed.start()
        wrong = await outcome(undisturbed, request)
        assert wrong == [], "\n".join(wrong)
    calls = worth_ending_at(recorder.calls)
    if way.since is None:
        return calls
    operations = [call.operation for call in calls]
    end = len(operations) - operations[::-1].index(way.until or "queue delete outbound")
    return calls[operations.index(way.since) : end]


async def outcome(scene: Scene, request: Request) -> list[str]:
    """Wait for the end, and return what is wrong with it."""
    try:
        await scene.over(request["id"])
    except TimeoutError:
        return [*await complaints(scene, request), "its host said\n" + scene.log.read_text()[-3000:]]
    return await complaints(scene, request)


async def complaints(scene: Scene, request: Request) -> list[str]:
    """Return what is not as it must be when a request is over."""
    delivery_id, channel = request["id"], request["channel"]
    wrong = []
    sent = scene.twilio.accepted()[delivery_id]
    if sent != 1:
        wrong.append(f"sent {sent} times")
    status = await scene.records.status(delivery_id)
    if status != ENDS[channel]:
        wrong.append(f"it is {status}")
    missing = CALLBACKS[channel] - {key.partition(":")[2] for key in await scene.records.events(delivery_id)}
    if missing:
        wrong.append(f"not on record: {', '.join(sorted(missing))}")
    if await scene.records.waiting(f"{scene.queue}-poison"):
        wrong.append("the host gave a message up")
    return wrong


async def together(runs: Mapping[str, Coroutine[Any, Any, list[str]]]) -> None:
    """Do it all at once; fail with everything that any of them has to say."""
    outcomes = await asyncio.gather(*runs.values())
    failures = [f"{name}: {wrong}" for name, outcome in zip(runs, outcomes, strict=True) for wrong in outcome]
    assert failures == [], "\n".join(failures)
