"""Killed with -9 at every call of the schedule timer, and of whatever is asked about a schedule: it is sent once."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import msgspec
from azure.data.tables.aio import TableClient

from local.harness.backdrop import Backdrop
from local.harness.points import Call, Crash, Point, Recorder
from local.harness.requests import a_number, a_text, new_id
from local.harness.scene import Scene, scene
from local.harness.schedules import PAST_GHOSTS, minute
from local.harness.waiting import until
from shared.agenda import Agenda
from shared.outbound import internal
from shared.scheduling.schedule import Schedule
from shared.scheduling.schedules import Schedules
from shared.tables import Table
from tests.faults.aimed import POLL, Aimed, all_quiet, check_met, worth_ending
from tests.faults.ways import Request, scenario

EVERY_SECOND = {"SCHEDULE_CRON": "* * * * * *"}
A_MINUTE = timedelta(minutes=1)
AN_HOUR = timedelta(hours=1)
JUST_AFTER = round(timedelta(minutes=80).total_seconds())
"""seconds: what is due in an hour is late, and not too late"""
PATIENCE = 60.0
"""seconds for what the timer does with one schedule, however often its host is started"""
GONE = 404
AGENDA, CLAIM = "table upsert Schedules", "table insert Deliveries"
WAKING = (
    Point(Call("queue put outbound", 1), after=False),
    Point(Call("queue put outbound", 1), after=True),
    Point(Call("table delete Schedules", 1), after=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A scene in a storage of its own, whose agenda can be seen."""

    scene: Scene
    aimed: Aimed
    table: TableClient

    async def start_timer(self, *, ahead_seconds: int = 0) -> None:
        """Start a host whose timer runs, with its clock so much ahead, in the place of the one that runs."""
        await self.scene.stop()
        await self.scene.start(ahead_seconds=ahead_seconds, settings=EVERY_SECOND)

    async def put(self, schedule: Schedule, *, at: datetime) -> None:
        """Put a schedule on record, as it would have been at a time that has gone by."""
        table = Table(self.table)
        await Schedules(schedules=table, agenda=Agenda(table), clock=lambda: at).create(schedule, now=at)

    async def rows(self, name: str) -> list[str]:
        """What there is of a schedule or a delivery: `schedule`, and `due` or `next` for a row of the agenda."""
        found = self.table.query_entities("PartitionKey ge ''")
        now = datetime.now(UTC)
        rows = [row async for row in found if name in row["RowKey"].split("~")]
        return sorted(("due" if row["Due"] <= now else "next") if "Due" in row else "schedule" for row in rows)

    def sent(self, name: str) -> dict[str, int]:
        """How often each request of a schedule, or of this id, was accepted."""
        return {one: count for one, count in self.scene.twilio.accepted().items() if one.partition("~")[0] == name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Something that comes when it is due: the ids that are sent, and what is left in the end."""

    name: str
    ids: tuple[str, ...]
    left: tuple[str, ...] = ()

    async def complaints(self, stage: Stage) -> list[str]:
        """Return what is wrong in the end."""
        sent, rows = stage.sent(self.name), await stage.rows(self.name)
        statuses = {await stage.scene.records.status(one) for one in self.ids}
        wrong = [] if sent == dict.fromkeys(self.ids, 1) else [f"sent {sent}, expected once: {self.ids}"]
        wrong += [f"it is {status}" for status in statuses - {"delivered"}]
        return wrong if tuple(rows) == self.left else [*wrong, f"there is {rows}, expected {self.left}"]


@asynccontextmanager
async def _stage(backdrop: Backdrop) -> AsyncIterator[Stage]:
    aimed = Aimed()
    async with (
        backdrop.with_other_storage() as own,
        scene(own, hook=aimed) as made,
        TableClient.from_connection_string(own.storage, "Schedules") as table,
    ):
        await table.create_table()
        yield Stage(scene=made, aimed=aimed, table=table)


async def _in_the_end(stage: Stage, kept: Sequence[Kept], killed: Sequence[str]) -> list[str]:
    """Wait until all of it is sent and what leads nowhere is gone, and return what is wrong."""
    try:
        await all_quiet(stage.scene, [one for each in kept for one in each.ids], sent=1)
        for each in kept:
            await until(lambda this=each: _is_left(stage, this))  # type: ignore[misc]  # it does return that
            for one in each.ids:
                await until(lambda this=one: stage.scene.is_final(this))  # type: ignore[misc]  # likewise
    except TimeoutError:
        pass
    wrong = [
        [f"{what}: {text}" for text in await each.complaints(stage)] for each, what in zip(kept, killed, strict=True)
    ]
    if await stage.scene.records.waiting(f"{stage.scene.queue}-poison"):
        wrong.append(["the host gave a message up"])
    return [text for texts in wrong for text in texts]


async def _is_left(stage: Stage, kept: Kept) -> bool:
    return tuple(await stage.rows(kept.name)) == kept.left


def _three_times() -> tuple[Schedule, Kept]:
    """A schedule of three times, which have gone by."""
    name, first = new_id(), _a_minute_ago() - 2 * A_MINUTE
    due = [first, first + A_MINUTE, first + 2 * A_MINUTE]
    return _schedule(name, cron="* * * * *", start=first, end=due[-1]), _kept(name, *due)


def _going_on() -> tuple[Schedule, Kept]:
    """A schedule of every day, one of whose times has gone by."""
    name, due = new_id(), _a_minute_ago()
    kept = _kept(name, due, left=("next", "schedule"))
    return _schedule(name, cron=f"{due.minute} {due.hour} * * *", start=due), kept


def _one_time() -> tuple[Schedule, Kept]:
    name, due = new_id(), _a_minute_ago()
    return _schedule(name, at=due), _kept(name, due)


def _a_minute_ago() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - A_MINUTE


def _schedule(name: str, **timing: Any) -> Schedule:  # noqa: ANN401 - any of a timing's fields
    request = {"channel": "sms", "to": a_number(), "body": "Only once"}
    return Schedule(id=name, request=request, time_zone="UTC", **timing)


def _kept(name: str, *due: datetime, left: tuple[str, ...] = ()) -> Kept:
    return Kept(name=name, ids=tuple(internal.occurrence_id(name, one) for one in due), left=left)


@scenario("killed anywhere, the timer sends each time of a schedule once")
async def timer(backdrop: Backdrop) -> None:
    """The timer alone works first; what it enqueued is sent in the end, by a host that finds no ghosts any more."""
    kept, killed, crashes = [], [], []
    async with _stage(backdrop) as stage:
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
        wrong = await _in_the_end(stage, kept, killed)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Something that is asked about a schedule that has been asked about before; answered once, and asked again."""

    earlier: tuple[str, ...]
    """what was asked before, as `verb`"""
    verb: str
    sends: bool
    left: tuple[str, ...] = ()
    again: frozenset[int] = frozenset({200})


ASKS = (
    Ask(earlier=(), verb="make", sends=True, again=frozenset({200, 201})),
    Ask(earlier=("make",), verb="pause", sends=False, left=("schedule",)),
    Ask(earlier=("make", "pause"), verb="resume", sends=True),
    Ask(earlier=("make",), verb="cancel", sends=False, again=frozenset({204, GONE})),
)


@scenario("killed anywhere, what is asked about a schedule is so when it is asked for again")
async def asked(backdrop: Backdrop) -> None:
    """Nothing is due before everything has been asked; then an hour has passed."""
    kept, killed, wrong, crashes = [], [], [], []
    at = datetime.now(UTC).replace(second=0, microsecond=0) + AN_HOUR
    async with _stage(backdrop) as stage:
        await stage.scene.start()
        for ask in ASKS:
            recorder = Recorder()
            schedule = await _asked_about(stage, ask, at)
            await _answer(stage, ask.verb, schedule, hook=recorder)
            kept.append(_kept_of(ask, schedule))
            killed.append(f"{ask.verb}, not killed")
            for point in worth_ending(recorder.calls):
                schedule = await _asked_about(stage, ask, at)
                crash = Crash(point=point, act=stage.scene.crash)
                first = await _ask(stage, ask.verb, schedule, hook=crash)
                again = await _answer(stage, ask.verb, schedule)
                if again not in ask.again or (first is None) != crash.met:
                    wrong.append(f"{ask.verb}, killed {point}: it answered {first}, {again}")
                kept.append(_kept_of(ask, schedule))
                killed.append(f"{ask.verb}, killed {point}")
                crashes.append(crash)
        await stage.start_timer(ahead_seconds=JUST_AFTER)
        wrong += await _in_the_end(stage, kept, killed)
    assert wrong == [], "\n".join(wrong)
    check_met(crashes)


def _kept_of(ask: Ask, schedule: Schedule) -> Kept:
    due = [schedule.at] if ask.sends and schedule.at is not None else []
    return _kept(schedule.id, *due, left=ask.left)


async def _asked_about(stage: Stage, ask: Ask, at: datetime) -> Schedule:
    schedule = _schedule(new_id(), at=at)
    for verb in ask.earlier:
        await _answer(stage, verb, schedule)
    return schedule


async def _answer(stage: Stage, verb: str, schedule: Schedule, *, hook: Recorder | None = None) -> int:
    """Ask until there is an answer, as whoever got none does."""
    answers: list[int] = []

    async def is_answered() -> bool:
        status = await _ask(stage, verb, schedule, hook=hook or Recorder())
        answers.extend(() if status in {None, 503} else (status or 0,))
        return bool(answers)

    await until(is_answered)
    return answers[0]


async def _ask(stage: Stage, verb: str, schedule: Schedule, *, hook: Recorder) -> int | None:
    """Ask for it once, and return the status of the answer, None where none came."""
    place = f"{stage.scene.url}/api/schedules"
    stage.aimed.rest = hook
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            match verb:
                case "make":
                    sent = session.post(place, data=msgspec.json.encode(schedule))
                case "cancel":
                    sent = session.delete(f"{place}/{schedule.id}")
                case _:
                    sent = session.post(f"{place}/{schedule.id}/{verb}")
            async with sent as answer:
                return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None
    finally:
        stage.aimed.rest = Recorder()


@scenario("killed anywhere, a text whose send_at is far is sent once when it comes")
async def far(backdrop: Backdrop) -> None:
    """It stands in the agenda before it is claimed; what follows on its claim is as on any other (crashes.py)."""
    kept, killed, crashes = [], [], []
    async with _stage(backdrop) as stage:
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
            await until(lambda this=one: _is_left(stage, this))  # type: ignore[misc]  # it does return that
        stage.aimed.refused = frozenset()
        wrong = await _in_the_end(stage, [*kept, *woken], killed)
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
