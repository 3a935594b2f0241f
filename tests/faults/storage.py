"""Each call to the storage meets each fault once: the request is sent once and comes to its end all the same.

What the app can't survive by definition is left out: a 409 for an event that is not there says that it is on record,
and so it is not. The status is right all the same, as Twilio tells it again with the next event, or when it is asked.
"""

from collections.abc import Iterator, Mapping
from itertools import cycle
from types import MappingProxyType

from local.faults import DROP, NEVER, Action, Answer
from local.harness.backdrop import Backdrop
from local.harness.points import Call, Point, Spoil
from local.harness.requests import a_text
from local.harness.scene import scene
from tests.faults.ways import PACE, TEXT, WAYS, Way, outcome, recorded, scenario, together

BEFORE: Mapping[str, Action] = MappingProxyType({"500": Answer(500), "dropped": DROP, "no answer": NEVER})
AFTER: Mapping[str, Action] = MappingProxyType({"503": Answer(503), "dropped": DROP})
# the host's own calls are bounded by its own patience, which is longer than a test's
OF_THE_HOST = ("queue get outbound", "queue delete outbound")


def _faults_of(call: Call) -> Iterator[tuple[str, Point, Action]]:
    """Yield every fault that a call can meet, before and after it took effect."""
    conflicts = {"insert": {"409": Answer(409)}, "merge": {"412": Answer(412)}}
    verb = call.operation.split()[1]
    for after, anywhere in ((False, BEFORE), (True, AFTER)):
        for name, action in {**anywhere, **conflicts.get(verb, {})}.items():
            if action == NEVER and call.operation in OF_THE_HOST:
                continue
            point = Point(call, after=after)
            yield f"{name} {point}", point, action


async def _spoilt(backdrop: Backdrop, way: Way, point: Point, action: Action) -> list[str]:
    hook = Spoil(point=point, action=action)
    async with scene(backdrop, hook=hook, pace=PACE) as spoilt:
        request = way.request()
        way.prepare(spoilt)
        await spoilt.enqueue(request)
        await spoilt.start()
        wrong = await outcome(spoilt, request)
    lost_by_definition = action == Answer(409) and "Deliveries" in point.call.operation and not point.after
    return [text for text in wrong if not (lost_by_definition and text.startswith("not on record"))]


@scenario("each call to the storage meets each fault")
async def each_call(backdrop: Backdrop) -> None:
    calls = [call for call in await recorded(backdrop, TEXT) if "twilio" not in call.operation]
    faults = [fault for call in calls for fault in _faults_of(call)]
    await together({name: _spoilt(backdrop, TEXT, point, action) for name, point, action in faults})


@scenario("each call of a retry and of a look meets a fault of the storage")
async def each_later_call(backdrop: Backdrop) -> None:
    runs = {}
    turn = cycle(range(12))
    for way in WAYS:
        if way.since is None or way.request is not a_text:
            continue
        for call in await recorded(backdrop, way):
            if "twilio" not in call.operation:
                faults = list(_faults_of(call))
                name, point, action = faults[next(turn) % len(faults)]
                runs[f"{way.name}, {name}"] = _spoilt(backdrop, way, point, action)
    await together(runs)
