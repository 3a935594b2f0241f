"""Timer triggers: one run at a time; an occurrence that falls into a run, or a pause of the host, is skipped."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from azure.functions.timer import TimerRequest

from local.host.indexing import Function, TimerTrigger
from local.host.invocation import FunctionFailedError, Invoker

logger = logging.getLogger(__name__)

# So that a laptop that slept, or whose clock was set, is not late for long.
_LONGEST_SLEEP_SECONDS = 30.0

Earliness = Callable[[], timedelta]
"""how early the next run comes: on Azure some milliseconds, now and then"""


def punctual() -> timedelta:
    """Return that a run comes in time."""
    return timedelta(0)


class TimerListener:
    """Runs one function whenever its schedule says so."""

    def __init__(
        self, function: Function, trigger: TimerTrigger, *, invoker: Invoker, earliness: Earliness = punctual
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._invoker = invoker
        self._earliness = earliness
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Start no further run; `run` ends with the present one."""
        self._stopping.set()

    async def run(self) -> None:
        """Wait and run in turns until `stop`. A failed run is logged, and not tried again.

        An occurrence whose run came early does not come again at its own time: Azure counts on from there, too.
        https://github.com/Azure/azure-webjobs-sdk-extensions/blob/dev/src/WebJobs.Extensions/Extensions/Timers/Listener/TimerListener.cs
        """
        if self._trigger.run_on_startup:
            await self._call()
        due = datetime.now(UTC)
        while not self._stopping.is_set():
            due = self._trigger.schedule.next_after(max(due, datetime.now(UTC)))
            await self._sleep_until(due - self._earliness())
            if not self._stopping.is_set():
                await self._call()

    async def _sleep_until(self, moment: datetime) -> None:
        while not self._stopping.is_set() and (remaining := (moment - datetime.now(UTC)).total_seconds()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(remaining, _LONGEST_SLEEP_SECONDS)):
                    await self._stopping.wait()

    async def _call(self) -> None:
        with suppress(FunctionFailedError):
            await self._invoker.call(self._function, TimerRequest(past_due=False))
