"""POST erasures and GET erasures/{id}."""

import json
import os
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from shared.wiring import clock
from tests.samples import webhooks
from tests.web import problems
from tests.web.app import NUMBER, Answer, App, Door

ERASURES = "/api/erasures"


def _number() -> str:
    """A person that no other test has."""
    return f"+1415{int.from_bytes(os.urandom(3)) % 9_000_000 + 1_000_000}"


async def _ask(door: Door, **wish: Any) -> Answer:  # noqa: ANN401 - a JSON document
    return await door.request("POST", ERASURES, json.dumps(wish).encode())


async def _put_on_record(app: App, number: str) -> str:
    """Have a text come in from a number, a request to it be rejected, and its sender opt out."""
    sid = webhooks.new_sid("SM")
    body = webhooks.encode(("MessageSid", sid), ("From", number), ("To", NUMBER), ("Body", "STOP"))
    await app.request("POST", "/api/sms/inbound", body, webhooks.headers("/api/sms/inbound", body))
    await app.take(json.dumps({"id": "x", "channel": "sms", "to": number, "colour": "red"}).encode())
    return sid


async def test_a_dry_run_counts_and_an_erasure_is_done_by_housekeeping(
    app: App, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = _number()
    sid = await _put_on_record(app, number)
    answer = await _ask(door, to=number, dry_run=True)
    assert answer.status == HTTPStatus.OK
    told = answer.json()
    assert (told["counts"], told["total"], told["cursor"]) == ({"inbound_texts": 1, "rejected": 1}, 2, None)
    assert (told["stays"]["consents"], "opted-out" in told["stays"]["reason"]) == (1, True)
    assert not (await app.delivery(sid))["erased"]

    answer = await _ask(door, to=number, by="Ada")
    assert answer.status == HTTPStatus.ACCEPTED
    receipt = answer.json()
    location = answer.headers["Location"]
    assert (receipt["status"], receipt["by"], receipt["location"]) == ("running", "Ada", location)
    assert location == f"{ERASURES}/{receipt['id']}"
    assert number.removeprefix("+") not in answer.body.decode()

    async def erased(_sid: str) -> None:
        """Nobody listens where Twilio should be."""

    monkeypatch.setattr(app.wiring.provider, "erase_message", erased)
    for _ in range(2):
        await app.wiring.chores["erasures"](until=clock() + timedelta(minutes=10))
        monkeypatch.setattr(app.wiring.erasures, "_clock", lambda: clock() + timedelta(minutes=5))
    shown = (await door.request("GET", location)).json()
    assert (shown["status"], shown["done"], shown["left"]) == ("finished", {"inbound_texts": 1, "rejected": 1}, {})
    assert shown["stays"]["consents"] == 1
    assert (await app.delivery(sid))["erased"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "to"),
        ({"to": ""}, "to"),
        ({"to": "hello"}, "to"),
        ({"to": "4155550100"}, "to"),
        ({"to": NUMBER}, "to"),
        ({"to": NUMBER, "dry_run": True}, "to"),
        ({"to": "+14155550100", "dry_run": "yes"}, "dry_run"),
        ({"to": "+14155550100", "by": ""}, "by"),
        ({"to": "+14155550100", "by": "a\nb"}, "by"),
        ({"to": "+14155550100", "by": "x" * 101}, "by"),
        ({"to": "+14155550100", "cursor": "MDAw"}, "cursor"),
        ({"to": "+14155550100", "dry_run": True, "cursor": "made up"}, "cursor"),
        ({"to": "+14155550100", "colour": "red"}, "colour"),
    ],
    ids=str,
)
async def test_a_wish_that_makes_no_sense_is_refused_and_shows_no_number(
    door: Door, wish: dict[str, Any], field: str
) -> None:
    answer = await _ask(door, **wish)
    assert problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY).keys() == {field}
    assert NUMBER.removeprefix("+") not in answer.body.decode()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
async def test_a_wish_that_is_no_document_is_refused(door: Door, body: bytes) -> None:
    problems.check(await door.request("POST", ERASURES, body), HTTPStatus.UNPROCESSABLE_ENTITY)


@pytest.mark.parametrize("erasure_id", ["0" * 32, "nobody-has-it", "..", "%27", "x" * 5000])
async def test_an_erasure_that_nobody_asked_for_is_not_found(door: Door, erasure_id: str) -> None:
    problems.check(await door.request("GET", f"{ERASURES}/{erasure_id}"), HTTPStatus.NOT_FOUND)
