"""Scheduled, deferred, templated, and with a second way: from the HTTP request to the phone."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.stage import Stage, eventually, new_id, stage

UNDELIVERED = "+15005550101"
"""texts to it are undelivered, calls busy"""
EVERY_SECOND = "* * * * * *"


@pytest.fixture(scope="module")
async def busy(azurite: str) -> AsyncIterator[Stage]:
    """A set whose schedule timer runs every second."""
    async with stage(azurite, SCHEDULE_CRON=EVERY_SECOND) as running:
        yield running


async def _texts_of_schedule(running: Stage, schedule_id: str) -> list[Any]:
    found = await running.search(to="+14155552001")
    return [delivery for delivery in found if delivery["origin"] == schedule_id]


async def test_a_schedule_of_one_time_sends_its_request_once_and_is_gone(busy: Stage) -> None:
    schedule_id, soon = new_id(), datetime.now(UTC) + timedelta(seconds=1)
    request = {"channel": "sms", "to": "+14155552001", "body": "Good morning."}
    made = await busy.request("POST", "/api/schedules", {"id": schedule_id, "at": soon.isoformat(), "request": request})
    assert made.status == 201, made

    async def look() -> list[Any]:
        found = await _texts_of_schedule(busy, schedule_id)
        return found if found and found[0]["status"] == "delivered" else []

    [delivery] = await eventually(look)
    assert delivery["id"].startswith(f"{schedule_id}~")
    assert (await busy.app.request("GET", f"/api/schedules/{schedule_id}")).status == 404
    assert busy.twilio.accepted()[delivery["id"]] == 1


async def test_what_waits_for_its_send_at_is_sent_then(busy: Stage) -> None:
    delivery_id, soon = new_id(), datetime.now(UTC) + timedelta(seconds=2)
    request = {"id": delivery_id, "channel": "sms", "to": "+14155552002", "body": "Later.", "send_at": soon.isoformat()}
    await busy.enqueue(request)
    waiting = await busy.ended(delivery_id, "scheduled", "delivered")
    assert (waiting["status"], waiting["waits_for"]) == ("scheduled", "send_at")
    delivery = await busy.ended(delivery_id, "delivered")
    sent = next(event for event in delivery["events"] if event["status"] == "queued")
    assert datetime.fromisoformat(sent["at"]) >= soon


async def test_a_template_is_rendered_counted_and_kept_with_its_delivery(busy: Stage) -> None:
    delivery_id = new_id()
    data = {"code": "123456", "minutes": 10}
    request = {"id": delivery_id, "channel": "sms", "to": "+14155552003", "template": "one-time-code", "data": data}
    await busy.enqueue(request)
    delivery = await busy.ended(delivery_id, "delivered")
    [message] = [message for message in busy.twilio.messages if message.to == "+14155552003"]
    assert "123456" in message.body
    assert (delivery["text"], delivery["encoding"], delivery["segments"]) == (message.body, "GSM-7", 1)


async def test_a_text_that_is_not_delivered_becomes_a_call_and_then_a_text_elsewhere(busy: Stage) -> None:
    delivery_id = new_id()
    third = {"channel": "sms", "body": "We could not reach you.", "from": "+15005550006"}
    fallback = {"channel": "call", "say": "Water in the cellar.", "fallback": third}
    await busy.enqueue(
        {"id": delivery_id, "channel": "sms", "to": UNDELIVERED, "body": "Water in the cellar.", "fallback": fallback}
    )
    await busy.ended(delivery_id, "undelivered")
    second = await busy.ended(f"{delivery_id}~2", "busy")
    last = await busy.ended(f"{delivery_id}~3", "undelivered")
    assert (second["channel"], second["origin"], last["origin"]) == ("call", delivery_id, delivery_id)
    first = await busy.get(delivery_id)
    assert [event["raw"]["fallback"] for event in first["events"] if "fallback" in event["raw"]] == [f"{delivery_id}~2"]
    accepted = busy.twilio.accepted()
    assert [accepted[name] for name in (delivery_id, f"{delivery_id}~2", f"{delivery_id}~3")] == [1, 1, 1]


async def test_a_second_way_that_cannot_be_gone_is_told_when_the_request_is_made(busy: Stage) -> None:
    request = {"channel": "sms", "to": UNDELIVERED, "body": "x", "fallback": {"channel": "call", "body": "x"}}
    answer = await busy.app.request("POST", "/api/send", json.dumps(request).encode())
    assert answer.status == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"fallback.body", "fallback.request"}
