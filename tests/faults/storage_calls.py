"""Each call to the storage that a phone call makes meets one fault, in turn those that storage.py makes for texts.

One host makes all of the phone calls at once, and each of them meets another fault.
"""

from local.faults import Action, Answer
from local.harness.backdrop import Backdrop
from local.harness.points import Call, Point, Spoil
from local.harness.requests import a_call
from local.harness.scene import Scene, scene
from tests.faults.aimed import Aimed, check_met
from tests.faults.storage import AFTER, BEFORE, OF_THE_HOST
from tests.faults.ways import CALL, PACE, Request, outcome, recorded, scenario, together

CONFLICTS: dict[str, dict[str, Action]] = {"insert": {"409": Answer(409)}, "merge": {"412": Answer(412)}}


def _fault_of(call: Call, turn: int) -> tuple[str, Point, Action]:
    conflicts = CONFLICTS.get(call.operation.split()[1], {})
    kinds = [(name, False, action) for name, action in {**conflicts, **BEFORE}.items()]
    kinds += [(name, True, action) for name, action in AFTER.items()]
    name, after, action = kinds[turn % len(kinds)]
    point = Point(call, after=after)
    return f"{name} {point}", point, action


async def _outcome(crowd: Scene, request: Request, point: Point, action: Action) -> list[str]:
    """Return what is wrong; an event whose insert met a 409 counts as being on record, as in storage.py."""
    wrong = await outcome(crowd, request)
    is_lost = action == Answer(409) and "Deliveries" in point.call.operation and not point.after
    return [text for text in wrong if not (is_lost and text.startswith("not on record"))]


@scenario("each call to the storage for a phone call meets a fault")
async def each_call_of_a_call(backdrop: Backdrop) -> None:
    kept_apart = (call for call in await recorded(backdrop, CALL) if call.operation not in OF_THE_HOST)
    calls = [call for call in kept_apart if not call.operation.startswith("twilio")]
    faults = [_fault_of(call, turn) for turn, call in enumerate(calls)]
    aimed = Aimed()
    async with scene(backdrop, hook=aimed, pace=PACE) as crowd:
        requests = [a_call() for _ in faults]
        spoils = [Spoil(point=point, action=action) for _, point, action in faults]
        for request, spoil in zip(requests, spoils, strict=True):
            aimed.know(request["id"])
            aimed.aim(request["id"], spoil)
            await crowd.enqueue(request)
        await crowd.start()
        await together(
            {
                name: _outcome(crowd, request, point, action)
                for (name, point, action), request in zip(faults, requests, strict=True)
            }
        )
    check_met(spoils)
