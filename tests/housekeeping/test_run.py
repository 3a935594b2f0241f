import json
import logging
import traceback
from datetime import datetime, timedelta

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.errors import TwilioUnclear
from shared.housekeeping.run import Chore, ChoresFailed, run
from tests.fakes import Clock
from tests.web.app import ROOT


def chore(clock: Clock, done: list[datetime], *, count: int = 0, error: Exception | None = None) -> Chore:
    async def do(*, until: datetime) -> int:
        done.append(until)
        clock.advance(timedelta(seconds=7))
        if error is not None:
            raise error
        return count

    return do


async def test_each_chore_gets_a_minute_from_when_it_begins_and_the_last_one_what_is_left_of_the_run() -> None:
    clock, done = Clock(), list[datetime]()
    begun = clock.now
    await run({name: chore(clock, done) for name in ("one", "two", "three")}, clock=clock)
    assert done == [begun + timedelta(seconds=seconds) for seconds in (60, 67, 270)]


async def test_a_run_ends_before_the_host_ends_it() -> None:
    clock, done = Clock(), list[datetime]()
    begun = clock.now
    await run({str(number): chore(clock, done) for number in range(50)}, clock=clock)
    minutes = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["functionTimeout"].split(":")[1]
    assert max(done) < begun + timedelta(minutes=int(minutes))


@pytest.mark.parametrize(
    ("error", "has_traceback"),
    [
        (ServiceRequestError("https://account/secret"), False),
        (TwilioUnclear("no answer"), False),
        (ZeroDivisionError("secret"), True),
    ],
)
async def test_a_failed_chore_is_logged_and_the_others_are_done_and_then_the_run_fails(
    error: Exception,
    has_traceback: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, done = Clock(), list[datetime]()
    chores = {"bad": chore(clock, done, error=error), "good": chore(clock, done, count=3)}
    with pytest.raises(ChoresFailed, match=rf"^housekeeping: failed: bad \({type(error).__name__}\)$") as caught:
        await run(chores, clock=clock)
    assert len(done) == 2
    [told] = [record for record in caplog.records if record.levelno == logging.ERROR]
    first, *frames = told.getMessage().splitlines()
    assert first == f"housekeeping, bad: {type(error).__name__}"
    assert bool(frames) is has_traceback
    assert not has_traceback or "raise error" in frames[-1]
    host_prints = "".join(traceback.format_exception(caught.value))
    assert "secret" not in f"{told.getMessage()}{host_prints}"


async def test_a_run_of_which_every_chore_failed_names_them_all() -> None:
    clock, done = Clock(), list[datetime]()
    chores = {
        "first": chore(clock, done, error=TwilioUnclear("no answer")),
        "second": chore(clock, done, error=KeyError(1)),
    }
    with pytest.raises(ChoresFailed, match=r"^schedules: failed: first \(TwilioUnclear\), second \(KeyError\)$"):
        await run(chores, clock=clock, timer="schedules")
    assert len(done) == 2


async def test_what_was_done_is_told_and_what_was_not_is_not(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with caplog.at_level(logging.INFO, "shared"):
        await run({"idle": chore(clock, []), "busy": chore(clock, [], count=3)}, clock=clock)
    assert [record.getMessage() for record in caplog.records] == ["housekeeping, busy: 3"]
