"""Nobody forges Twilio: a request that Twilio signed is served, whatever it holds; anything else is 403."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shared.errors import SignatureInvalid
from shared.inbound.form import Form
from shared.inbound.signature import SETTINGS_HEADER, verify_signature
from shared.settings_reader import Secret
from tests.samples import webhooks
from tests.web.app import FORM, PUBLIC_BASE_URL, SECOND_TOKEN, TOKEN, App, Door, Served, settings_of

TARGETS = (
    "/api/sms/status?delivery=some-id",
    "/api/voice/status",
    "/api/sms/inbound",
    "/api/voice/inbound",
    "/api/voice/flow/line/menu?part=done&delivery=some-id&i.menu=1&v=2",
    "/api/voice/recording?delivery=some-id",
    "/api/voice/transcription",
    "/api/fallback/sms",
    "/api/fallback/voice?delivery=some-id",
)
STATUS = "/api/sms/status"
UNREADABLE = 400
"""what a status callback gets whose signature holds and whose form names no message: it came through"""

# Twilio's own example: https://www.twilio.com/docs/usage/webhooks/webhooks-security#test-the-validity-of-your-webhook-signature
VECTOR_URL = "https://example.com/myapp.php?foo=1&bar=2"
VECTOR = (
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
)
VECTOR_SIGNATURE = "L/OH5YylLD5NRKLltdqwSvS0BnU="

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
forms = st.lists(st.tuples(texts, texts), max_size=12).flatmap(
    lambda fields: (
        st.lists(st.sampled_from(fields), max_size=3).map(lambda again: fields + again) if fields else st.just(fields)
    )
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_twilios_own_example_is_accepted() -> None:
    form = Form.parse(webhooks.encode(*VECTOR))
    verify_signature(url=VECTOR_URL, form=form, signature=VECTOR_SIGNATURE, tokens=[Secret("12345")])


def test_the_tests_sign_as_twilios_example_does() -> None:
    assert webhooks.signature(VECTOR_URL, VECTOR, token="12345") == VECTOR_SIGNATURE


@pytest.mark.parametrize(
    "altered",
    [
        "https://example.com/myapp.php?bar=2&foo=1",
        "https://example.com/myapp.php?foo=1",
        "https://example.org/myapp.php?foo=1&bar=2",
        "http://example.com/myapp.php?foo=1&bar=2",
        "https://[::1/myapp.php",
        "https://example.com:port/",
    ],
)
def test_the_example_under_another_url_is_refused(altered: str) -> None:
    form = Form.parse(webhooks.encode(*VECTOR))
    with pytest.raises(SignatureInvalid):
        verify_signature(url=altered, form=form, signature=VECTOR_SIGNATURE, tokens=[Secret("12345")])


def test_without_a_token_nothing_is_accepted() -> None:
    with pytest.raises(SignatureInvalid):
        verify_signature(url=VECTOR_URL, form=Form.parse(b""), signature=VECTOR_SIGNATURE, tokens=[])


@quick
@given(fields=forms)
async def test_any_form_that_twilio_signed_is_accepted(app: App, fields: list[tuple[str, str]]) -> None:
    body = webhooks.encode(*fields)
    signature = webhooks.signature(PUBLIC_BASE_URL + STATUS, fields)
    answer = await app.request("POST", STATUS, body, {**FORM, "X-Twilio-Signature": signature})
    assert answer.status == UNREADABLE


@quick
@given(fields=forms)
async def test_any_form_that_twilio_signed_is_accepted_over_http(served: Served, fields: list[tuple[str, str]]) -> None:
    body = webhooks.encode(*fields)
    signature = webhooks.signature(PUBLIC_BASE_URL + STATUS, fields)
    answer = await served.request("POST", STATUS, body, {**FORM, "X-Twilio-Signature": signature})
    assert answer.status == UNREADABLE


@quick
@given(query=st.text("abcXYZ019-._~%+&=:;,@!$'()*/?", max_size=40))
async def test_any_query_is_checked_as_it_came(app: App, served: Served, query: str) -> None:
    # an escape that is none never leaves Twilio
    target = f"{STATUS}?{query}".replace("%", "%2F")
    for door in (app, served):
        answer = await door.request("POST", target, b"A=", webhooks.headers(target, b"A="))
        assert answer.status == UNREADABLE, target


@quick
@given(body=st.binary(max_size=200), signature=st.text(max_size=40), target=st.sampled_from(TARGETS))
async def test_whatever_else_comes_is_refused(app: App, body: bytes, signature: str, target: str) -> None:
    answer = await app.request("POST", target, body, {"X-Twilio-Signature": signature})
    assert (answer.status, answer.body) == (403, b"")


@quick
@given(data=st.data())
async def test_a_body_that_was_altered_is_refused(app: App, data: st.DataObject) -> None:
    sid = webhooks.new_sid("SM")
    body = webhooks.body("sms-status-delivered", sid=sid)
    at = data.draw(st.integers(0, len(body) - 1))
    altered = body[:at] + data.draw(st.binary(max_size=3)) + body[at + 1 :]
    assume(_signed_part(altered) != _signed_part(body))
    answer = await app.request("POST", STATUS, altered, webhooks.headers(STATUS, body))
    assert (answer.status, answer.body) == (403, b"")


def _signed_part(body: bytes) -> str:
    fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
    return "".join(name + value for name, value in sorted(set(fields)))


@pytest.mark.parametrize("target", TARGETS)
async def test_what_twilio_signed_is_served(door: Door, target: str) -> None:
    kind = "voice-status-ringing" if "voice" in target else "sms-status-sent"
    body = webhooks.body(kind, sid=webhooks.new_sid("CA" if "voice" in target else "SM"))
    answer = await door.request("POST", target, body, webhooks.headers(target, body))
    is_none_of_its_kind = "recording" in target or "transcription" in target
    assert answer.status == (UNREADABLE if is_none_of_its_kind else 204 if "status" in target else 200)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        " ",
        "AAAA",
        "L/OH5YylLD5NRKLltdqwSvS0BnU=",
        "not base64 at all",
        "é" * 28,
        "\u2603" * 28,
        "=" * 10_000,
    ],
    ids=["missing", "empty", "blank", "short", "another's", "malformed", "Latin", "snowmen", "long"],
)
async def test_a_signature_that_is_none_is_refused(door: Door, target: str, signature: str | None) -> None:
    body = webhooks.body("sms-status-sent", sid=webhooks.new_sid("SM"))
    headers = FORM if signature is None else {**FORM, "X-Twilio-Signature": signature}
    answer = await door.request("POST", target, body, headers)
    assert (answer.status, answer.body) == (403, b"")


def with_a_shared_key(algorithm: str, name: str = SETTINGS_HEADER) -> dict[str, str]:
    """The headers of a webhook that Twilio signs with a shared key: only the key and the hash differ.

    https://www.twilio.com/docs/usage/webhooks/webhook-shared-keys
    """
    kind = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}[algorithm]
    made = hmac.new(b"a shared key's secret", f"{PUBLIC_BASE_URL}{STATUS}A1".encode(), kind).digest()
    settings = f"key=webhooks_sharedkey_SECRET,algorithm={algorithm}"
    return {**FORM, "X-Twilio-Signature": base64.b64encode(made).decode(), name: settings}


@pytest.mark.parametrize("name", [SETTINGS_HEADER, SETTINGS_HEADER.lower()])
@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
async def test_a_signature_made_with_a_shared_key_is_refused_and_the_log_says_why(
    door: Door, caplog: pytest.LogCaptureFixture, algorithm: str, name: str
) -> None:
    answer = await door.request("POST", STATUS, b"A=1", with_a_shared_key(algorithm, name))
    assert (answer.status, answer.body) == (403, b"")
    [line] = [record.getMessage() for record in caplog.records if "refused:" in record.getMessage()]
    assert f"got one with {SETTINGS_HEADER}: shared keys are not supported" in line
    assert line.endswith("likely cause: a webhook rule at Twilio that names a signature")
    assert "SECRET" not in line


async def test_without_the_header_of_a_shared_key_the_log_names_none(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    headers = webhooks.headers(STATUS, b"A=1", token="another token")
    assert (await door.request("POST", STATUS, b"A=1", headers)).status == 403
    assert SETTINGS_HEADER not in caplog.text


async def test_the_header_of_a_shared_key_does_not_spoil_a_true_signature(door: Door) -> None:
    headers = webhooks.headers(STATUS, b"A=1") | {SETTINGS_HEADER: "key=x,algorithm=HMAC_SHA256"}
    assert (await door.request("POST", STATUS, b"A=1", headers)).status == UNREADABLE


async def test_a_signature_that_comes_twice_is_refused(door: Door) -> None:
    headers = webhooks.headers(STATUS, b"A=1")
    headers["X-Twilio-Signature"] = f"{headers['X-Twilio-Signature']},{headers['X-Twilio-Signature']}"
    assert (await door.request("POST", STATUS, b"A=1", headers)).status == 403


async def test_a_header_counts_whatever_its_case(door: Door) -> None:
    headers = {name.lower(): value for name, value in webhooks.headers(STATUS, b"A=1").items()}
    assert (await door.request("POST", STATUS, b"A=1", headers)).status == UNREADABLE


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"MessageSid=\xff\xfe\xc3(",
        b"%FF=%C3%28&%ED%A0%80=%00",
        b'{"MessageSid": "SM00000000000000000000000000000000"}',
        b"[1, 2",
        b'--x\r\nContent-Disposition: form-data; name="MessageSid"\r\n\r\nSM1\r\n--x--\r\n',
        b"&" * 100_000,
        b"A=" + b"x" * 5_000_000,
        b"a=&" * 500_000,
        b"%" * 1000,
    ],
    ids=[
        "empty",
        "no UTF-8",
        "escaped",
        "JSON",
        "no JSON",
        "multipart",
        "ampersands",
        "huge",
        "many fields",
        "percent",
    ],
)
async def test_a_body_that_twilio_did_not_sign_is_refused(door: Door, target: str, body: bytes) -> None:
    headers = webhooks.headers(target, b"MessageSid=SM1&MessageStatus=sent")
    answer = await door.request("POST", target, body, headers)
    assert (answer.status, answer.body) == (403, b"")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"A=" + b"x" * 196_000, UNREADABLE),
        (b"a=1&" * 999, UNREADABLE),
        (b"A=" + b"x" * 197_000, 403),
        (b"a=1&" * 1_000, 403),
    ],
    ids=["large", "many fields", "too large", "too many fields"],
)
async def test_what_is_far_from_anything_that_twilio_posts_is_not_even_read(
    door: Door, body: bytes, status: int
) -> None:
    assert (await door.request("POST", STATUS, body, webhooks.headers(STATUS, body))).status == status


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
async def test_the_type_of_the_body_opens_no_way_around(door: Door, kind: str) -> None:
    target = f"{STATUS}?bodySHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    headers = {"Content-Type": kind, "X-Twilio-Signature": webhooks.signature(PUBLIC_BASE_URL + target, ())}
    assert (await door.request("POST", target, b'{"MessageSid": "SM1"}', headers)).status == 403


async def test_a_signed_request_without_a_form_cannot_be_read_and_is_no_forgery(door: Door) -> None:
    assert (await door.request("POST", STATUS, b"", webhooks.headers(STATUS, b""))).status == UNREADABLE


async def test_blank_and_repeated_fields_are_part_of_what_was_signed(door: Door) -> None:
    body = webhooks.body("sms-status-sent", sid=webhooks.new_sid("SM")) + b"&Tag=b&Tag=a&Tag=b&Blank=&Blank=x&=&=y"
    headers = webhooks.headers(STATUS, body)
    for without in (b"&Tag=a", b"&Blank=&", b"&=y"):
        assert without in body
        shorter = body.replace(without, b"&" if without.endswith(b"&") else b"", 1)
        assert (await door.request("POST", STATUS, shorter, headers)).status == 403, without
    assert (await door.request("POST", STATUS, body, headers)).status == 204


@pytest.mark.parametrize(
    "query",
    [
        "delivery=a%2Fb",
        "delivery=a&blank=&x=2&x=1",
        "x=%7E&X=~&b=%C3%A9&space=+&other=%20",
        "delivery",
        "a=1&&b=2",
        "url=https://other.example/?a=b",
        "",
        "?",
    ],
)
async def test_the_query_is_checked_as_it_came(door: Door, query: str) -> None:
    target = f"{STATUS}?{query}"
    answer = await door.request("POST", target, b"A=1", webhooks.headers(target, b"A=1"))
    assert answer.status == UNREADABLE


@pytest.mark.parametrize(
    ("came", "signed"),
    [
        ("a=1&b=2", "b=2&a=1"),
        ("a=1&b=", "a=1"),
        ("a=1", "a=1&b="),
        ("a=%2f", "a=%2F"),
        ("a=%41", "a=A"),
        ("a=+", "a=%20"),
        ("a=1&a=2", "a=1,2"),
        ("a=1", "a=1#rc=5&rp=all"),
        ("delivery=b", "delivery=a"),
    ],
)
async def test_a_query_other_than_the_signed_one_is_refused(door: Door, came: str, signed: str) -> None:
    headers = webhooks.headers(f"{STATUS}?{signed}", b"A=1")
    assert (await door.request("POST", f"{STATUS}?{came}", b"A=1", headers)).status == 403


@pytest.mark.parametrize(("came", "signed"), [("", "?"), ("?", ""), ("?", "?"), ("", "")])
async def test_a_question_mark_without_a_query_may_be_dropped_on_the_way(door: Door, came: str, signed: str) -> None:
    headers = webhooks.headers(STATUS + signed, b"A=1")
    assert (await door.request("POST", STATUS + came, b"A=1", headers)).status == UNREADABLE


async def test_the_path_is_checked_as_it_came(door: Door) -> None:
    escaped = "/api/sms/%73tatus"
    assert (await door.request("POST", escaped, b"A=1", webhooks.headers(escaped, b"A=1"))).status == UNREADABLE
    assert (await door.request("POST", escaped, b"A=1", webhooks.headers(STATUS, b"A=1"))).status == 403


async def test_what_was_signed_for_one_address_does_not_open_another(door: Door) -> None:
    body = webhooks.body("sms-inbound", sid=webhooks.new_sid("MM"))
    headers = webhooks.headers("/api/sms/inbound", body)
    for target in ("/api/sms/status", "/api/voice/inbound", "/api/voice/status"):
        assert (await door.request("POST", target, body, headers)).status == 403


async def test_a_signature_over_the_hosts_own_name_is_refused(app: App, served: Served) -> None:
    own_names: tuple[tuple[Door, str], ...] = ((app, "http://internal.invalid:8080"), (served, served.url))
    for door, base in own_names:
        headers = webhooks.headers(STATUS, b"A=1", base=base)
        assert (await door.request("POST", STATUS, b"A=1", headers)).status == 403


async def test_headers_that_claim_another_host_change_nothing(door: Door) -> None:
    claims = {"X-Forwarded-Host": "evil.example", "X-Original-URL": "/other", "X-Forwarded-Proto": "ftp"}
    true = webhooks.headers(STATUS, b"A=1") | claims
    forged = webhooks.headers(STATUS, b"A=1", base="https://evil.example") | claims
    assert (await door.request("POST", STATUS, b"A=1", true)).status == UNREADABLE
    assert (await door.request("POST", STATUS, b"A=1", forged)).status == 403


@pytest.mark.parametrize(
    ("public", "signed", "status"),
    [
        ("https://a.example", "https://a.example", UNREADABLE),
        ("https://a.example", "https://a.example:443", UNREADABLE),
        ("https://a.example/", "https://a.example", UNREADABLE),
        ("https://a.example:8443", "https://a.example:8443", UNREADABLE),
        ("https://a.example:8443", "https://a.example", UNREADABLE),
        ("http://127.0.0.1:7071", "http://127.0.0.1:7071", UNREADABLE),
        ("http://a.example", "http://a.example:80", UNREADABLE),
        ("https://a.example", "https://a.example:8443", 403),
        ("https://a.example:8443", "https://a.example:443", 403),
        ("https://a.example", "http://a.example", 403),
        ("https://a.example", "https://b.example", 403),
    ],
)
async def test_the_public_base_url_decides_and_its_port_may_be_left_out(
    azurite: str, public: str, signed: str, status: int
) -> None:
    async with App.load(settings_of(azurite, PUBLIC_BASE_URL=public)) as app:
        answer = await app.request("POST", STATUS, b"A=1", webhooks.headers(STATUS, b"A=1", base=signed))
    assert answer.status == status


@pytest.mark.parametrize(
    ("host", "signed", "status"),
    [
        ("Switchboard.Example", "https://Switchboard.Example", UNREADABLE),
        ("Switchboard.Example", "https://switchboard.example", UNREADABLE),
        ("switchboard.example", "https://switchboard.example", UNREADABLE),
        ("switchboard.example", "https://Switchboard.Example", 403),
        ("other.example", "https://other.example", 403),
        ("Other.Example", "https://Other.Example", 403),
        ("switchboard.example.org", "https://switchboard.example.org", 403),
    ],
)
async def test_capitals_of_the_host_count_as_the_request_has_them_and_no_other_host_does(
    served: Served, host: str, signed: str, status: int
) -> None:
    headers = {**webhooks.headers(STATUS, b"A=1", base=signed), "Host": host}
    assert (await served.request("POST", STATUS, b"A=1", headers)).status == status


async def test_a_public_base_url_with_capitals_is_signed_in_small_letters(azurite: str) -> None:
    async with App.load(settings_of(azurite, PUBLIC_BASE_URL="https://Switchboard.Example")) as app:
        headers = webhooks.headers(STATUS, b"A=1", base="https://switchboard.example")
        assert (await app.request("POST", STATUS, b"A=1", headers)).status == UNREADABLE


async def test_while_tokens_rotate_both_are_accepted(azurite: str) -> None:
    async with App.load(settings_of(azurite, TWILIO_AUTH_TOKEN_SECONDARY=SECOND_TOKEN)) as app:
        statuses = [await _status_of(app, token) for token in (TOKEN, SECOND_TOKEN, "a third token", "")]
    assert statuses == [UNREADABLE, UNREADABLE, 403, 403]


async def test_without_a_second_token_only_the_first_is_accepted(app: App) -> None:
    assert [await _status_of(app, token) for token in (TOKEN, SECOND_TOKEN)] == [UNREADABLE, 403]


async def _status_of(app: App, token: str) -> int:
    return (await app.request("POST", STATUS, b"A=1", webhooks.headers(STATUS, b"A=1", token=token))).status


@pytest.mark.parametrize("make", [lambda sid: sid.lower(), lambda _sid: "", lambda sid: sid + "0"])
async def test_a_signed_form_with_a_strange_sid_is_refused_as_unreadable(
    door: Door, make: Callable[[str], str]
) -> None:
    body = webhooks.body("sms-status-sent", sid=make(webhooks.new_sid("SM")))
    answer = await door.request("POST", STATUS, body, webhooks.headers(STATUS, body))
    assert answer.status == UNREADABLE
