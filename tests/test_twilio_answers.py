"""Which answers are Twilio's: a proxy's page is never taken for a refusal, and no answer is an unhandled error."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared import twilio_answers
from shared.deliveries import rows as delivery_rows
from shared.deliveries.record import fold
from shared.deliveries.view import of_delivery
from shared.errors import TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.outcomes import seen
from shared.outbound.provider import Resource
from shared.table_service import rows
from shared.twilio_answers import CALLS, MESSAGES
from tests.deliveries.samples import a_delivery
from tests.fakes import FROM_NUMBER, a_sid

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REFUSED = {"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}
PAGES = {
    "empty": b"",
    "HTML": b"<html><body>SECRET: access denied</body></html>",
    "a word": b'"SECRET"',
    "a list": b'[{"code": 21211}]',
    "null": b"null",
    "no code": b'{"message": "SECRET", "status": 400}',
    "a code of null": b'{"code": null, "message": "SECRET"}',
    "a code in text": b'{"code": "21211", "message": "SECRET"}',
    "a code that is true": b'{"code": true, "message": "SECRET"}',
    "a code that is a list": b'{"code": [21211]}',
    "the status as a code": b'{"code": 403, "message": "SECRET"}',
    "a gRPC gateway's code": b'{"code": 16, "message": "SECRET", "details": []}',
    "a code that no row can hold": b'{"code": 99999999999999999999999999}',
    "cut off": b'{"code": 21211, "mess',
    "no UTF-8": b'{"code": 21211, "message": "\xff"}',
    "deep": b"[" * 100_000,
}
STATUSES = [301, 302, 303, 307, 308, 400, 401, 403, 404, 407, 408, 413, 425, 429, 451, 500, 502, 503, 504]
MESSAGE = {
    "sid": a_sid(),
    "status": "queued",
    "from": FROM_NUMBER,
    "messaging_service_sid": None,
    "body": "Grüße 🎉",
    "direction": "outbound-api",
    "date_created": "Mon, 02 Mar 2026 12:00:00 +0000",
    "error_code": None,
    "error_message": None,
    "num_segments": "1",
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=10,
)
spoiled = st.builds(
    lambda changes, missing: {name: value for name, value in (MESSAGE | changes).items() if name not in missing},
    st.dictionaries(st.sampled_from(sorted(MESSAGE)), anything | st.integers(-(2**70), 2**70), max_size=3),
    st.frozensets(st.sampled_from(sorted(MESSAGE)), max_size=2),
)


def raised(status: int, content: bytes, **headers: str) -> Exception:
    with pytest.raises((TwilioRefused, TwilioUnavailable, TwilioUnclear)) as caught:
        twilio_answers.raise_for_status(status, headers, content, now=NOW)
    return caught.value


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("status", STATUSES)
def test_an_answer_without_twilios_error_body_is_no_word_of_twilios(status: int, page: bytes) -> None:
    error = raised(status, page)
    assert isinstance(error, TwilioUnclear)
    assert str(error) == (
        f"expected Twilio's answer, got HTTP {status} without Twilio's error body: a proxy or gateway may have answered"
    )
    assert error.code is None


@pytest.mark.parametrize("status", [status for status in STATUSES if 400 <= status < 500 and status != 429])
@pytest.mark.parametrize("words", [{"message": "No"}, {"detail": "No", "type": "about:blank"}])
def test_a_refusal_of_twilios_carries_its_code_and_its_words(status: int, words: dict[str, str]) -> None:
    error = raised(status, msgspec.json.encode({"code": 20404, **words}))
    assert isinstance(error, TwilioRefused)
    assert (error.status, error.code, error.explanation) == (status, 20404, "No")


@pytest.mark.parametrize("message", [None, 5, ["x"], {"a": 1}])
def test_a_refusal_whose_words_are_no_text_is_a_refusal_all_the_same(message: object) -> None:
    error = raised(400, msgspec.json.encode({"code": 21211, "message": message}))
    assert isinstance(error, TwilioRefused)
    assert error.explanation == ""


@pytest.mark.parametrize("status", [302, 500, 502, 503, 504])
def test_where_twilio_itself_fails_or_sends_elsewhere_it_may_have_the_request(status: int) -> None:
    error = raised(status, b'{"code": 20500, "message": "Internal"}')
    assert isinstance(error, TwilioUnclear)
    assert error.code == 20500


def test_a_429_is_not_processed_if_twilio_says_so_and_ambiguous_otherwise() -> None:
    body = b'{"code": 20429, "message": "Too Many Requests", "status": 429}'
    busy = raised(429, body, **{"Retry-After": "7"})
    assert isinstance(busy, TwilioUnavailable)
    assert (busy.code, busy.retry_after) == (20429, 7.0)
    page = raised(429, PAGES["HTML"], **{"Retry-After": "7"})
    assert isinstance(page, TwilioUnclear)
    assert page.retry_after == 7.0


@pytest.mark.parametrize(
    ("status", "body"),
    [(302, b""), (403, b""), (429, b""), (503, b""), (503, b'{"code": 20503, "message": "Service Unavailable"}')],
)
def test_an_ambiguous_answer_says_how_long_to_wait(status: int, body: bytes) -> None:
    for text in ("26", format_datetime(NOW + timedelta(seconds=26), usegmt=True)):
        error = raised(status, body, **{"Retry-After": text})
        assert isinstance(error, TwilioUnclear)
        assert error.retry_after == 26.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("007", 7.0),
        ("Mon, 02 Mar 2026 12:02:00 GMT", 120.0),
        ("Mon, 02 Mar 2026 14:02:00 +0200", 120.0),
        ("Mon, 02 Mar 2026 12:02:00 -0000", 120.0),
        ("Monday, 02-Mar-26 12:02:00 GMT", 120.0),
        ("Mon Mar  2 12:02:00 2026", 120.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("-7", None),
        ("1.5", None),
        ("1e3", None),
        ("²", None),
        ("\u0667", None),
        ("soon", None),
        ("Mon, 32 Mar 2026 12:02:00 GMT", None),
        ("Mon, 02 Mar 2026 12:02:00 +99999999999999", None),
        ("Mon, 02 Mar 99999 12:02:00 GMT", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_and_else_not_at_all(
    text: str | None, seconds: float | None
) -> None:
    assert twilio_answers.retry_after(text, now=NOW) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{5,8} [A-Z+0-9-]{1,20}"))
def test_no_retry_after_is_an_error(text: str) -> None:
    seconds = twilio_answers.retry_after(text, now=NOW)
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.integers(300, 599), st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_no_body_of_any_answer_is_an_unhandled_error(status: int, content: bytes) -> None:
    error = raised(status, content)
    assert str(error).isascii(), "and nothing of the body is shown"
    if not isinstance(error, TwilioUnclear):
        assert HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        assert isinstance(json.loads(content)["code"], int)


def test_a_2xx_is_read() -> None:
    twilio_answers.raise_for_status(201, {}, b"", now=NOW)


@pytest.mark.parametrize("content", [b"[]", b"null", b'"ok"', b"", b"<html>", b"\xff", b"[" * 100_000, b'{"sid": '])
def test_an_answer_that_is_no_json_object_is_unclear(content: bytes) -> None:
    with pytest.raises(TwilioUnclear, match="expected a JSON object"):
        twilio_answers.document(content)


@pytest.mark.parametrize(
    "change",
    [
        {"sid": 5},
        {"sid": None},
        {"sid": ""},
        {"sid": "SM123"},
        {"sid": a_sid() + "\n"},
        {"sid": a_sid("CA")},
        {"sid": f"../{a_sid()}"},
        {"status": None},
        {"status": 5},
        {"status": ""},
        {"status": "a/b"},
        {"status": "queued\n"},
        {"status": "x" * 41},
        {"status": ["queued"]},
        {"from": 14155550199},
        {"messaging_service_sid": {}},
        {"body": ["x"]},
        {"body": "x" * 70_000},
        {"direction": True},
        {"date_created": 1772452800},
        {"error_code": "30003"},
        {"error_code": True},
        {"error_code": 2**40},
        {"error_code": -1},
        {"error_message": 5},
    ],
)
def test_a_resource_with_a_property_of_another_kind_is_unclear(change: dict[str, Any]) -> None:
    with pytest.raises(TwilioUnclear, match="in Twilio's answer, got"):
        twilio_answers.resource(MESSAGE | change, kinds=MESSAGES)


def test_a_message_is_no_call_and_another_message_is_not_the_one_asked_for() -> None:
    assert twilio_answers.resource(MESSAGE, kinds=MESSAGES, sid=str(MESSAGE["sid"])).body == "Grüße 🎉"
    for kinds, sid in ((CALLS, None), (MESSAGES, a_sid())):
        with pytest.raises(TwilioUnclear, match="got another"):
            twilio_answers.resource(MESSAGE, kinds=kinds, sid=sid)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 02 Mar 2026 12:00:00 +0000", NOW),
        ("Mon, 02 Mar 2026 14:00:00 +0200", NOW),
        ("Mon, 02 Mar 2026 12:00:00 -0000", NOW),
        ("Mon, 02 Mar 2026 12:00:00", NOW),
        ("2026-03-02", None),
        ("", None),
        (None, None),
        ("Fri, 31 Dec 9999 23:00:00 -2300", None),
    ],
)
def test_when_it_was_made_is_a_moment_in_utc_or_not_known(text: str | None, moment: datetime | None) -> None:
    """A moment without a zone could be compared with none of ours."""
    assert twilio_answers.resource(MESSAGE | {"date_created": text}, kinds=MESSAGES).created_at == moment


def _shown(resource: Resource) -> Any:  # noqa: ANN401 - a JSON document
    """Put a resource on record, as rows in JSON, and show them as an operator sees them."""
    event = seen(resource, source="found", at=NOW)
    delivery = fold(a_delivery(sid=resource.sid), event)
    kept = [
        rows.decode(msgspec.json.decode(rows.encode(row)))
        for row in (delivery_rows.delivery_row(delivery), delivery_rows.event_row(delivery.id, event))
    ]
    return of_delivery(delivery_rows.read_delivery(kept[0]), [delivery_rows.read_event(kept[1])])


@given(anything | spoiled)
@example(MESSAGE)
@example([])
@example(None)
@example("ok")
@example({"sid": 5})
@example(MESSAGE | {"status": None})
def test_whatever_is_taken_for_a_resource_can_be_kept_and_shown(answer: object) -> None:
    try:
        resource = twilio_answers.resource(answer, kinds=MESSAGES)
    except TwilioUnclear:
        return
    assert resource.sid in str(_shown(resource))


@given(anything | st.fixed_dictionaries({"messages": anything, "next_page_uri": anything}))
@example({"messages": [], "next_page_uri": None})
def test_a_page_is_a_list_and_leads_to_a_path_or_is_unclear(answer: Any) -> None:  # noqa: ANN401 - any JSON
    try:
        items, following = twilio_answers.page(answer if isinstance(answer, dict) else {}, "messages")
    except TwilioUnclear:
        return
    assert isinstance(items, list)
    assert following is None or following.startswith("/")


@pytest.mark.parametrize("path", ["@evil.example/x", ".evil.example", "https://evil.example/", 5, ["/x"]])
def test_the_next_page_is_at_the_same_host(path: object) -> None:
    """It is put behind the base URL: what does not begin with a slash would change the host."""
    with pytest.raises(TwilioUnclear, match="a page of a list"):
        twilio_answers.page({"messages": [], "next_page_uri": path}, "messages")


def test_a_recording_is_one_of_the_call_that_was_asked_for() -> None:
    call, recording = a_sid("CA"), a_sid("RE")
    good = {"sid": recording, "call_sid": call}
    assert twilio_answers.recording_sid(good, call_sid=call) == recording
    for bad in ({"call_sid": a_sid("CA")}, {"sid": a_sid("CA")}, {"sid": "../x"}, {"sid": 5}, {"call_sid": None}):
        with pytest.raises(TwilioUnclear):
            twilio_answers.recording_sid(good | bad, call_sid=call)
    items: tuple[object, ...] = (None, [], "RE", 5)
    for item in items:
        with pytest.raises(TwilioUnclear):
            twilio_answers.recording_sid(item, call_sid=call)


@pytest.mark.parametrize("status", [200, 201, 202, 205])
def test_only_a_204_says_that_something_was_deleted(status: int) -> None:
    twilio_answers.check_deleted(204)
    with pytest.raises(TwilioUnclear, match=f"got HTTP {status}"):
        twilio_answers.check_deleted(status)
