"""A refused webhook leaves one line in the log that says which URL was checked, and what is likely to be wrong."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.refusal import MOST_FIELDS, MOST_TRIED, Came, likely_cause
from tests.fakes import make_settings
from tests.samples import webhooks
from tests.web.app import FORM, PUBLIC_BASE_URL, TOKEN, App, Door, Served, settings_of

TARGET = "/api/sms/status?delivery=order-1"
BODY = webhooks.encode(("AccountSid", "AC" + "0" * 32), ("MessageSid", "SM" + "0" * 32), ("To", "+14155550177"))
LONGEST = 1_200


async def refusal(
    door: Door, caplog: pytest.LogCaptureFixture, headers: dict[str, str], *, target: str = TARGET, body: bytes = BODY
) -> str:
    caplog.clear()
    answer = await door.request("POST", target, body, headers)
    assert (answer.status, answer.body) == (403, b"")
    [line] = [record.getMessage() for record in caplog.records if record.getMessage().startswith("refused: ")]
    return line


async def test_the_url_that_was_checked_is_named_without_the_values_of_its_query(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    target = "/api/twimlets/forward?PhoneNumber=%2B14155550177&14155550177=x&FailUrl=https://other.example"
    line = await refusal(door, caplog, webhooks.headers(target, BODY, token="another token"), target=target)
    assert f"checked {PUBLIC_BASE_URL}/api/twimlets/forward?PhoneNumber&…&FailUrl;" in line


@pytest.mark.parametrize(
    ("signed_for", "headers"),
    [
        ("https://texts.example", {"Host": "texts.example"}),
        ("https://texts.example", {"X-Forwarded-Host": "texts.example, inner.example"}),
        ("https://texts.example", {"X-Original-Host": "Texts.Example"}),
        ("http://texts.example", {"X-Forwarded-Host": "texts.example"}),
        ("https://texts.example:8443", {"X-Forwarded-Host": "texts.example:8443"}),
        (PUBLIC_BASE_URL.replace("https", "http"), {}),
    ],
)
async def test_a_signature_for_another_name_of_the_app_is_recognized(
    app: App, caplog: pytest.LogCaptureFixture, signed_for: str, headers: dict[str, str]
) -> None:
    line = await refusal(app, caplog, webhooks.headers(TARGET, BODY, base=signed_for) | headers)
    assert f"likely cause: the signature is right for {signed_for}: set PUBLIC_BASE_URL" in line


async def test_a_signature_over_another_host_in_capitals_is_recognized(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    """Twilio signs the URL as somebody gave it to Twilio."""
    headers = webhooks.headers(TARGET, BODY, base="https://Texts.Example") | {"Host": "Texts.Example"}
    line = await refusal(app, caplog, headers)
    assert "likely cause: the signature is right for https://texts.example: set PUBLIC_BASE_URL" in line


async def test_a_signature_for_the_name_that_the_host_has_for_itself_is_recognized(
    app: App, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    own_names: tuple[tuple[Door, str], ...] = ((app, "http://internal.invalid:8080"), (served, served.url))
    for door, base in own_names:
        line = await refusal(door, caplog, webhooks.headers(TARGET, BODY, base=base))
        assert f"the request names {base.removeprefix('http://')} instead" in line
        assert f"the signature is right for {base}:" in line


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "a body that is no form, or that a proxy dropped"),
        (webhooks.encode(("AccountSid", "AC" + "1" * 32)), "AccountSid is not TWILIO_ACCOUNT_SID"),
        (BODY, "TWILIO_AUTH_TOKEN is not the account's"),
    ],
    ids=["no body", "a subaccount", "a token"],
)
async def test_a_signature_that_fits_no_name_has_another_likely_cause(
    door: Door, caplog: pytest.LogCaptureFixture, body: bytes, cause: str
) -> None:
    line = await refusal(door, caplog, webhooks.headers(TARGET, body, token="another token"), body=body)
    assert f"likely cause: {cause}" in line


async def test_a_request_without_a_signature_says_so(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    line = await refusal(door, caplog, FORM)
    checked = f"{PUBLIC_BASE_URL}/api/sms/status?delivery"
    assert line.startswith(f"refused: expected a signature, got none; checked {checked};")
    assert line.endswith("likely cause: a sender other than Twilio, or a proxy that drops X-Twilio-Signature")


@pytest.mark.parametrize("body", [b"A=" + b"x" * MOST_TRIED, b"A=&" * MOST_FIELDS], ids=["bytes", "fields"])
async def test_a_body_that_is_too_large_is_not_tried_with_other_names(
    app: App, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    headers = webhooks.headers(TARGET, body, base="https://texts.example") | {"Host": "texts.example"}
    assert "the body is too large to try the signature" in await refusal(app, caplog, headers, body=body)


async def test_with_two_tokens_either_may_have_signed(azurite: str, caplog: pytest.LogCaptureFixture) -> None:
    async with App.load(settings_of(azurite, TWILIO_AUTH_TOKEN="new", TWILIO_AUTH_TOKEN_SECONDARY=TOKEN)) as app:
        line = await refusal(app, caplog, webhooks.headers(TARGET, BODY, base="http://internal.invalid:8080"))
    assert "the signature is right for http://internal.invalid:8080" in line


@given(
    host=st.text(max_size=200),
    path=st.text(max_size=300),
    query=st.text(max_size=300),
    signature=st.text(max_size=50) | st.text(string.ascii_letters, min_size=27, max_size=27).map("{}=".format),
)
def test_whatever_a_stranger_sends_the_line_is_short_and_printable(
    host: str, path: str, query: str, signature: str
) -> None:
    came = Came(
        url=f"https://{host}/{path}?{query}",
        headers={"X-Twilio-Signature": signature, "Host": host, "X-Forwarded-Host": path, "X-Original-Host": query},
        body=webhooks.encode(("AccountSid", query)),
    )
    cause = likely_cause(came, make_settings())
    assert len(cause) < LONGEST
    assert cause.isprintable()
    assert "right for" not in cause
