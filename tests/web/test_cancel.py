"""POST deliveries/{id}/cancel, and who asked for what: `by` of everything that people change."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from tests.samples import webhooks
from tests.web import problems
from tests.web.app import Answer, App, Door

REQUEST = {"channel": "sms", "to": "+14155550100", "body": "Good morning."}


async def _scheduled(app: App) -> str:
    delivery_id = uuid.uuid4().hex
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    await app.take(json.dumps({**REQUEST, "id": delivery_id, "send_at": later}).encode())
    return delivery_id


async def _put_off(app: App) -> str:
    """Have the app take a request; nobody listens where Twilio should be, so that it is put off."""
    delivery_id = uuid.uuid4().hex
    await app.take(json.dumps({**REQUEST, "id": delivery_id}).encode())
    return delivery_id


async def _told(app: App, delivery_id: str, word: str) -> None:
    target = f"/api/sms/status?delivery={delivery_id}&v=2"
    said = ("MessageSid", webhooks.new_sid("SM")), ("MessageStatus", word), ("To", REQUEST["to"])
    body = webhooks.encode(*said)
    assert (await app.request("POST", target, body, webhooks.headers(target, body))).status == 204


async def _cancel(door: Door, delivery_id: str, **body: Any) -> Answer:  # noqa: ANN401 - any field
    return await door.request("POST", f"/api/deliveries/{delivery_id}/cancel", json.dumps(body).encode())


async def test_what_waits_is_canceled_and_stays_on_record_with_who_asked_and_when(app: App) -> None:
    delivery_id = await _scheduled(app)
    answer = await _cancel(app, delivery_id, by="Ada, night shift")
    assert answer.status == 200
    shown = answer.json()
    assert (shown["id"], shown["status"], shown["cancel_asked_by"]) == (delivery_id, "canceled", "Ada, night shift")
    assert (shown["to"], shown["erased"], shown["next_attempt_at"]) == (REQUEST["to"], False, None)
    delivery = await app.delivery(delivery_id)
    assert {name: delivery[name] for name in shown} == shown
    assert json.loads(delivery["request"])["body"] == REQUEST["body"]
    event = delivery["events"][-1]
    assert (event["status"], event["by"], event["at"]) == ("canceled", "Ada, night shift", shown["cancel_asked_at"])


async def test_a_request_that_is_retried_is_canceled_without_naming_anybody(app: App, door: Door) -> None:
    delivery_id = await _put_off(app)
    answer = await door.request("POST", f"/api/deliveries/{delivery_id}/cancel")
    assert (answer.status, answer.json()["status"], answer.json()["cancel_asked_by"]) == (200, "canceled", None)


async def test_canceled_again_it_answers_the_same(app: App) -> None:
    delivery_id = await _scheduled(app)
    first = await _cancel(app, delivery_id, by="Ada")
    again = await _cancel(app, delivery_id, by="Grace")
    assert (again.status, again.json()) == (200, first.json())


@pytest.mark.parametrize("word", ["queued", "sent", "delivered", "undelivered"])
async def test_what_twilio_has_or_had_is_not_canceled(app: App, word: str) -> None:
    delivery_id = await _put_off(app)
    await _told(app, delivery_id, word)
    answer = await _cancel(app, delivery_id)
    problems.check(answer, HTTPStatus.CONFLICT)
    assert answer.json()["detail"] == f"expected one of retrying, scheduled, it is {word}"
    assert (await app.delivery(delivery_id))["status"] == word


async def test_what_is_not_on_record_is_not_found(door: Door) -> None:
    problems.check(await _cancel(door, "nobody-has-it"), HTTPStatus.NOT_FOUND)


async def test_after_a_cancellation_it_can_be_erased(app: App) -> None:
    delivery_id = await _scheduled(app)
    await _cancel(app, delivery_id, by="Ada")
    assert (await app.request("DELETE", f"/api/deliveries/{delivery_id}")).status == 204
    left = await app.delivery(delivery_id)
    assert (left["status"], left["erased"], left["cancel_asked_by"]) == ("canceled", True, None)
    assert (await _cancel(app, delivery_id)).status == 200


async def test_an_erasure_says_who_asked_for_it_and_when_in_the_body_or_in_the_query(app: App) -> None:
    body = json.dumps({"by": "Privacy desk"}).encode()
    for query, content, by in (
        ("", body, "Privacy desk"),
        ("?by=Privacy%20desk", b"", "Privacy desk"),
        ("", b"", None),
    ):
        delivery_id = await _scheduled(app)
        answer = await app.request("DELETE", f"/api/deliveries/{delivery_id}{query}", content)
        assert answer.status == 204, answer
        left = await app.delivery(delivery_id)
        assert (left["erased"], left["erased_by"]) == (True, by)
        assert abs(datetime.now(UTC) - datetime.fromisoformat(left["erased_at"])) < timedelta(hours=1)


async def test_erased_twice_it_was_erased_by_the_first(app: App) -> None:
    delivery_id = await _scheduled(app)
    for name in ("Ada", "Grace"):
        assert (await app.request("DELETE", f"/api/deliveries/{delivery_id}?by={name}")).status == 204
    assert (await app.delivery(delivery_id))["erased_by"] == "Ada"


async def test_a_replay_says_who_asked_for_it(app: App) -> None:
    delivery_id = await _put_off(app)
    await _told(app, delivery_id, "undelivered")
    answer = await app.request("POST", f"/api/deliveries/{delivery_id}/replay", b'{"by": "Ada"}')
    assert answer.status == 202, answer
    delivery = await app.delivery(delivery_id)
    [event] = [event for event in delivery["events"] if event["raw"] == {"reason": "replayed"}]
    assert (event["by"], event["at"]) == ("Ada", delivery["replayed_at"])


async def test_a_consent_says_who_set_it(door: Door) -> None:
    to = f"+1415{uuid.uuid4().int % 9_000_000 + 1_000_000}"
    wish = {"to": to, "state": "opted-out", "reason": "By post", "by": "Front desk"}
    answer = await door.request("POST", "/api/consents", json.dumps(wish).encode())
    [consent] = answer.json()["consents"]
    assert (consent["by"], consent["how"], consent["reason"]) == ("Front desk", "api", "By post")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        *(("POST", f"/api/deliveries/nobody/{verb}") for verb in ("cancel", "replay")),
        *(("POST", f"/api/schedules/nobody/{verb}") for verb in ("pause", "resume", "cancel")),
        *(("DELETE", f"/api/{kind}/nobody") for kind in ("deliveries", "schedules")),
        *(("POST", f"/api/{kind}") for kind in ("consents", "deliveries/replay")),
    ],
)
async def test_a_name_that_cannot_be_kept_is_refused_everywhere(door: Door, method: str, target: str) -> None:
    for name in ("Ada\nGrace", "", "x" * 101, "\u202eadA", 7):
        answer = await door.request(method, target, json.dumps({"by": name}).encode())
        faults = problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)
        assert "by" in faults, (name, faults)
