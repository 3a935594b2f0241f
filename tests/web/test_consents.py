"""Consents over HTTP: set and seen, with real storage."""

import json
import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from shared.consents import Consent
from tests.fakes import SERVICE_SID
from tests.web import problems
from tests.web.app import NUMBER, Answer, App, Door, settings_of

OTHER = "+15005550010"


@pytest.fixture
def recipient() -> str:
    """Somebody whom no other test has."""
    return f"+1415{int.from_bytes(os.urandom(3)) % 9_000_000 + 1_000_000}"


@pytest.fixture
async def both(azurite: str) -> AsyncIterator[App]:
    """An app with a default number and a Messaging Service, in Germany."""
    async with App.load(settings_of(azurite, TWILIO_MESSAGING_SERVICE_SID=SERVICE_SID, DEFAULT_REGION="DE")) as app:
        yield app


async def _post(door: Door, target: str, document: object) -> Answer:
    return await door.request("POST", f"/api/{target}", json.dumps(document).encode())


async def _set(door: Door, **fields: str | None) -> list[Any]:
    answer = await _post(door, "consents", fields)
    assert answer.status == 200, answer
    consents: list[Any] = answer.json()["consents"]
    return consents


async def _find(door: Door, **fields: str | None) -> list[Any]:
    answer = await _post(door, "consents/search", fields)
    assert answer.status == 200, answer
    consents: list[Any] = answer.json()["consents"]
    return consents


async def test_what_is_set_is_shown_with_when_how_and_why(door: Door, recipient: str) -> None:
    [consent] = await _set(door, to=recipient, state="opted-out", sender=OTHER, reason="By post, “never again”")
    assert await _find(door, to=recipient) == await _find(door, to=recipient, sender=OTHER) == [consent]
    assert await _find(door, to=recipient, sender=NUMBER) == []
    assert abs(datetime.now(UTC) - datetime.fromisoformat(consent["at"])) < timedelta(hours=1)
    assert list(consent) == ["to", "sender", "state", "at", "by", "how", "reason"]
    assert {**consent, "at": None} == {
        "to": recipient,
        "sender": OTHER,
        "state": "opted-out",
        "at": None,
        "by": None,
        "how": "api",
        "reason": "By post, “never again”",
    }


async def test_the_last_that_was_set_holds_and_takes_the_reason_along(door: Door, recipient: str) -> None:
    await _set(door, to=recipient, state="opted-out", reason="By post")
    await _set(door, to=recipient, state="opted-in")
    [consent] = await _find(door, to=recipient)
    assert (consent["state"], consent["reason"], consent["sender"]) == ("opted-in", None, NUMBER)


async def test_what_was_said_later_is_shown_instead_of_what_was_set(app: App, recipient: str) -> None:
    """Another instance's clock may be ahead: the answer says what holds, not what was asked for."""
    at = datetime.now(UTC) + timedelta(hours=1)
    later = Consent(to=recipient, sender=NUMBER, state="opted-out", at=at, by="SM1", how="keyword")
    await app.wiring.consents.record(later)
    [consent] = await _set(app, to=recipient, state="opted-in")
    assert (consent["state"], consent["how"], consent["by"]) == ("opted-out", "keyword", "SM1")


async def test_without_a_sender_it_is_for_each_default_one(both: App, recipient: str) -> None:
    assert {consent["sender"] for consent in await _set(both, to=recipient, state="opted-out")} == {NUMBER, SERVICE_SID}
    for sender in (NUMBER, SERVICE_SID):
        assert await both.wiring.consents.is_opted_out(recipient, sender)


async def test_for_whatsapp_the_default_number_has_its_prefix(both: App, recipient: str) -> None:
    consents = await _set(both, to=f"whatsapp:{recipient}", state="opted-out")
    assert {consent["sender"] for consent in consents} == {f"whatsapp:{NUMBER}", SERVICE_SID}
    assert await _find(both, to=recipient) == []
    assert len(await _find(both, to=f"whatsapp:{recipient}")) == 2


async def test_numbers_are_understood_as_a_request_writes_them(both: App) -> None:
    number = f"+4930{int.from_bytes(os.urandom(3)) % 9_000_000 + 1_000_000}"
    written = f"030 / {number[5:8]}-{number[8:]}"
    [consent] = await _set(both, to=written, state="opted-out", sender="+1 (500) 555-0010")
    assert (consent["to"], consent["sender"]) == (number, OTHER)
    assert await _find(both, to=written, sender="+1 500 5550010") == await _find(both, to=number) == [consent]


@pytest.mark.parametrize("sender", ["12345", "Acme Inc", SERVICE_SID, f"whatsapp:{NUMBER}"])
async def test_it_may_be_for_any_sender_of_texts(door: Door, recipient: str, sender: str) -> None:
    [consent] = await _set(door, to=recipient, state="opted-in", sender=sender)
    assert await _find(door, to=recipient, sender=sender) == [consent]


async def test_every_fault_of_what_is_set_is_named_and_no_number_is(door: Door) -> None:
    document = {"to": "4155550177", "state": "out", "sender": "+1", "reason": "x" * 201, "why": "so"}
    answer = await _post(door, "consents", document)
    errors = problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert set(errors) == {"to", "state", "sender", "reason", "why"}
    assert errors["state"] == "expected one of opted-in, opted-out, got another"
    assert b"4155550177" not in answer.body


@pytest.mark.parametrize(
    ("document", "faulty"),
    [
        ({}, {"to", "state"}),
        ({"to": None, "state": None}, {"to", "state"}),
        ({"to": "", "state": "opted-out", "reason": ""}, {"to", "reason"}),
        ({"to": "client:anna", "state": "opted-in"}, {"to"}),
        ({"to": "+14155550100", "state": "opted-in", "sender": "x/y"}, {"sender"}),
        (["+14155550100"], {"request"}),
    ],
)
async def test_what_cannot_be_meant_sets_nothing(door: Door, document: object, faulty: set[str]) -> None:
    answer = await _post(door, "consents", document)
    assert set(problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)) == faulty


@pytest.mark.parametrize(
    ("document", "faulty"),
    [({}, {"to"}), ({"to": "me", "sender": "?", "state": "opted-in"}, {"to", "sender", "state"}), ("x", {"request"})],
)
async def test_a_search_that_cannot_be_meant_is_refused(door: Door, document: object, faulty: set[str]) -> None:
    answer = await _post(door, "consents/search", document)
    assert set(problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)) == faulty


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("whatsapp:+5215512345670", "whatsapp:+525512345670"),
        ("whatsapp:+553188887770", "whatsapp:+5531988887770"),
        ("+541123456780", "+5491123456780"),
        ("\u202awhatsapp:US.{}\u202c", "whatsapp:US.{}"),
    ],
)
async def test_whatever_twilio_brings_as_a_sender_can_be_set_and_seen(door: Door, said: str, asked: str) -> None:
    unique = uuid.uuid4().hex
    sender = f"S{unique[:9]}"
    [consent] = await _set(door, to=said.format(unique), state="opted-out", sender=sender)
    assert consent["state"] == "opted-out"
    assert await _find(door, to=asked.format(unique), sender=sender) == [consent]


@pytest.mark.parametrize("to", ["rcs:+14155550100", "messenger:103800709108123"])
async def test_rcs_and_messenger_need_a_sender_or_a_service(door: Door, both: App, to: str) -> None:
    body = json.dumps({"to": to, "state": "opted-out"}).encode()
    faults = problems.check(await door.request("POST", "/api/consents", body), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert faults.keys() == {"sender"}
    assert [consent["sender"] for consent in await _set(both, to=to, state="opted-in")] == [SERVICE_SID]
