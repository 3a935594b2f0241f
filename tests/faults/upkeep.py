"""Killed with -9 at every call of a housekeeping run, for what it asks about, wakes, drains and purges."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.queue.aio import QueueClient

from local.faults import Proxy, endpoint, through
from local.harness.backdrop import Backdrop
from local.harness.points import Call, Crash, Point, Recorder
from local.harness.requests import a_text, new_id
from local.harness.scene import Scene, scene
from local.harness.waiting import until
from shared.deliveries import keys
from tests.faults.aimed import POLL, Aimed, all_quiet, check_met, worth_ending
from tests.faults.housekeeping import AN_HOUR, EVERY_SECOND
from tests.faults.ways import ENDS, Request, Scenario, outcome, scenario

PAST_RETENTION = round(timedelta(days=3).total_seconds())
SETTINGS = {**EVERY_SECOND, "RETENTION_DAYS": "1"}
PATIENCE = 120
"""seconds for all that a chore does, with a host killed for each of them"""
TAKEN = re.compile(rb"<MessageId>([^<]+)</MessageId>.*?<PopReceipt>([^<]+)</PopReceipt>", re.DOTALL)
REASONS = ("request: the functions host gave it up", "to: ", "say: ", "request: expected body")
GONE = {"To", "From", "Sid", "Request", "Metadata", "Reasons", "Attempt"}
Row = Mapping[str, Any]


class Receipts(Proxy):
    """Stands before the queues and keeps who took what from the poison queue."""

    taken: dict[str, str]

    async def _forward(self, request: web.Request, body: bytes) -> web.Response | None:
        answer = await super()._forward(request, body)
        is_taking = request.method == "GET" and "-poison/messages" in request.raw_path
        if is_taking and answer is not None and isinstance(answer.body, bytes):
            found = TAKEN.findall(answer.body)
            self.taken |= {name.decode(): receipt.decode() for name, receipt in found}
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A scene in a storage of its own, and what can be seen of that storage past everything."""

    scene: Scene
    aimed: Aimed
    deliveries: TableClient
    lookups: TableClient
    poison: QueueClient
    receipts: Receipts

    async def rows(self, delivery_id: str) -> dict[str, Row]:
        """Everything that is kept of a delivery, by row key."""
        found = self.deliveries.query_entities("PartitionKey eq @id", parameters={"id": delivery_id})
        return {row["RowKey"]: row async for row in found}

    async def entries(self, delivery_id: str) -> list[str]:
        """The partitions of the entries that lead to a delivery."""
        found = self.lookups.query_entities("PartitionKey ge ''")
        return [row["PartitionKey"] async for row in found if row["RowKey"].endswith(delivery_id)]

    async def is_open(self, delivery_id: str) -> bool:
        """Whether the index of open deliveries has it."""
        return any(partition.startswith(("wake:", "ask:")) for partition in await self.entries(delivery_id))

    async def five_minutes_pass(self) -> None:
        """Show again what a host that died had taken from the poison queue."""
        while self.receipts.taken:
            name, receipt = self.receipts.taken.popitem()
            try:
                await self.poison.update_message(name, receipt, visibility_timeout=0)
            except ResourceNotFoundError:
                continue


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something that housekeeping does: what is left for it, when it is done, and what is wrong then."""

    name: str
    leave: Callable[[Stage, int], Awaitable[list[str]]]
    """leave so many of them to housekeeping, with no host running in the end"""
    is_done: Callable[[Stage, str], Awaitable[bool]]
    complaints: Callable[[Stage, str], Awaitable[list[str]]]
    ahead: int = AN_HOUR
    first: Call | None = None
    """a call that is made before it shows whom it is for"""


@dataclass(slots=True)
class Killings:
    """The crashes of one chore, each for something else that it does."""

    stage: Stage
    chore: Chore
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    over: bool = False

    async def start(self) -> None:
        """Start a host that keeps house, its clock ahead, and takes no message of the outbound queue."""
        self.stage.aimed.refused = frozenset({POLL})
        await self.stage.scene.start(ahead_seconds=self.chore.ahead, settings=SETTINGS)

    async def crash(self) -> None:
        """Kill the host, and start it again."""
        async with self.turn:
            if not self.over:
                await self.stage.scene.stop()
                await self.stage.five_minutes_pass()
                await self.start()

    async def end(self) -> None:
        """Kill no more."""
        async with self.turn:
            self.over = True


async def _killed_everywhere(stage: Stage, chore: Chore) -> list[str]:
    found = await _recorded(stage, chore)
    killings = Killings(stage, chore)
    crashes = [Crash(point=point, act=killings.crash) for point in found]
    ids = await chore.leave(stage, len(found))
    for delivery_id, crash in zip(ids, crashes, strict=True):
        stage.aimed.aim(delivery_id, crash)
    if chore.first is not None:
        stage.aimed.rest = Crash(point=Point(chore.first, after=True), act=killings.crash)
    await killings.start()
    deadline = time.monotonic() + PATIENCE
    wrong = [await _done(stage, chore, one, patience=max(1, deadline - time.monotonic())) for one in ids]
    await killings.end()
    for delivery_id in ids:
        stage.aimed.aim(delivery_id, Recorder())
    stage.aimed.rest = Recorder()
    wrong = [[*so_far, *await chore.complaints(stage, one)] for one, so_far in zip(ids, wrong, strict=True)]
    await stage.scene.stop()
    check_met(crashes)
    return [
        f"{chore.name}, killed {point}: {text}" for point, texts in zip(found, wrong, strict=True) for text in texts
    ]


async def _recorded(stage: Stage, chore: Chore) -> list[Point]:
    [first] = await chore.leave(stage, 1)
    recorder = Recorder()
    stage.aimed.aim(first, recorder)
    stage.aimed.rest = Recorder()
    await Killings(stage, chore).start()
    wrong = [*await _done(stage, chore, first, patience=PATIENCE), *await chore.complaints(stage, first)]
    assert wrong == [], f"{chore.name}: {wrong}"
    await stage.scene.stop()
    return worth_ending(recorder.calls)


async def _done(stage: Stage, chore: Chore, delivery_id: str, *, patience: float) -> list[str]:
    try:
        await until(lambda: chore.is_done(stage, delivery_id), patience=patience)
    except TimeoutError:
        return ["it is not done"]
    return []


async def _sent(stage: Stage, requests: list[Request]) -> list[str]:
    """Have requests sent by a host that is gone then."""
    stage.aimed.refused = frozenset()
    await stage.scene.start()
    for request in requests:
        stage.aimed.know(request["id"])
        await stage.scene.enqueue(request)
    ids = [request["id"] for request in requests]
    await all_quiet(stage.scene, ids, sent=1)
    await stage.scene.stop()
    return ids


async def _leave_without_news(stage: Stage, number: int) -> list[str]:
    stage.scene.twilio.faults.callbacks(lose=1.0)
    ids = await _sent(stage, [a_text() for _ in range(number)])
    stage.scene.twilio.faults.clear()
    return ids


async def _is_closed(stage: Stage, delivery_id: str) -> bool:
    return await stage.scene.is_final(delivery_id) and not await stage.is_open(delivery_id)


async def _not_told(stage: Stage, delivery_id: str) -> list[str]:
    rows = await stage.rows(delivery_id)
    state = rows.pop("delivery")
    news = [key for key in rows if ":asked:" in key]
    wrong = [] if state["Status"] == ENDS["sms"] else [f"it is {state['Status']}"]
    if len(news) != 1:
        wrong.append(f"expected one event of having asked, got {news}")
    if await stage.is_open(delivery_id):
        wrong.append("it is listed as open")
    return wrong


async def _leave_without_message(stage: Stage, number: int) -> list[str]:
    stage.aimed.refused = frozenset()
    stage.scene.twilio.faults.add("429")
    requests = [a_text() for _ in range(number)]
    await stage.scene.start()
    for request in requests:
        stage.aimed.know(request["id"])
        await stage.scene.enqueue(request)
    for request in requests:
        await until(lambda one=request: _waits(stage, one))  # type: ignore[misc]  # it does return that
    await stage.scene.stop()
    await stage.scene.records.clear(stage.scene.queue)
    stage.scene.twilio.faults.clear()
    return [request["id"] for request in requests]


async def _waits(stage: Stage, request: Request) -> bool:
    return await stage.scene.records.status(request["id"]) == "retrying"


async def _is_put_off(stage: Stage, delivery_id: str) -> bool:
    """Whether it has its message, and housekeeping has done its part."""
    found = stage.lookups.query_entities("PartitionKey ge 'wake:' and PartitionKey lt 'wake;'")
    times = [row["LookAt"] async for row in found if keys.delivery_at(row["RowKey"]) == delivery_id]
    return all(look_at > datetime.now(UTC) + timedelta(seconds=AN_HOUR) for look_at in times)


async def _not_sent(stage: Stage, delivery_id: str) -> list[str]:
    """Let its message be taken: nobody is killed any more, and nothing recorded."""
    stage.aimed.aim(delivery_id, Recorder())
    stage.aimed.refused = frozenset()
    return await outcome(stage.scene, {"id": delivery_id, "channel": "sms"})


async def _leave_in_poison(stage: Stage, number: int) -> list[str]:
    """Leave messages that the host gave up: each is no request for more than one reason, and names an id."""
    ids = []
    for _ in range(number):
        named = new_id()
        content = json.dumps({"id": named, "channel": "sms", "to": "12", "say": "Hello"}).encode()
        message = await stage.poison.send_message(base64.b64encode(content).decode())
        stage.aimed.know(message.id, named)
        ids.append(message.id)
    return ids


async def _is_drained(stage: Stage, message_id: str) -> bool:
    waiting = await stage.poison.get_queue_properties()
    return await stage.scene.is_final(message_id) and not waiting.approximate_message_count


async def _not_rejected(stage: Stage, message_id: str) -> list[str]:
    rows = await stage.rows(message_id)
    state = rows.pop("delivery", {})
    reasons = json.loads(state.get("Reasons", "[]"))
    wrong = [f"no reason begins with {one!r}" for one in REASONS if not any(r.startswith(one) for r in reasons)]
    if len(rows) != 1:
        wrong.append(f"expected one event, got {list(rows)}")
    # a second run files it at its own time: what leads there as it was never filed at the first one's leads nowhere
    entries = {partition.partition(":")[0] for partition in await stage.entries(message_id)}
    if entries != {"day", "status", "named"}:
        wrong.append(f"expected an entry by day, one by status and one by the id that it named, got {entries}")
    return wrong


async def _leave_over(stage: Stage, number: int) -> list[str]:
    return await _sent(stage, [a_text() for _ in range(number)])


async def _is_purged(stage: Stage, delivery_id: str) -> bool:
    rows = await stage.rows(delivery_id)
    return bool(rows["delivery"].get("Erased")) and not await _led_to(stage, delivery_id)


async def _led_to(stage: Stage, delivery_id: str) -> list[str]:
    """Return the entries that lead to what is purged, but for the one that has it swept a quarter of an hour later."""
    return [partition for partition in await stage.entries(delivery_id) if not partition.startswith("erased:")]


async def _not_purged(stage: Stage, delivery_id: str) -> list[str]:
    rows = await stage.rows(delivery_id)
    state = rows.pop("delivery")
    wrong = [f"{name} is kept" for name in sorted(GONE & state.keys())]
    if (state.get("Erased"), state["Status"]) != (True, "delivered") or not state.get("RequestHash"):
        wrong.append("it is no tombstone")
    if rows:
        wrong.append(f"kept: {list(rows)}")
    if entries := await _led_to(stage, delivery_id):
        wrong.append(f"entries lead to it: {entries}")
    return wrong


ASK = Chore(name="asks Twilio", leave=_leave_without_news, is_done=_is_closed, complaints=_not_told)
WAKE = Chore(
    name="gives a request its message back", leave=_leave_without_message, is_done=_is_put_off, complaints=_not_sent
)
DRAIN = Chore(
    name="drains the poison queue",
    leave=_leave_in_poison,
    is_done=_is_drained,
    complaints=_not_rejected,
    first=Call("queue get outbound-poison", 1),
)
PURGE = Chore(name="purges", leave=_leave_over, is_done=_is_purged, complaints=_not_purged, ahead=PAST_RETENTION)


@asynccontextmanager
async def _stage(backdrop: Backdrop) -> AsyncIterator[Stage]:
    aimed = Aimed()
    async with (
        backdrop.with_other_storage() as own,
        Receipts.start(target=endpoint(own.storage, "queue"), service="queue", hook=Recorder()) as receipts,
        TableServiceClient.from_connection_string(own.storage) as tables,
        scene(replace(own, storage=through(own.storage, queue=receipts.port)), hook=aimed) as made,
        QueueClient.from_connection_string(own.storage, f"{made.queue}-poison") as poison,
    ):
        receipts.taken = {}
        await poison.create_queue()
        yield Stage(
            scene=made,
            aimed=aimed,
            deliveries=tables.get_table_client("Deliveries"),
            lookups=tables.get_table_client("Lookups"),
            poison=poison,
            receipts=receipts,
        )


def _killed(*chores: Chore) -> Scenario:
    async def run(backdrop: Backdrop) -> None:
        async with _stage(backdrop) as stage:
            wrong = [text for chore in chores for text in await _killed_everywhere(stage, chore)]
        assert wrong == [], "\n".join(wrong)

    return run


scenario("killed anywhere, housekeeping asks Twilio, and gives back messages, all the same")(_killed(ASK, WAKE))
scenario("killed anywhere, housekeeping drains the poison queue, and purges, all the same")(_killed(DRAIN, PURGE))
