"""Killed with -9 at every call of an erasure that somebody asked for, and asked again."""

from collections.abc import Callable

from azure.data.tables.aio import TableServiceClient

from local.harness.backdrop import Backdrop
from local.harness.points import Crash, Point, Recorder
from local.harness.requests import a_call, a_text
from local.harness.scene import Scene, scene
from shared.deliveries import keys
from tests.faults.aimed import Aimed, all_quiet, ask, ask_again, check_met, worth_ending
from tests.faults.upkeep import GONE
from tests.faults.ways import ENDS, Request, Scenario, scenario

NO_CONTENT = 204


def a_recorded_call() -> Request:
    return a_call(record=True)


async def _sent(crowd: Scene, requests: list[Request]) -> list[Request]:
    for request in requests:
        await crowd.enqueue(request)
    await all_quiet(crowd, [request["id"] for request in requests], sent=1)
    return requests


async def _recorded(crowd: Scene, aimed: Aimed, request: Request) -> list[Point]:
    aimed.rest = recorder = Recorder()
    assert await ask(crowd, "DELETE", f"deliveries/{request['id']}") == NO_CONTENT
    aimed.rest = Recorder()
    return worth_ending(recorder.calls)


async def _killed(crowd: Scene, aimed: Aimed, request: Request, crash: Crash) -> list[str]:
    """Erase it and be killed, and ask again, as whoever got no answer does."""
    aimed.rest = crash
    target = f"deliveries/{request['id']}"
    answers = [await ask(crowd, "DELETE", target), await ask_again(crowd, "DELETE", target)]
    aimed.rest = Recorder()
    expected = [None if crash.met else NO_CONTENT, NO_CONTENT]
    return [] if answers == expected else [f"it answered {answers}"]


async def _left(crowd: Scene, request: Request) -> list[str]:
    """Return what is left of it that should not be."""
    sids = {message.sid for message in crowd.twilio.messages if message.to == request["to"]}
    sids |= {recording.sid for recording in crowd.twilio.recordings if recording.to == request["to"]}
    wrong = [f"Twilio has {sid}" for sid in sorted(sids)]
    if crowd.twilio.accepted()[request["id"]] != 1:
        wrong.append(f"sent {crowd.twilio.accepted()[request['id']]} times")
    async with TableServiceClient.from_connection_string(crowd.backdrop.storage) as tables:
        found = tables.get_table_client("Deliveries").query_entities(
            "PartitionKey eq @id", parameters={"id": request["id"]}
        )
        [state, *events] = [row async for row in found]
        entries = tables.get_table_client("Lookups").query_entities(
            "PartitionKey eq @to", parameters={"to": keys.recipient_partition(request["to"])}
        )
        wrong += [f"an entry by recipient: {row['RowKey']}" async for row in entries]
    wrong += [f"an event: {row['RowKey']}" for row in events]
    wrong += [f"{name} is kept" for name in sorted(GONE & state.keys())]
    if (state.get("Erased"), state["Status"]) != (True, ENDS[request["channel"]]) or not state.get("RequestHash"):
        wrong.append("it is no tombstone")
    return wrong


def _erased(make: Callable[[], Request]) -> Scenario:
    async def run(backdrop: Backdrop) -> None:
        aimed = Aimed()
        async with scene(backdrop, hook=aimed) as crowd:
            await crowd.start()
            [first] = await _sent(crowd, [make()])
            found = await _recorded(crowd, aimed, first)
            requests = await _sent(crowd, [make() for _ in found])
            crashes = [Crash(point=point, act=crowd.crash) for point in found]
            wrong = [await _killed(crowd, aimed, *pair) for pair in zip(requests, crashes, strict=True)]
            for request in requests:
                await crowd.enqueue(request)
            await all_quiet(crowd, [], sent=1)
            wrong = [[*so_far, *await _left(crowd, one)] for one, so_far in zip(requests, wrong, strict=True)]
        failures = [f"killed {point}: {text}" for point, texts in zip(found, wrong, strict=True) for text in texts]
        assert failures == [], "\n".join(failures)
        check_met(crashes)

    return run


scenario("killed anywhere, the erasure of a text is ended when it is asked for again")(_erased(a_text))
scenario("killed anywhere, the erasure of a call is ended when it is asked for again")(_erased(a_recorded_call))
