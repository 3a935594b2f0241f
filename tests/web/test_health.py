"""GET health and GET health/details."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

import pytest

from local.twilio import Simulator
from shared import health
from shared.errors import TwilioRefused
from shared.housekeeping import timers
from shared.outbound import gate, rights
from tests.web.app import TOKEN, App, Door, Served, settings_of
from tests.web.storage import Storage

HEALTH, DETAILS = "/api/health", "/api/health/details"
A_LOOK = 6
"""requests to storage: two tables, the notices about Twilio and its rights, the timers' runs, and two queues"""


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    async with Storage.start() as storage:
        yield storage


@pytest.fixture
async def moody(storage: Storage) -> AsyncIterator[App]:
    """An app whose storage does what a test wants."""
    async with App.load(settings_of(storage.connection)) as app:
        yield app


def _ten_seconds_pass(app: App) -> None:
    # the clock is the event loop's own: moving it would move every time-out
    app.wiring.health._until -= 10


async def test_no_chore_of_housekeeping_waits_for_questions_to_twilio(app: App) -> None:
    """The last chore has the time that the others leave."""
    assert list(app.wiring.chores) == ["account", "stuck", "poison", "retention", "erasures", "asked"]


async def test_an_app_that_can_work_says_ok_and_nothing_more(door: Door) -> None:
    answer = await door.request("GET", HEALTH)
    assert (answer.status, answer.body, answer.content_type) == (200, b"ok", "text/plain")
    details = await door.request("GET", DETAILS)
    told = details.json()
    assert (details.status, told["status"], told["problems"]) == (200, "ok", {})
    assert told["queue"].keys() == {"messages", "oldest_at", "oldest_age_seconds", "poison_messages"}


async def test_the_details_tell_how_many_requests_wait_and_since_when(azurite: str) -> None:
    async with App.load(settings_of(azurite)) as app:
        body = b'{"channel": "sms", "to": "+14155550100", "body": "Hello"}'
        before = datetime.now(UTC).replace(microsecond=0)
        assert (await app.request("POST", "/api/send", body)).status == 202
        answer = await app.request("GET", DETAILS)
        assert (await app.request("GET", HEALTH)).body == b"ok", "and no more to anybody"
    told = answer.json()
    assert (answer.status, told["problems"], told["queue"]["messages"], told["queue"]["poison_messages"]) == (
        200,
        {},
        1,
        0,
    )
    assert datetime.fromisoformat(told["queue"]["oldest_at"]) >= before
    assert told["queue"]["oldest_age_seconds"] >= 0


@pytest.mark.parametrize("path", [HEALTH, DETAILS])
async def test_head_answers_as_get_does_without_a_body(served: Served, path: str) -> None:
    """As monitors ask."""
    answers = [await served.request(method, path) for method in ("HEAD", "GET")]
    assert [answer.status for answer in answers] == [200, 200]
    assert [bool(answer.body) for answer in answers] == [False, True]
    assert len({answer.content_type for answer in answers}) == 1


async def test_head_tells_a_monitor_that_the_app_is_unavailable(storage: Storage, moody: App) -> None:
    storage.status = 403
    assert (await moody.request("HEAD", HEALTH)).status == 503


async def test_the_details_show_when_each_timer_ran_last(azurite: str) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    async with App.load(settings_of(azurite, SCHEDULE_CRON="0 * * * * *")) as running:
        for timer in ("scheduled", "housekeeping"):
            await running.tick(timer)
        async with App.load(settings_of(azurite)) as asked:
            told = (await asked.request("GET", DETAILS)).json()
    assert told["timers"].keys() == {"scheduled", "housekeeping"}
    for run in told["timers"].values():
        assert datetime.fromisoformat(run["last_run_at"]) >= before
        assert run["succeeded"] is True


async def test_a_timer_that_runs_no_more_makes_it_unavailable_until_it_runs_again(azurite: str) -> None:
    async with App.load(settings_of(azurite, SCHEDULE_CRON="0 * * * * *")) as app:
        row = {"PartitionKey": "timer", "RowKey": "scheduled", "Succeeded": True}
        await app.wiring._lookups.put({**row, "At": datetime(2026, 1, 1, 9, tzinfo=UTC)})
        app.wiring.timers._began -= timedelta(hours=1)
        try:
            before, details = await app.request("GET", HEALTH), await app.request("GET", DETAILS)
        finally:
            await app.tick("scheduled")
        _ten_seconds_pass(app)
        after = await app.request("GET", HEALTH)
    assert (before.status, before.body) == (503, b"unavailable")
    assert details.json()["problems"] == {"timers": "scheduled has not run since 2026-01-01T09:00:00Z"}
    assert (after.status, after.body) == (200, b"ok")


async def test_tables_and_a_queue_that_are_not_there_yet_are_no_fault(moody: App) -> None:
    assert (await moody.request("GET", HEALTH)).body == b"ok"


async def test_an_app_that_cannot_work_says_unavailable_and_nothing_more(storage: Storage, moody: App) -> None:
    storage.status = 403
    answer = await moody.request("GET", HEALTH)
    assert (answer.status, answer.body, answer.content_type) == (503, b"unavailable", "text/plain")


async def test_the_details_name_what_is_wrong_and_repeat_nothing_of_what_the_service_said(
    storage: Storage, moody: App
) -> None:
    storage.status = 403
    answer = await moody.request("GET", DETAILS)
    assert (answer.status, answer.content_type) == (503, "application/json")
    assert answer.json() == {
        "status": "unavailable",
        "problems": {"tables": "HttpResponseError", "queue": "HttpResponseError"},
        "content": ANY,
    }


async def test_the_details_say_which_content_was_not_deployed_and_that_is_no_problem(moody: App) -> None:
    moody.wiring.content = {"templates": 0, "flows": None, "replies.toml": 2}
    details = await moody.request("GET", DETAILS)
    told = details.json()
    assert (details.status, told["status"], told["problems"]) == (200, "ok", {})
    assert told["content"] == {"templates": 0, "flows": None, "replies.toml": 2}


async def test_the_queue_of_the_event_feed_is_looked_at_where_there_is_one(storage: Storage) -> None:
    storage.status = 403
    async with App.load({**settings_of(storage.connection), "EVENTS_QUEUE": "events"}) as app:
        problems = (await app.request("GET", DETAILS)).json()["problems"]
    assert problems["events"] == "HttpResponseError"


async def test_what_is_known_is_kept_for_ten_seconds_whoever_asks(storage: Storage, moody: App) -> None:
    await moody.request("GET", HEALTH)
    asked = storage.asked
    assert asked == A_LOOK
    storage.status = 403
    answers = await asyncio.gather(*(moody.request("GET", path) for path in (HEALTH, DETAILS) * 10))
    assert {answer.status for answer in answers} == {200}
    assert storage.asked == asked
    _ten_seconds_pass(moody)
    assert (await moody.request("GET", HEALTH)).body == b"unavailable"
    storage.status = 404
    assert (await moody.request("GET", HEALTH)).body == b"unavailable"
    _ten_seconds_pass(moody)
    assert (await moody.request("GET", HEALTH)).body == b"ok"


async def test_many_who_ask_at_once_cost_one_look(storage: Storage, moody: App) -> None:
    await asyncio.gather(*(moody.request("GET", HEALTH) for _ in range(20)))
    assert storage.asked == A_LOOK


async def test_storage_that_says_nothing_makes_it_unavailable(
    storage: Storage, moody: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio is not blamed for it: what is known of Twilio stands in storage."""
    monkeypatch.setattr(health, "_PATIENCE", 0.2)
    monkeypatch.setattr(gate, "_PATIENCE", 0.1)
    monkeypatch.setattr(rights, "_PATIENCE", 0.1)
    monkeypatch.setattr(timers, "_PATIENCE", 0.1)
    storage.speaks.clear()
    answer = await moody.request("GET", DETAILS)
    assert answer.json()["problems"] == dict.fromkeys(("tables", "queue"), "no answer within 0.2 s")
    storage.speaks.set()


async def test_while_twilio_turns_the_account_away_it_is_unavailable_and_the_details_say_why(azurite: str) -> None:
    """The notice is in storage: any process of the app can tell, and it goes when one of them is let through again."""
    now = datetime.now(UTC)
    async with App.load(settings_of(azurite)) as sending, App.load(settings_of(azurite)) as asked:
        await sending.wiring._gate.shut(20003, now)
        try:
            answer = await asked.request("GET", HEALTH)
            details = await asked.request("GET", DETAILS)
        finally:
            await sending.wiring._gate.open()
        _ten_seconds_pass(asked)
        after = await asked.request("GET", HEALTH)
    assert (answer.status, answer.body) == (503, b"unavailable")
    assert details.json()["problems"] == {"twilio": "Twilio turns this account away (20003)"}
    assert (after.status, after.body) == (200, b"ok")


async def test_the_details_say_which_right_the_api_key_lacks(azurite: str) -> None:
    """Any process can tell, until a list is read again."""
    refused = TwilioRefused(status=403, code=20003, explanation="")
    async with App.load(settings_of(azurite)) as sending, App.load(settings_of(azurite)) as asked:
        await sending.wiring._rights.refused("messages", refused, datetime.now(UTC))
        try:
            details = await asked.request("GET", DETAILS)
        finally:
            await sending.wiring._rights.granted("messages")
        _ten_seconds_pass(asked)
        after = await asked.request("GET", HEALTH)
    expected = (
        "the API key may not list messages (HTTP 403, code 20003): deliveries whose answer was lost stay uncertain"
    )
    assert details.json()["problems"] == {"rights": expected}
    assert (after.status, after.body) == (200, b"ok")


async def test_it_is_well_again_after_housekeeping_asked_though_nothing_is_sent(azurite: str) -> None:
    async with Simulator.start(account_sid="AC" + "0" * 32, auth_token=TOKEN, pace=0) as simulator:
        settings = settings_of(azurite, TWILIO_API_BASE_URL=simulator.url)
        async with App.load(settings) as sending, App.load(settings) as housekeeping:
            await sending.wiring._gate.shut(20003, datetime.now(UTC))
            try:
                before = await housekeeping.request("GET", HEALTH)
                assert await housekeeping.wiring.chores["account"](until=datetime.now(UTC)) == 1
                _ten_seconds_pass(housekeeping)
                after = await housekeeping.request("GET", HEALTH)
            finally:
                await sending.wiring._gate.open()
    assert (before.status, after.status) == (503, 200)
