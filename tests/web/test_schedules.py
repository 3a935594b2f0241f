"""Scheduled notifications over HTTP: defined, listed, shown, paused, resumed and canceled."""

import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.outbound import internal
from tests.web.app import App, Door

REQUEST = {"channel": "sms", "to": "+14155550100", "body": "Good morning."}
DAILY = {"cron": "0 9 * * *", "time_zone": "Europe/Berlin", "request": REQUEST}


async def create(door: Door, **fields: Any) -> str:  # noqa: ANN401 - any field of a schedule
    answer = await door.request("POST", "/api/schedules", json.dumps({**DAILY, **fields}).encode())
    assert answer.status == 201, answer
    schedule_id: str = answer.json()["id"]
    assert answer.headers["Location"] == f"/api/schedules/{schedule_id}"
    return schedule_id


async def show(door: Door, schedule_id: str) -> Any:  # noqa: ANN401 - a JSON document
    answer = await door.request("GET", f"/api/schedules/{schedule_id}")
    assert answer.status == 200, answer
    return answer.json()


async def test_a_schedule_is_shown_with_the_next_ten_of_its_times(door: Door) -> None:
    shown = await show(door, await create(door))
    assert (shown["status"], shown["cron"], shown["request"]) == ("active", "0 9 * * *", REQUEST)
    times = [datetime.fromisoformat(time) for time in shown["next"]]
    assert len(times) == 10
    assert datetime.now(UTC) < times[0] < datetime.now(UTC) + timedelta(days=1)


async def test_created_again_it_is_the_same_and_other_content_is_a_conflict(door: Door) -> None:
    name = uuid.uuid4().hex
    await create(door, id=name)
    again = await door.request("POST", "/api/schedules", json.dumps({**DAILY, "id": name}).encode())
    assert again.status == 200
    other = await door.request(
        "POST", "/api/schedules", json.dumps({**DAILY, "id": name, "cron": "1 9 * * *"}).encode()
    )
    assert (other.status, other.content_type) == (409, "application/problem+json")


async def test_every_fault_is_named(door: Door) -> None:
    content = {"cron": "often", "crom": 1, "request": {"channel": "sms", "to": "+1"}}
    answer = await door.request("POST", "/api/schedules", json.dumps(content).encode())
    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    assert {error["field"] for error in answer.json()["errors"]} == {"cron", "crom", "request.to", "request.request"}


async def test_paused_it_has_no_next_time_and_resumed_it_has(door: Door) -> None:
    name = await create(door)
    paused = await door.request("POST", f"/api/schedules/{name}/pause")
    assert (paused.status, paused.json()["status"], paused.json()["next"]) == (200, "paused", [])
    resumed = await door.request("POST", f"/api/schedules/{name}/resume")
    assert (resumed.status, resumed.json()["status"], len(resumed.json()["next"])) == (200, "active", 10)


async def test_canceled_it_is_gone(door: Door) -> None:
    name = await create(door)
    assert (await door.request("DELETE", f"/api/schedules/{name}")).status == 204
    for method, target in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/resume")):
        assert (await door.request(method, f"/api/schedules/{name}{target}")).status == 404


@pytest.mark.parametrize("name", ["nobody", "%2e%2e", "a~b", "x" * 200])
async def test_what_is_no_schedule_is_not_found(door: Door, name: str) -> None:
    assert (await door.request("GET", f"/api/schedules/{name}")).status == 404


async def test_the_list_goes_on_where_it_ended(door: Door) -> None:
    names = {await create(door) for _ in range(5)}
    seen, cursor = set(), ""
    while cursor is not None:
        answer = await door.request("GET", f"/api/schedules?limit=2{cursor and f'&cursor={cursor}'}")
        assert answer.status == 200, answer
        page = answer.json()
        assert len(page["schedules"]) <= 2
        seen |= {schedule["id"] for schedule in page["schedules"]}
        cursor = page["cursor"]
    assert names <= seen


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=many", "limit=101", "cursor=x", "page=2"),
        *(f"limit={text}" for text in ("9" * 5000, "-1", "1e2", "%C2%B2", "%D9%A1", "1" + "0" * 12, "1.0")),
    ],
)
async def test_a_listing_that_cannot_be_meant_is_refused(door: Door, query: str) -> None:
    assert (await door.request("GET", f"/api/schedules?{query}")).status == 422


async def test_a_waiting_delivery_is_canceled_by_erasing_it(app: App) -> None:
    name = uuid.uuid4().hex
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    await app.take(json.dumps({**REQUEST, "id": name, "send_at": later}).encode())
    shown = await app.delivery(name)
    assert (shown["status"], shown["waits_for"]) == ("scheduled", "send_at")
    assert (await app.request("DELETE", f"/api/deliveries/{name}")).status == 204
    erased = await app.delivery(name)
    assert (erased["status"], erased["erased"], erased["request"]) == ("canceled", True, None)


async def made_by(app: App, schedule_id: str) -> str:
    """Have a schedule's delivery wait; the timer is not part of what is looked at."""
    due = datetime.now(UTC).replace(second=0, microsecond=0)
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    derived = internal.Derived(
        id=internal.occurrence_id(schedule_id, due),
        origin=schedule_id,
        request={**REQUEST, "send_at": later},
        due=due,
        valid_seconds=3600,
    )
    await app.take(internal.write(derived))
    assert (await app.delivery(derived.id))["status"] == "scheduled"
    return derived.id


async def test_a_schedule_is_canceled_with_all_that_it_made_and_that_waits_in_one_call(app: App) -> None:
    name = await create(app)
    waiting = await made_by(app, name)
    answer = await app.request("POST", f"/api/schedules/{name}/cancel", b'{"by": "Ada"}')
    assert answer.status == 200, answer
    assert answer.json() == {"id": name, "canceled": [waiting], "too_late": [], "cursor": None}
    delivery = await app.delivery(waiting)
    assert (delivery["status"], delivery["cancel_asked_by"]) == ("canceled", "Ada")
    assert (await app.request("GET", f"/api/schedules/{name}")).status == 404
    again = await app.request("POST", f"/api/schedules/{name}/cancel")
    assert (again.status, again.json()["canceled"]) == (200, [])


async def test_what_a_schedule_made_is_canceled_after_the_schedule_is_gone(app: App) -> None:
    name = await create(app)
    waiting = await made_by(app, name)
    assert (await app.request("DELETE", f"/api/schedules/{name}")).status == 204
    assert (await app.delivery(waiting))["status"] == "scheduled"
    answer = await app.request("POST", f"/api/schedules/{name}/cancel")
    assert (answer.status, answer.json()["canceled"]) == (200, [waiting])


async def test_going_on_from_a_cursor_leaves_a_schedule_that_was_made_anew(app: App) -> None:
    name = await create(app)
    content = json.dumps({"cursor": f"{name}~20200101T0900Z"}).encode()
    assert (await app.request("POST", f"/api/schedules/{name}/cancel", content)).status == 200
    assert (await show(app, name))["status"] == "active"


async def test_a_schedule_that_never_was_cannot_be_canceled(door: Door) -> None:
    assert (await door.request("POST", f"/api/schedules/{uuid.uuid4().hex}/cancel")).status == 404


@pytest.mark.parametrize("content", [{"cursor": "other~1"}, {"cursor": ""}, {"since": "today"}, {"deliveries": "all"}])
async def test_a_cancellation_that_cannot_be_meant_is_refused(door: Door, content: dict[str, str]) -> None:
    name = await create(door)
    answer = await door.request("POST", f"/api/schedules/{name}/cancel", json.dumps(content).encode())
    assert answer.status == 422
    assert (await show(door, name))["status"] == "active"


async def test_who_paused_and_resumed_it_and_when_is_shown(door: Door) -> None:
    name = await create(door)
    assert ((await show(door, name))["changed_at"], (await show(door, name))["changed_by"]) == (None, None)
    for verb, body, by in (("pause", b'{"by": "Ada"}', "Ada"), ("resume", b"", None)):
        answer = await door.request("POST", f"/api/schedules/{name}/{verb}", body)
        assert answer.json()["changed_by"] == by
        shown = await show(door, name)
        assert (shown["changed_by"], shown["changed_at"]) == (by, answer.json()["changed_at"])
        assert abs(datetime.now(UTC) - datetime.fromisoformat(shown["changed_at"])) < timedelta(hours=1)


async def test_who_pauses_what_rests_already_changes_nothing(door: Door) -> None:
    name = await create(door)
    for by in ("Ada", "Grace"):
        answer = await door.request("POST", f"/api/schedules/{name}/pause", json.dumps({"by": by}).encode())
        assert answer.json()["changed_by"] == "Ada"


async def test_after_it_is_gone_it_is_told_when_it_was_canceled_and_by_whom(door: Door) -> None:
    for query, body, by in (("?by=Ada", b"", " by Ada"), ("", b'{"by": "Ada"}', " by Ada"), ("", b"", "")):
        name = await create(door)
        assert (await door.request("DELETE", f"/api/schedules/{name}{query}", body)).status == 204
        detail = (await door.request("GET", f"/api/schedules/{name}")).json()["detail"]
        assert re.search(r"canceled at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(.*)$", detail)[1] == by  # type: ignore[index]
