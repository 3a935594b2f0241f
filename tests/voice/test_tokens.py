import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.errors import NotConfigured
from shared.voice.tokens import LONGEST, mint
from tests.fakes import ACCOUNT_SID, make_settings

NOW = datetime(2026, 3, 2, 12, 0, 0, 700_000, tzinfo=UTC)
SECRET = "a made-up secret of an API key, long enough"
KEYS = {
    "TWILIO_API_KEY_SID": "SK" + "0123456789abcdef" * 2,
    "TWILIO_API_KEY_SECRET": SECRET,
    "TWILIO_TWIML_APP_SID": "AP" + "0123456789abcdef" * 2,
}


def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a token as its standard says, written out here: https://www.rfc-editor.org/rfc/rfc7515#appendix-A.1."""
    head, payload, signature = token.split(".")
    expected = hmac.new(SECRET.encode(), f"{head}.{payload}".encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(expected).decode().rstrip("=") == signature
    header, content = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, payload))
    return header, content


def test_a_token_says_what_twilio_asks_for() -> None:
    made = mint(make_settings(**KEYS), identity="anna_1", lasts=timedelta(minutes=10), now=NOW)
    header, content = read(made.text)
    assert header == {"alg": "HS256", "typ": "JWT", "cty": "twilio-fpa;v=1"}
    assert content.pop("jti").startswith(KEYS["TWILIO_API_KEY_SID"])
    moment = int(NOW.timestamp())
    assert content == {
        "iss": KEYS["TWILIO_API_KEY_SID"],
        "sub": ACCOUNT_SID,
        "nbf": moment - 30,
        "exp": moment + 600,
        "grants": {
            "identity": "anna_1",
            "voice": {
                "incoming": {"allow": True},
                "outgoing": {"application_sid": KEYS["TWILIO_TWIML_APP_SID"]},
            },
        },
    }
    assert made.expires_at == datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


def test_no_token_lasts_longer_than_an_hour() -> None:
    made = mint(make_settings(**KEYS), identity="anna", lasts=timedelta(hours=24), now=NOW)
    assert made.expires_at == NOW.replace(microsecond=0) + LONGEST
    assert read(made.text)[1]["exp"] == int(made.expires_at.timestamp())


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, tuple(KEYS)),
        ({"TWILIO_TWIML_APP_SID": KEYS["TWILIO_TWIML_APP_SID"]}, tuple(KEYS)[:2]),
        ({name: KEYS[name] for name in tuple(KEYS)[:2]}, tuple(KEYS)[2:]),
    ],
)
def test_the_settings_that_are_missing_are_named_and_no_secret_is(
    given: dict[str, str], missing: tuple[str, ...]
) -> None:
    with pytest.raises(NotConfigured) as caught:
        mint(make_settings(**given), identity="anna", lasts=LONGEST, now=NOW)
    assert caught.value.names == missing
    assert SECRET not in str(caught.value)
