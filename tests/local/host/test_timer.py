import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import cast

import azure.functions as func
import pytest

from local.host import Host, HostError
from local.host.indexing import Function, TimerTrigger
from local.host.invocation import Invoker
from local.host.timer import TimerListener
from shared.calendar.ncrontab import Ncrontab


@asynccontextmanager
async def ticking(
    call: Callable[..., object],
    *,
    schedule: str = "* * * * * *",
    run_on_startup: bool = False,
    settings: dict[str, str] | None = None,
    grace_seconds: float = 10,
) -> AsyncIterator[Host]:
    app = func.FunctionApp()
    app.timer_trigger(arg_name="timer", schedule=schedule, run_on_startup=run_on_startup)(call)
    values = {"CRON": "* * * * * *", **(settings or {})}
    async with Host.start(app=app, settings=values, grace_seconds=grace_seconds) as host:
        yield host


@pytest.mark.parametrize("schedule", ["* * * * * *", "%CRON%"])
async def test_a_timer_runs_when_it_is_due_and_is_never_past_due(schedule: str) -> None:
    runs: asyncio.Queue[func.TimerRequest] = asyncio.Queue()

    async def tick(timer: func.TimerRequest) -> None:
        runs.put_nowait(timer)

    async with ticking(tick, schedule=schedule):
        first, second = await runs.get(), await runs.get()
    assert (first.past_due, second.past_due) == (False, False)


async def test_a_disabled_timer_does_not_run_even_at_the_start() -> None:
    def disabled(timer: func.TimerRequest) -> None: ...

    off, on = {"AzureWebJobs.disabled.Disabled": "1"}, {"AzureWebJobs.disabled.Disabled": "0"}
    async with ticking(disabled, run_on_startup=True, settings=off) as host:
        assert host._listeners == []
    async with ticking(disabled, run_on_startup=True, settings=on) as host:
        assert len(host._listeners) == 1


async def test_a_timer_may_run_on_startup() -> None:
    ran = asyncio.Event()

    async def tick(timer: func.TimerRequest) -> None:
        ran.set()

    async with ticking(tick, schedule="0 0 0 29 2 *", run_on_startup=True):
        await ran.wait()


async def test_a_timer_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    runs: asyncio.Queue[None] = asyncio.Queue()

    async def tick(timer: func.TimerRequest) -> None:
        runs.put_nowait(None)
        raise RuntimeError

    async with ticking(tick):
        await runs.get()
        await runs.get()
    assert "tick raised" in caplog.text


async def test_a_run_that_takes_longer_than_the_interval_is_not_overtaken() -> None:
    running, most = 0, 0
    runs: asyncio.Queue[None] = asyncio.Queue()

    async def tick(timer: func.TimerRequest) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(1.2)
        running -= 1
        runs.put_nowait(None)

    async with ticking(tick):
        await runs.get()
        await runs.get()
    assert most == 1


async def test_a_timer_that_waits_does_not_hold_the_host() -> None:
    ran = asyncio.Event()

    async def tick(timer: func.TimerRequest) -> None:
        ran.set()

    async with asyncio.timeout(5), ticking(tick, schedule="0 0 0 29 2 *"):
        await asyncio.sleep(0)
    assert not ran.is_set()


async def test_a_run_under_way_may_end_when_the_host_stops() -> None:
    entered, leave, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def tick(timer: func.TimerRequest) -> None:
        entered.set()
        await leave.wait()
        ended.set()

    async with ticking(tick, run_on_startup=True):
        await entered.wait()
        asyncio.get_running_loop().call_later(0.05, leave.set)
    assert ended.is_set()


class Remembering:
    """A schedule that remembers after which moments it was asked for, and what it answered."""

    def __init__(self) -> None:
        self.schedule = Ncrontab.parse("* * * * * *")
        self.asked: list[tuple[datetime, datetime]] = []

    def next_after(self, moment: datetime) -> datetime:
        due = self.schedule.next_after(moment)
        self.asked.append((moment, due))
        return due


async def test_a_timer_may_fire_early_as_on_azure_and_its_occurrence_does_not_come_twice() -> None:
    schedule, runs = Remembering(), asyncio.Queue[datetime]()
    rng = random.Random(23)  # noqa: S311 - no secret, and it repeats

    async def tick(timer: func.TimerRequest) -> None:
        runs.put_nowait(datetime.now(UTC))

    trigger = TimerTrigger(schedule=cast("Ncrontab", schedule), run_on_startup=False)
    function = Function("tick", tick, is_async=True, argument="timer", wants_context=False, trigger=trigger)
    invoker = Invoker(directory=Path.cwd(), timeout_seconds=math.inf, threads=None)
    listener = TimerListener(
        function, trigger, invoker=invoker, earliness=lambda: timedelta(milliseconds=rng.uniform(1, 900))
    )
    running = asyncio.create_task(listener.run())
    early = 0
    while early < 2:
        came, (_, due) = await runs.get(), schedule.asked[-1]
        early += came < due
    listener.stop()
    await running
    assert all(after >= due for (_, due), (after, _) in pairwise(schedule.asked))


@pytest.mark.parametrize(
    ("schedule", "sentence"), [("every day", "five or six fields"), ("%GONE%", "the setting GONE")]
)
async def test_a_schedule_that_cannot_be_used_is_named(schedule: str, sentence: str) -> None:
    async def tick(timer: func.TimerRequest) -> None:
        pass

    with pytest.raises(HostError, match=f"the schedule of function tick .*{sentence}"):
        async with ticking(tick, schedule=schedule):
            pass
