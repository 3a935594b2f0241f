"""What people ask for while something else happens: an answer that says so, and what was done all the same."""

import json
import uuid
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.deliveries.record import Delivery, Event
from shared.errors import Changed
from tests.samples import webhooks
from tests.web import problems
from tests.web.app import App, settings_of


@pytest.fixture
async def app(azurite: str) -> AsyncIterator[App]:
    """An app of its own, as its storage is meddled with."""
    async with App.load(settings_of(azurite)) as app:
        yield app


async def _failed(app: App, to: str) -> str:
    delivery_id = str(uuid.uuid4())
    await app.take(json.dumps({"id": delivery_id, "channel": "sms", "to": to, "body": "Hello"}).encode())
    sid, target = webhooks.new_sid("SM"), f"/api/sms/status?delivery={delivery_id}&v=2"
    body = webhooks.encode(("MessageSid", sid), ("MessageStatus", "failed"), ("ErrorCode", "30008"), ("To", to))
    assert (await app.request("POST", target, body, webhooks.headers(target, body))).status == 204
    return delivery_id


@pytest.mark.parametrize("request_", ["DELETE {}", "POST {}/replay"])
async def test_what_changes_in_the_same_moment_is_a_conflict_and_may_be_asked_for_again(
    app: App, request_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery_id = await _failed(app, "+14155550311")

    async def too_late(*_: object, **__: object) -> Delivery:
        raise Changed("the row was changed since it was read")

    async def nothing(_sid: str) -> None:
        """Stand for a Twilio that did its part."""

    monkeypatch.setattr(app.wiring.provider, "erase_message", nothing)
    for name in ("erase", "reopen"):
        monkeypatch.setattr(app.wiring.log, name, too_late)
    method, path = request_.split()
    answer = await app.request(method, "/api/deliveries/" + path.format(delivery_id))
    problems.check(answer, HTTPStatus.CONFLICT)
    assert "in the same moment" in answer.json()["detail"]


async def test_where_storage_fails_on_the_way_the_answer_says_what_was_replayed(app: App) -> None:
    to = f"+1415{uuid.uuid4().int % 9_000_000 + 1_000_000}"
    ids = [await _failed(app, to) for _ in range(3)]
    reopen = app.wiring.log.reopen

    async def reopen_but_one(before: Delivery, after: Delivery, event: Event) -> Delivery:
        if before.id == ids[1]:
            raise ServiceRequestError("https://account/secret")
        return await reopen(before, after, event)

    app.wiring.log.reopen = reopen_but_one  # type: ignore[method-assign]
    wanted = json.dumps({"to": to, "status": "failed"}).encode()
    answer = await app.request("POST", "/api/deliveries/replay", wanted)
    problems.check(answer, HTTPStatus.SERVICE_UNAVAILABLE)
    assert answer.json()["replayed"] == [ids[2]], "the newest comes first"
    assert b"secret" not in answer.body
    app.wiring.log.reopen = reopen  # type: ignore[method-assign]
    answer = await app.request("POST", "/api/deliveries/replay", wanted)
    assert answer.json() == {"replayed": [ids[1], ids[0]], "left_out": {}, "cursor": None}
