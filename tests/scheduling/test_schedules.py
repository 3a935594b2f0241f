"""Schedules as they are defined and kept: clear faults, one of each id, pages."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import Changed, RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import decode
from shared.outbound.fallback import derive
from shared.queues import LARGEST
from shared.scheduling.schedule import due_times, occurrence, read_schedule
from shared.scheduling.schedules import ScheduleConflict
from tests.deliveries.samples import a_delivery
from tests.fakes import make_settings
from tests.outbound.samples import a_message
from tests.scheduling.test_due import NINE, REQUEST, a_schedule, open_timer

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DAILY = {"id": "news", "cron": "0 9 * * *", "request": REQUEST}


def faults(**fields: Any) -> dict[str, str]:  # noqa: ANN401 - any field of a schedule
    content = a_message(DAILY, **fields)
    with pytest.raises(RequestInvalid) as caught:
        read_schedule(content, rules=Rules(make_settings()), now=NOW, minted="minted")
    return {fault.field: fault.problem for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"cron": ...}, {"at"}),
        ({"cron": "a b c d e"}, {"cron"}),
        ({"cron": 5}, {"cron"}),
        ({"time_zone": "Europe/Nowhere"}, {"time_zone"}),
        ({"cron": ..., "at": "2026-03-02T11:59:00Z"}, {"at"}),
        ({"end": "2026-03-01T00:00:00Z"}, {"end"}),
        ({"request": {**REQUEST, "send_at": "2026-12-01T00:00:00Z", "to": "1"}}, {"request.send_at", "request.to"}),
        ({"request": {"channel": "sms"}}, {"request.to", "request.request"}),
        ({"request": [], "crom": "x"}, {"request", "crom"}),
        ({"id": "news~1"}, {"id"}),
        ({"missed": "never"}, {"missed"}),
    ],
)
def test_every_fault_of_a_schedule_is_named(fields: dict[str, Any], names: set[str]) -> None:
    assert set(faults(**fields)) == names


def test_an_id_is_minted_where_none_is_given() -> None:
    assert a_schedule(NOW, id=..., cron="0 9 * * *").id == "minted"


def test_the_next_ten_of_its_times_are_told() -> None:
    times = due_times(a_schedule(NOW, cron="0 9 * * *"), now=NOW, count=10)
    assert [time.day for time in times] == list(range(3, 13))


def test_the_same_time_makes_the_same_request_whenever_it_is_asked() -> None:
    schedule = a_schedule(NOW, cron="0 9 * * *")
    assert occurrence(schedule, NINE) == occurrence(schedule, NINE)
    assert occurrence(schedule, NINE).id == "news~20260303T0900Z"


async def test_created_twice_it_is_there_once_and_other_content_is_refused(azurite: str) -> None:
    async with open_timer(azurite) as timer:
        first, is_new = await timer.schedules.create(a_schedule(NOW, cron="0 9 * * *"), now=NOW)
        again, is_new_again = await timer.schedules.create(a_schedule(NOW, cron="0 9 * * *"), now=NOW)
        assert (is_new, is_new_again) == (True, False)
        assert first.revision == again.revision
        with pytest.raises(ScheduleConflict):
            await timer.schedules.create(a_schedule(NOW, cron="0 10 * * *"), now=NOW)
        assert await timer.run_at(NINE) == ["news~20260303T0900Z"]


async def test_what_was_created_without_its_time_is_given_it_when_it_is_created_again(azurite: str) -> None:
    async with open_timer(azurite) as timer:
        await timer.create(cron="0 9 * * *")
        [entry] = [entry async for entry in timer.agenda.due(NINE, limit=10)]
        await timer.agenda.drop(entry)
        await timer.create(cron="0 9 * * *")
        assert await timer.run_at(NINE) == ["news~20260303T0900Z"]


async def test_pages_show_every_schedule_once(azurite: str) -> None:
    async with open_timer(azurite) as timer:
        names = {f"n-{uuid.uuid4().hex}" for _ in range(25)}
        for name in names:
            await timer.create(id=name, cron="0 9 * * *")
        seen: list[str] = []
        cursor = None
        while True:
            page = await timer.schedules.page(limit=7, cursor=cursor)
            seen += [stored.schedule.id for stored in page.schedules]
            cursor = page.cursor
            if cursor is None:
                break
        assert sorted(seen) == sorted(names)


async def test_somebody_elses_change_in_between_is_noticed(azurite: str) -> None:
    async with open_timer(azurite) as timer:
        await timer.create(cron="0 9 * * *")
        stored = await timer.schedules.get("news")
        assert stored is not None
        await timer.schedules.pause(stored)
        with pytest.raises(Changed):
            await timer.schedules.pause(stored)


def a_large_schedule(size: int, *, fallback: bool) -> bytes:
    """A schedule of so many bytes, almost all of them in its request, or in the fallback of its request."""

    def of(length: int) -> bytes:
        variables = {"1": "✓" * (length // 3) + "x" * (length % 3)}
        content = {"channel": "sms", "content_sid": "HX" + "0" * 32, "content_variables": variables}
        request = {"channel": "call", "say": "Hello", "fallback": content} if fallback else content
        document = {**DAILY, "id": "x" * 100, "request": {**request, "to": REQUEST["to"]}}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    return of(size - len(of(0)))


@pytest.mark.parametrize("fallback", [False, True])
def test_a_schedule_is_taken_only_if_a_queue_carries_all_that_comes_of_it(
    fallback: bool,  # noqa: FBT001 - of the table
) -> None:
    rules, taken = Rules(make_settings()), 0
    for size in range(LARGEST - 900, LARGEST + 100, 5):
        content = a_large_schedule(size, fallback=fallback)
        assert len(content) == size
        try:
            schedule = read_schedule(content, rules=rules, now=NOW, minted="minted")
        except RequestInvalid:
            continue
        taken += 1
        derived = occurrence(schedule, datetime(2026, 3, 3, 9, 0, 7, 123456, tzinfo=UTC))
        message = internal.write(derived)
        assert len(message) <= LARGEST
        request = decode(message, rules).request
        if request.fallback is not None:
            first = a_delivery(id=derived.id, origin=derived.origin, status="failed", to=request.to)
            second = internal.write(derive(first, request, request.fallback))
            assert len(second) <= LARGEST
            decode(second, rules)
    assert 0 < taken < 180
