"""Killed with -9 at every call of what is asked about a schedule, and asked again: it is so, and leaves no ghost."""

from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import msgspec

from local.harness.backdrop import Backdrop
from local.harness.points import Crash, Recorder
from local.harness.requests import new_id
from local.harness.waiting import until
from shared.scheduling.schedule import Schedule
from tests.faults.agendas import AN_HOUR, JUST_AFTER, Kept, Stage, a_schedule, in_the_end, kept_of, open_stage
from tests.faults.aimed import check_met, worth_ending
from tests.faults.ways import scenario

GONE = 404


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
    Ask(earlier=("make",), verb="cancel", sends=False, left=("canceled",), again=frozenset({204, GONE})),
)


@scenario("killed anywhere, what is asked about a schedule is so when it is asked for again")
async def asked(backdrop: Backdrop) -> None:
    """Nothing is due before everything has been asked; then an hour has passed."""
    kept, killed, wrong, crashes = [], [], [], []
    at = datetime.now(UTC).replace(second=0, microsecond=0) + AN_HOUR
    async with open_stage(backdrop) as stage:
        await stage.scene.start()
        for ask in ASKS:
            recorder = Recorder()
            schedule = await _asked_about(stage, ask, at)
            await _answer(stage, ask.verb, schedule, hook=recorder)
            kept.append(_kept_for(ask, schedule))
            killed.append(f"{ask.verb}, not killed")
            for point in worth_ending(recorder.calls):
                schedule = await _asked_about(stage, ask, at)
                crash = Crash(point=point, act=stage.scene.crash)
                first = await _ask(stage, ask.verb, schedule, hook=crash)
                again = await _answer(stage, ask.verb, schedule)
                if again not in ask.again or (first is None) != crash.met:
                    wrong.append(f"{ask.verb}, killed {point}: it answered {first}, {again}")
                kept.append(_kept_for(ask, schedule))
                killed.append(f"{ask.verb}, killed {point}")
                crashes.append(crash)
        await stage.start_timer(ahead_seconds=JUST_AFTER)
        wrong += await in_the_end(stage, kept, killed)
    assert wrong == [], "\n".join(wrong)
    check_met(crashes)


def _kept_for(ask: Ask, schedule: Schedule) -> Kept:
    due = [schedule.at] if ask.sends and schedule.at is not None else []
    return kept_of(schedule.id, *due, left=ask.left)


async def _asked_about(stage: Stage, ask: Ask, at: datetime) -> Schedule:
    schedule = a_schedule(new_id(), at=at)
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
