"""What is due: deliveries woken, and the requests of schedules enqueued, by the schedule timer."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.agenda import Agenda, DeliveryDue, Entry, ScheduleDue
from shared.calendar.ahead import AHEAD
from shared.calendar.missed import oldest_still_due, still_due
from shared.errors import Changed
from shared.logs import shown_id, traced
from shared.outbound import internal
from shared.queues import Queue
from shared.scheduling.schedule import next_due, occurrence
from shared.scheduling.schedules import Schedules

_logger: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 32
_A_PAGE: Final = 20_000
_GHOST: Final = timedelta(minutes=10)
"""a row whose definition doesn't know it may be ahead of it so long, as it is written first"""


class Due:
    """Does what the agenda says; each step may be repeated, as what it enqueues is sent once whatever happens.

    It looks a little less than a second ahead (`AHEAD`). The message of an entry that is read early stays hidden until
    the entry is due.
    """

    def __init__(self, *, agenda: Agenda, schedules: Schedules, queue: Queue, clock: Callable[[], datetime]) -> None:
        self._agenda = agenda
        self._schedules = schedules
        self._queue = queue
        self._clock = clock

    async def run(self, *, until: datetime) -> int:
        """Do what is due, up to the moment `until`; return how much that was. The rest is due the next time."""
        began = self._clock()
        total = 0
        while done := await self._round(until, began):
            total += done
        return total

    async def _round(self, until: datetime, began: datetime) -> int:
        """Go through what is due now. What schedules enter meanwhile, where several times have gone by, comes next."""
        outcomes: list[asyncio.Task[bool]] = []
        places = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            async for entry in self._agenda.due(self._clock() + AHEAD, limit=_A_PAGE):
                await places.acquire()
                if self._clock() >= until:
                    break
                task = group.create_task(self._do(entry, began))
                task.add_done_callback(lambda _: places.release())
                outcomes.append(task)
        return sum(task.result() for task in outcomes)

    async def _do(self, entry: Entry, began: datetime) -> bool:
        """Do one thing; return whether it is done with."""
        try:
            match entry.what:
                case DeliveryDue(delivery_id):
                    await self._enqueue(internal.Wake(delivery_id), entry.due)
                    await self._agenda.drop(entry)
                    return True
                case ScheduleDue(schedule_id, revision):
                    return await self._fire(entry, schedule_id, revision, began)
        except Exception as exc:  # noqa: BLE001 - what is wrong with one is nobody else's, and comes again the next time
            _logger.error("not done: %s: %s", _shown(entry), traced(exc))  # noqa: TRY400 - SDK text holds URLs
            return False

    async def _fire(self, entry: Entry, schedule_id: str, revision: str, began: datetime) -> bool:
        """Write the next time, enqueue this one's request, take this one out: a crash repeats what is harmless."""
        now = self._clock()
        stored = await self._schedules.get(schedule_id)
        if stored is None or stored.revision != revision:
            if now - entry.written_at < _GHOST:
                return False
            await self._agenda.drop(entry)
            return True
        # of the times that have gone by, the first that its rule does not leave out
        # one that waits its turn among thousands is not missed: what counts is when the run began
        since = oldest_still_due(began, stored.schedule.missed) - timedelta(microseconds=1)
        following = next_due(stored.schedule, after=max(entry.due, since))
        if following is not None:
            await self._agenda.put(ScheduleDue(schedule_id, revision), following)
        if still_due(entry.due, began, stored.schedule.missed):
            await self._enqueue(occurrence(stored.schedule, entry.due), entry.due)
        else:
            _logger.warning(
                "missed, and left out by its own rule: %s of %s", f"{entry.due:%Y-%m-%dT%H:%M}Z", shown_id(schedule_id)
            )
        if following is None:
            # somebody may have put another one in its place
            with contextlib.suppress(Changed):
                await self._schedules.delete(stored)
        await self._agenda.drop(entry)
        return True

    async def _enqueue(self, message: internal.Internal, due: datetime) -> None:
        await self._queue.put(internal.write(message), delay=max(due - self._clock(), timedelta(0)))


def _shown(entry: Entry) -> str:
    match entry.what:
        case DeliveryDue(delivery_id):
            return f"delivery {shown_id(delivery_id)}"
        case ScheduleDue(schedule_id):
            return f"schedule {shown_id(schedule_id)}"
