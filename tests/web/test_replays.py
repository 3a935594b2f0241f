"""POST deliveries/replay: seen before anything is sent, sent once, and why some are left out."""

import json
import uuid
from http import HTTPStatus
from typing import Any

import pytest

from tests.samples import webhooks
from tests.web import problems
from tests.web.app import App


def _number() -> str:
    return f"+1415{uuid.uuid4().int % 9_000_000 + 1_000_000}"


async def _request(app: App, to: str) -> str:
    delivery_id = str(uuid.uuid4())
    await app.take(json.dumps({"id": delivery_id, "channel": "sms", "to": to, "body": "Hello"}).encode())
    return delivery_id


async def _ended(app: App, to: str, word: str, code: int | None = None) -> str:
    """Have a text that ends in a status at Twilio."""
    delivery_id = await _request(app, to)
    await _told(app, delivery_id, to, word, code)
    return delivery_id


async def _told(app: App, delivery_id: str, to: str, word: str, code: int | None = None) -> None:
    target = f"/api/sms/status?delivery={delivery_id}&v=2"
    error = [("ErrorCode", str(code))] if code is not None else []
    body = webhooks.encode(("MessageSid", webhooks.new_sid("SM")), ("MessageStatus", word), ("To", to), *error)
    assert (await app.request("POST", target, body, webhooks.headers(target, body))).status == 204


async def _replay(app: App, **wanted: Any) -> Any:  # noqa: ANN401 - any field, and a JSON document
    answer = await app.request("POST", "/api/deliveries/replay", json.dumps(wanted).encode())
    assert answer.status == (200 if wanted.get("dry_run") else 202), answer
    return answer.json()


async def test_a_dry_run_counts_what_would_be_sent_and_sends_nothing(app: App) -> None:
    to = _number()
    failed = [await _ended(app, to, "undelivered", code) for code in (30003, 30003, 30008)]
    fine = await _ended(app, to, "delivered")
    before = [await app.delivery(delivery_id) for delivery_id in (*failed, fine)]
    seen = await _replay(app, to=to, dry_run=True)
    assert set(seen["would_replay"]) == set(failed)
    assert seen["counts"] == [
        {"status": "undelivered", "error_code": 30003, "count": 2},
        {"status": "undelivered", "error_code": 30008, "count": 1},
    ]
    assert (seen["left_out"], seen["cursor"]) == ({"not replayable": [fine]}, None)
    assert [await app.delivery(delivery_id) for delivery_id in (*failed, fine)] == before
    done = await _replay(app, to=to)
    assert (done["replayed"], done["left_out"]) == (seen["would_replay"], seen["left_out"]), "as it was said"


async def test_the_second_run_sends_nothing_again_though_all_failed_again(app: App) -> None:
    to = _number()
    failed = [await _ended(app, to, "undelivered", 30008) for _ in range(2)]
    assert set((await _replay(app, to=to, by="Ada"))["replayed"]) == set(failed)
    for delivery_id in failed:
        await _told(app, delivery_id, to, "undelivered", 30008)
    again = await _replay(app, to=to)
    assert again["replayed"] == []
    assert set(again["left_out"]["replayed"]) == set(failed)
    assert {(await app.delivery(one))["status"] for one in failed} == {"undelivered"}


async def test_what_was_replayed_is_replayed_again_where_that_is_asked_for_and_a_page_that_comes_twice_is_not(
    app: App,
) -> None:
    to = _number()
    delivery_id = await _ended(app, to, "undelivered", 30008)
    await _replay(app, to=to)
    await _told(app, delivery_id, to, "undelivered", 30008)
    at = (await _replay(app, to=to, dry_run=True))["at"]
    assert (await _replay(app, to=to, replayed_before=at))["replayed"] == [delivery_id]
    await _told(app, delivery_id, to, "undelivered", 30008)
    assert (await _replay(app, to=to, replayed_before=at))["left_out"] == {"replayed": [delivery_id]}


async def test_by_its_id_it_is_replayed_as_often_as_somebody_asks(app: App) -> None:
    to = _number()
    delivery_id = await _ended(app, to, "undelivered", 21610)
    for _ in range(2):
        assert (await app.request("POST", f"/api/deliveries/{delivery_id}/replay")).status == 202
        await _told(app, delivery_id, to, "undelivered", 30008)


async def test_recipients_who_opted_out_and_invalid_ones_are_left_out_unless_asked_for(app: App) -> None:
    opted_out, invalid = _number(), _number()
    stopped = await _ended(app, opted_out, "undelivered", 21610)
    suppressed = await _request(app, opted_out)
    assert (await app.delivery(suppressed))["status"] == "suppressed"
    landline = await _ended(app, invalid, "undelivered", 30006)
    assert (await _replay(app, to=opted_out))["left_out"] == {"opted-out": [suppressed, stopped]}
    assert (await _replay(app, to=invalid))["left_out"] == {"invalid": [landline]}
    assert (await _replay(app, to=invalid, include=["invalid"]))["replayed"] == [landline]
    replayed = await _replay(app, to=opted_out, include=["opted-out"], by="Ada")
    assert replayed["replayed"] == [suppressed, stopped]
    assert (await app.delivery(suppressed))["status"] == "retrying"


async def test_one_who_opted_out_since_is_left_out_whatever_the_code_says(app: App) -> None:
    to = _number()
    delivery_id = await _ended(app, to, "undelivered", 30008)
    wish = json.dumps({"to": to, "state": "opted-out"}).encode()
    assert (await app.request("POST", "/api/consents", wish)).status == 200
    assert (await _replay(app, to=to, dry_run=True))["left_out"] == {"opted-out": [delivery_id]}


async def test_what_is_suppressed_is_replayed_by_its_id_only_where_that_is_said(app: App) -> None:
    to = _number()
    wish = json.dumps({"to": to, "state": "opted-out"}).encode()
    assert (await app.request("POST", "/api/consents", wish)).status == 200
    delivery_id = await _request(app, to)
    target = f"/api/deliveries/{delivery_id}/replay"
    problems.check(await app.request("POST", target), HTTPStatus.CONFLICT)
    assert (await app.request("POST", target, b'{"include": ["opted-out"]}')).status == 202


async def test_a_rejected_message_is_replayed_once_and_then_left_out_as_replayed(app: App) -> None:
    message = json.dumps({"id": uuid.uuid4().hex, "channel": "sms", "to": _number(), "body": "Hello"}).encode()
    async with App.load({**app.settings, "ALLOWED_COUNTRIES": "DE"}) as strict:
        message_id = await strict.take(message)
        wanted = {"status": "rejected", "limit": 1}
        assert (await _replay(strict, **wanted))["left_out"] == {"not usable": [message_id]}
    assert (await _replay(app, **wanted))["replayed"] == [message_id]
    assert (await _replay(app, **wanted))["left_out"] == {"replayed": [message_id]}


@pytest.mark.parametrize("body", [b"{}", b'{"since": "2026-01-01T00:00:00Z"}', b'{"limit": 1}'])
async def test_everything_at_once_is_never_replayed(app: App, body: bytes) -> None:
    answer = await app.request("POST", "/api/deliveries/replay", body)
    faults = problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert "everything at once is never replayed" in faults["request"]
