"""Access tokens over HTTP: for whom, how long, and what is missing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from twilio.jwt.access_token import AccessToken

from tests.voice.test_tokens import KEYS, SECRET
from tests.web import problems
from tests.web.app import App, Door, Served, settings_of

TARGET = "/api/voice/token"


@pytest.fixture(scope="module")
async def served(azurite: str) -> AsyncIterator[Served]:
    """The app with all that tokens need, over real HTTP."""
    async with Served.start(settings_of(azurite, **KEYS)) as served:
        yield served


@pytest.fixture(scope="module")
async def app(azurite: str) -> AsyncIterator[App]:
    """The same, its functions called directly."""
    async with App.load(settings_of(azurite, **KEYS)) as app:
        yield app


async def test_whoever_has_the_key_gets_a_token_of_an_hour_for_an_identity(door: Door) -> None:
    answer = await door.request("GET", f"{TARGET}?identity=anna_1&code=the-function-key")
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    content = answer.json()
    assert content.keys() == {"token", "identity", "expires_at"}
    assert content["identity"] == "anna_1"
    read = AccessToken.from_jwt(content["token"], SECRET)
    assert read.payload["grants"]["identity"] == "anna_1"
    expires_at = datetime.fromisoformat(content["expires_at"])
    assert read.valid_until == expires_at.timestamp()
    assert timedelta(minutes=58) < expires_at - datetime.now(UTC) <= timedelta(hours=1)


async def test_a_token_may_last_less(door: Door) -> None:
    content = (await door.request("GET", f"{TARGET}?identity=anna&ttl=60")).json()
    assert datetime.fromisoformat(content["expires_at"]) - datetime.now(UTC) <= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("query", "field", "detail"),
    [
        ("", "identity", "is required"),
        ("?identity=", "identity", None),
        ("?identity=a%20b", "identity", "expected 1 to 64 letters, digits and underscores, got another"),
        ("?identity=anna%0A", "identity", None),
        ("?identity=anna-b", "identity", None),
        ("?identity=%C3%A9", "identity", None),
        (f"?identity={'a' * 65}", "identity", None),
        ("?identity=anna&ttl=3601", "ttl", None),
        ("?identity=anna&ttl=59", "ttl", None),
        ("?identity=anna&ttl=long", "ttl", None),
        ("?identity=anna&ttl=%D9%A1%D9%A2%D9%A0", "ttl", None),
        pytest.param(f"?identity=anna&ttl={'9' * 5_000}", "ttl", None, id="more digits than Python reads"),
        ("?identity=anna&to=x", "to", "is no known field"),
    ],
)
async def test_what_can_not_be_asked_for_is_refused_with_its_fault(
    door: Door, query: str, field: str, detail: str | None
) -> None:
    answer = await door.request("GET", TARGET + query)
    found = problems.check(answer, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert list(found) == [field]
    assert detail is None or found[field] == detail


async def test_without_its_settings_the_answer_names_them_and_no_secret(azurite: str) -> None:
    some = {name: KEYS[name] for name in ("TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET")}
    async with Served.start(settings_of(azurite, **some)) as served:
        answer = await served.request("GET", f"{TARGET}?identity=anna")
    problems.check(answer, HTTPStatus.NOT_IMPLEMENTED)
    assert answer.json()["settings"] == ["TWILIO_TWIML_APP_SID"]
    assert not [secret for secret in (SECRET, KEYS["TWILIO_API_KEY_SID"]) if secret.encode() in answer.body]
