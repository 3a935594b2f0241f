"""Killed with -9 at every call of the schedule timer: what is due is sent once."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from local.harness.backdrop import Backdrop
from local.harness.points import Call, Crash, Point, Recorder
from local.harness.requests import a_text, new_id
from local.harness.schedules import PAST_GHOSTS, minute
from local.harness.waiting import until
from shared.scheduling.schedule import Schedule
from tests.faults.agendas import AN_HOUR, JUST_AFTER, Kept, Stage, a_schedule, in_the_end, is_left, kept_of, open_stage
from tests.faults.aimed import POLL, check_met, worth_ending
from tests.faults.ways import Request, scenario

A_MINUTE = timedelta(minutes=1)
PATIENCE = 60.0
"""seconds for what the timer does with one schedule, however often its host is started"""
AGENDA, CLAIM = "table upsert Schedules", "table insert Deliveries"
WAKING = (
    Point(Call("queue put outbound", 1), after=False),
    Point(Call("queue put outbound", 1), after=True),
    Point(Call("table delete Schedules", 1), after=True),
)


def _three_times() -> tuple[Schedule, Kept]:
    """A schedule of three times, which have gone by."""
    name, first = new_id(), _a_minute_ago() - 2 * A_MINUTE
    due = [first, first + A_MINUTE, first + 2 * A_MINUTE]
    return a_schedule(name, cron="* * * * *", start=first, end=due[-1]), kept_of(name, *due)


def _going_on() -> tuple[Schedule, Kept]:
    """A schedule of every day, one of whose times has gone by."""
    name, due = new_id(), _a_minute_ago()
    kept = kept_of(name, due, left=("next", "schedule"))
    return a_schedule(name, cron=f"{due.minute} {due.hour} * * *", start=due), kept


def _one_time() -> tuple[Schedule, Kept]:
    name, due = new_id(), _a_minute_ago()
    return a_schedule(name, at=due), kept_of(name, due)


def _a_minute_ago() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - A_MINUTE


@scenario("killed anywhere, the timer sends each time of a schedule once")
async def timer(backdrop: Backdrop) -> None:
    """The timer alone works first; what it enqueued is sent in the end, by a host that finds no ghosts any more."""
    kept, killed, crashes = [], [], []
    async with open_stage(backdrop) as stage:
        stage.aimed.refused = frozenset({POLL})
        await stage.start_timer()
        for make in (_three_times, _going_on, _one_time):
            recorder = Recorder()
            kept.append(await _fired(stage, *make(), hook=recorder))
            killed.append(f"{make.__name__}, not killed")
            for point in worth_ending(recorder.calls):
                crash = Crash(point=point, act=stage.start_timer)
                kept.append(await _fired(stage, *make(), hook=crash))
                killed.append(f"{make.__name__}, killed {point}")
                crashes.append(crash)
        stage.aimed.refused = frozenset()
        await stage.start_timer(ahead_seconds=PAST_GHOSTS)
        wrong = await in_the_end(stage, kept, killed)
    assert wrong == [], "\n".join(wrong)
    check_met(crashes)


async def _fired(stage: Stage, schedule: Schedule, kept: Kept, *, hook: Recorder) -> Kept:
    """Have the timer do all that it can with one that is due; a row that it left behind where it was killed stays."""
    stage.aimed.know(schedule.id)
    stage.aimed.aim(schedule.id, hook)

    async def is_done() -> bool:
        rows = await stage.rows(schedule.id)
        return rows == [*kept.left] or (not kept.left and rows == ["due"])

    await stage.put(schedule, at=(schedule.start or schedule.at or _a_minute_ago()) - A_MINUTE)
    with suppress(TimeoutError):  # what is left then is told in the end
        await until(is_done, patience=PATIENCE)
    return kept


@scenario("killed anywhere, a text whose send_at is far is sent once when it comes")
async def far(backdrop: Backdrop) -> None:
    """It stands in the agenda before it is claimed; what follows on its claim is as on any other (crashes.py)."""
    kept, killed, crashes = [], [], []
    async with open_stage(backdrop) as stage:
        await stage.scene.start()
        recorder = Recorder()
        kept.append(await _put_off(stage, hook=recorder))
        killed.append("not killed")
        first = worth_ending(recorder.calls)
        for point in [one for one in first if one.call.operation in {AGENDA, CLAIM}]:
            crash = Crash(point=point, act=stage.scene.crash)
            kept.append(await _put_off(stage, hook=crash))
            killed.append(f"put off, killed {point}")
            crashes.append(crash)
        woken = [await _put_off(stage, hook=Recorder()) for _ in WAKING]
        for one, point in zip(woken, WAKING, strict=True):
            crash = Crash(point=point, act=lambda: stage.start_timer(ahead_seconds=JUST_AFTER))
            stage.aimed.aim(one.name, crash)
            killed.append(f"woken, killed {point}")
            crashes.append(crash)
        stage.aimed.refused = frozenset({POLL})
        await stage.start_timer(ahead_seconds=JUST_AFTER)
        for one in [*kept, *woken]:
            await until(lambda this=one: is_left(stage, this))  # type: ignore[misc]  # it does return that
        stage.aimed.refused = frozenset()
        wrong = await in_the_end(stage, [*kept, *woken], killed)
    assert wrong == [], "\n".join(wrong)
    check_met(crashes)


async def _put_off(stage: Stage, *, hook: Recorder) -> Kept:
    """Have a request wait for an hour from now."""
    request: Request = a_text(send_at=(datetime.now(UTC) + AN_HOUR).isoformat())
    stage.aimed.know(request["id"])
    stage.aimed.aim(request["id"], hook)
    await stage.scene.enqueue(request)

    async def waits() -> bool:
        return await stage.scene.records.status(request["id"]) == "scheduled" and await stage.scene.is_quiet()

    await until(waits)
    return Kept(name=request["id"], ids=(request["id"],))


@scenario("killed half way, 150 schedules that are due in one minute are sent once")
async def one_minute(backdrop: Backdrop) -> None:
    """The short form of `python3 dev.py soak --schedules 10000`."""
    async with backdrop.with_other_storage() as own:
        outcome = await minute(own, schedules=150, say=print)
    assert (str(outcome), outcome.notes) == ("sent once, twice, lost: 150, 0, 0", ())
