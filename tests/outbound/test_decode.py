import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import Decoded, data_of, decode
from shared.outbound.message import channel_of, metadata_of
from shared.outbound.request import LONGEST
from shared.settings import Settings
from tests.fakes import FROM_NUMBER, SERVICE_SID, make_settings
from tests.outbound.samples import CALL, TEXT, a_message, decoded

SETTINGS = make_settings()
RULES = Rules(SETTINGS)
CONTENT_SID = "HX" + "0123456789abcdef" * 2


def problems(message: bytes, settings: Settings = SETTINGS) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as caught:
        decode(message, Rules(settings))
    return {fault.field: fault.problem for fault in caught.value.faults}


TAKEN: list[tuple[dict[str, str], dict[str, Any]]] = [
    (TEXT, {"id": "a"}),
    (TEXT, {"id": "A" + "b" * 99}),
    (TEXT, {"id": "a.b_c:d-e"}),
    (TEXT, {"id": "0" * 34}),
    (TEXT, {"body": "x" * 1600}),
    (TEXT, {"body": "😀" * 1600}),
    (TEXT, {"media_urls": ["https://example.com/a.png"] * 10}),
    (TEXT, {"body": ..., "media_urls": ["http://example.com"]}),
    (TEXT, {"body": ..., "content_sid": CONTENT_SID, "content_variables": {"1": "Zoë"}}),
    (TEXT, {"to": "whatsapp:+14155550100"}),
    (TEXT, {"from": "ACME"}),
    (TEXT, {"from": "12345"}),
    (TEXT, {"from": SERVICE_SID}),
    (TEXT, {"from": None, "media_urls": None, "metadata": None}),
    (TEXT, {"expires_at": "2026-03-02T12:00:00Z"}),
    (TEXT, {"expires_at": "2026-03-02T12:00:00.123456+01:00"}),
    (TEXT, {"expires_at": "9999-12-31T23:59:59.999999Z"}),
    (TEXT, {"time_zone": "Europe/Berlin", "urgent": True}),
    (TEXT, {"metadata": {}}),
    (TEXT, {"metadata": {"a": "b" * 4088}}),
    (CALL, {"to": "client:alice"}),
    (CALL, {"say": ..., "twiml": "<Response><Say>Hi</Say></Response>"}),
    (CALL, {"say": ..., "url": "https://example.com/twiml?a=b#c"}),
    (CALL, {"voice": "Polly.Vicki", "language": "de-DE"}),
    (CALL, {"machine_detection": "Enable"}),
    (CALL, {"machine_detection": "DetectMessageEnd", "record": True, "send_digits": "ww12#*"}),
    (CALL, {"timeout_seconds": 1, "time_limit_seconds": 1}),
    (CALL, {"timeout_seconds": 600, "time_limit_seconds": 3600}),
]

# Faults that one field alone shows: the JSON Schema knows them too.
REFUSED_BY_FIELD: list[tuple[dict[str, str], dict[str, Any], set[str]]] = [
    (TEXT, {"id": ...}, {"id"}),
    (TEXT, {"id": None}, {"id"}),
    (TEXT, {"id": ""}, {"id"}),
    (TEXT, {"id": 5}, {"id"}),
    (TEXT, {"id": "-a"}, {"id"}),
    (TEXT, {"id": "a b"}, {"id"}),
    (TEXT, {"id": "a/b"}, {"id"}),
    (TEXT, {"id": "a~b"}, {"id"}),
    (TEXT, {"id": "order-1\n"}, {"id"}),
    (TEXT, {"id": "a" * 101}, {"id"}),
    (TEXT, {"id": "SM" + "0123456789abcdef" * 2}, {"id"}),
    (TEXT, {"channel": ...}, {"channel"}),
    (TEXT, {"channel": "fax"}, {"channel"}),
    (TEXT, {"channel": "SMS"}, {"channel"}),
    (TEXT, {"to": ...}, {"to"}),
    (TEXT, {"to": ""}, {"to"}),
    (TEXT, {"to": 14155550100}, {"to"}),
    (TEXT, {"from": ""}, {"from"}),
    (TEXT, {"from": 5}, {"from"}),
    (TEXT, {"body": ""}, {"body"}),
    (TEXT, {"body": "x" * 1601}, {"body"}),
    (TEXT, {"body": ["x"]}, {"body"}),
    (TEXT, {"media_urls": []}, {"media_urls"}),
    (TEXT, {"media_urls": ["https://example.com"] * 11}, {"media_urls"}),
    (TEXT, {"media_urls": ["ftp://example.com"]}, {"media_urls"}),
    (TEXT, {"media_urls": ["https://"]}, {"media_urls"}),
    (TEXT, {"media_urls": "https://example.com"}, {"media_urls"}),
    (TEXT, {"media_urls": [None]}, {"media_urls"}),
    (TEXT, {"body": ..., "content_sid": "HX123"}, {"content_sid"}),
    (TEXT, {"body": ..., "content_sid": CONTENT_SID, "content_variables": {"1": 5}}, {"content_variables"}),
    (TEXT, {"expires_at": "tomorrow"}, {"expires_at"}),
    (TEXT, {"expires_at": 1772452800}, {"expires_at"}),
    (TEXT, {"time_zone": ""}, {"time_zone"}),
    (TEXT, {"urgent": "yes"}, {"urgent"}),
    (TEXT, {"metadata": {"a": 1}}, {"metadata"}),
    (TEXT, {"metadata": {"a": {"b": "c"}}}, {"metadata"}),
    (TEXT, {"metadata": ["a"]}, {"metadata"}),
    (TEXT, {"boddy": "x"}, {"boddy"}),
    (TEXT, {"Body": "x"}, {"Body"}),
    (TEXT, {"from_": "+14155550199"}, {"from_"}),
    (CALL, {"say": ""}, {"say"}),
    (CALL, {"say": "x" * 4001}, {"say"}),
    (CALL, {"say": ..., "twiml": ""}, {"twiml"}),
    (CALL, {"say": ..., "url": "example.com/twiml"}, {"url"}),
    (CALL, {"say": ..., "url": "https://example.com/a b"}, {"url"}),
    (CALL, {"say": ..., "url": "https://example.com/a\n"}, {"url"}),
    (CALL, {"voice": ""}, {"voice"}),
    (CALL, {"language": "x" * 21}, {"language"}),
    (CALL, {"machine_detection": "enable"}, {"machine_detection"}),
    (CALL, {"machine_detection": True}, {"machine_detection"}),
    (CALL, {"record": "true"}, {"record"}),
    (CALL, {"record": 1}, {"record"}),
    (CALL, {"timeout_seconds": 0}, {"timeout_seconds"}),
    (CALL, {"timeout_seconds": 601}, {"timeout_seconds"}),
    (CALL, {"timeout_seconds": "60"}, {"timeout_seconds"}),
    (CALL, {"timeout_seconds": 10**30}, {"timeout_seconds"}),
    (CALL, {"timeout_seconds": True}, {"timeout_seconds"}),
    (CALL, {"time_limit_seconds": 0}, {"time_limit_seconds"}),
    (CALL, {"send_digits": "12e"}, {"send_digits"}),
    (CALL, {"send_digits": "1" * 33}, {"send_digits"}),
    (CALL, {"send_digits": "1\n"}, {"send_digits"}),
    (TEXT, {"colour": "x"}, {"colour"}),
]

# Faults that fields show together, or that depend on the settings.
REFUSED_TOGETHER: list[tuple[dict[str, str], dict[str, Any], set[str]]] = [
    (TEXT, {"to": "4155550100"}, {"to"}),
    (TEXT, {"to": "client:alice"}, {"to"}),
    (TEXT, {"to": "ACME"}, {"to"}),
    (CALL, {"to": "whatsapp:+14155550100"}, {"to"}),
    (TEXT, {"from": "a name that is too long"}, {"from"}),
    (CALL, {"from": "ACME"}, {"from"}),
    (CALL, {"from": SERVICE_SID}, {"from"}),
    (TEXT, {"body": ...}, {"request"}),
    (TEXT, {"body": None}, {"request"}),
    (TEXT, {"content_sid": CONTENT_SID}, {"request"}),
    (TEXT, {"content_variables": {"1": "x"}}, {"content_variables"}),
    (TEXT, {"say": "x"}, {"say"}),
    (TEXT, {"voice": "Polly.Vicki", "language": "de-DE"}, {"voice", "language"}),
    (TEXT, {"record": False, "send_digits": "1"}, {"record", "send_digits"}),
    (TEXT, {"timeout_seconds": 5, "time_limit_seconds": 5}, {"timeout_seconds", "time_limit_seconds"}),
    (TEXT, {"machine_detection": "Enable", "url": "https://a.example"}, {"machine_detection", "url"}),
    (CALL, {"say": ...}, {"request"}),
    (CALL, {"url": "https://example.com"}, {"request"}),
    (CALL, {"twiml": "<Response/>"}, {"request"}),
    (CALL, {"body": "x", "media_urls": ["https://a.example"]}, {"body", "media_urls"}),
    (CALL, {"say": ..., "body": "x"}, {"body", "request"}),
    (CALL, {"say": ..., "twiml": "<Response/>", "voice": "alice", "language": "de"}, {"voice", "language"}),
    (CALL, {"say": ..., "twiml": "<Say>Hi</Say>"}, {"twiml"}),
    (CALL, {"say": ..., "twiml": "<Response>"}, {"twiml"}),
    (CALL, {"say": ..., "twiml": '<?xml version="1.0"?><!DOCTYPE a><Response/>'}, {"twiml"}),
    (CALL, {"say": "&" * 1500}, {"say"}),
    (CALL, {"time_limit_seconds": 3601}, {"time_limit_seconds"}),
    (TEXT, {"metadata": {"a": "b" * 4089}}, {"metadata"}),
    (TEXT, {"time_zone": "Mars/Olympus"}, {"time_zone"}),
    (TEXT, {"time_zone": "../UTC"}, {"time_zone"}),
    (TEXT, {"expires_at": "0001-01-01T00:00:00Z"}, {"expires_at"}),
    (TEXT, {"expires_at": "9999-12-31T23:59:59-05:00"}, {"expires_at"}),
]


@pytest.mark.parametrize(("base", "fields"), TAKEN, ids=repr)
def test_a_request_within_the_rules_is_taken(base: dict[str, str], fields: dict[str, Any]) -> None:
    assert decoded(base, **fields).request.id == fields.get("id", base["id"])


def in_order(value: object) -> str:
    """The same in every process, as the id of a test has to be; a set's own order is not."""
    return repr(sorted(value) if isinstance(value, set) else value)


@pytest.mark.parametrize(("base", "fields", "faulty"), REFUSED_BY_FIELD + REFUSED_TOGETHER, ids=in_order)
def test_a_request_that_breaks_a_rule_is_refused_with_the_fields_that_break_it(
    base: dict[str, str], fields: dict[str, Any], faulty: set[str]
) -> None:
    assert set(problems(a_message(base, **fields))) == faulty


@pytest.mark.parametrize(("base", "name"), [(TEXT, "template"), (CALL, "template"), (CALL, "flow")])
def test_a_request_whose_content_is_not_there_has_that_fault_alone(base: dict[str, str], name: str) -> None:
    assert set(problems(a_message(base, body=..., say=..., **{name: "x"}))) == {name}


def test_every_fault_is_named_at_once_whatever_its_kind() -> None:
    message = a_message(
        id="-", to="123", **{"from": "?"}, body="", content_sid=CONTENT_SID, say="x", boddy=1, flow="f", time_zone="x",
        metadata={"a": "b" * 5000}, expires_at="0001-01-01T00:00:00Z",
    )  # fmt: skip
    assert set(problems(message)) == {
        "id", "to", "from", "body", "request", "say", "boddy", "flow", "time_zone", "metadata", "expires_at",
    }  # fmt: skip


def test_faults_beside_an_unusable_channel_are_named_too() -> None:
    assert set(problems(a_message(channel="fax", to="123", time_zone="x"))) == {"channel", "to", "time_zone"}
    assert set(problems(a_message(CALL, channel="fax", to="client:alice"))) == {"channel"}
    assert set(problems(b"{}")) == {"id", "channel", "to"}


def test_a_forbidden_country_is_named_beside_a_faulty_sender() -> None:
    settings = make_settings(ALLOWED_COUNTRIES="DE")
    assert set(problems(a_message(**{"from": "?"}), settings)) == {"to", "from"}


@pytest.mark.parametrize(
    ("to", "allowed"),
    [
        ("+14155550100", {"US", "US,DE"}),
        ("+12425550100", {"BS"}),
        ("+18765550100", {"JM"}),
        ("whatsapp:+4915123456789", {"DE", "US,DE"}),
        ("+80012345678", set[str]()),
        ("+882123456789", set[str]()),
        ("+19005551234", set[str]()),
        ("+4990012345678", set[str]()),
    ],
)
def test_only_numbers_of_allowed_countries_are_taken(to: str, allowed: set[str]) -> None:
    for countries in ("US", "DE", "BS", "JM", "US,DE"):
        settings = make_settings(ALLOWED_COUNTRIES=countries)
        if countries in allowed:
            assert decoded(to=to, settings=settings).request.to == to
        else:
            assert set(problems(a_message(to=to), settings)) == {"to"}


def test_a_client_has_no_country() -> None:
    settings = make_settings(ALLOWED_COUNTRIES="DE")
    assert decoded(CALL, to="client:alice", settings=settings).request.to == "client:alice"


def test_every_country_is_allowed_where_none_is_named() -> None:
    assert decoded(to="+80012345678").request.to == "+80012345678"
    assert decoded(to="+19005551234").request.to == "+19005551234"


def test_a_national_number_is_taken_where_a_region_is_set() -> None:
    settings = make_settings(DEFAULT_REGION="DE")
    request = decoded(to="0151 23456789", settings=settings, **{"from": "030 123456"}).request
    assert (request.to, request.from_) == ("+4915123456789", "+4930123456")


def test_the_default_sender_is_the_number_or_for_texts_the_service() -> None:
    both = make_settings(TWILIO_MESSAGING_SERVICE_SID=SERVICE_SID)
    assert decoded(TEXT).request.from_ == FROM_NUMBER
    assert decoded(TEXT, settings=both).request.from_ == SERVICE_SID
    assert decoded(CALL, settings=both).request.from_ == FROM_NUMBER


def test_a_whatsapp_text_comes_from_the_number_on_whatsapp() -> None:
    assert decoded(to="whatsapp:+14155550100").request.from_ == f"whatsapp:{FROM_NUMBER}"


def test_a_call_without_a_sender_is_refused_where_no_number_is_set() -> None:
    settings = make_settings(TWILIO_FROM_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=SERVICE_SID)
    assert "TWILIO_FROM_NUMBER" in problems(a_message(CALL), settings)["from"]


def test_the_limit_of_a_call_is_the_settings() -> None:
    settings = make_settings(MAX_CALL_SECONDS="60")
    assert decoded(CALL, time_limit_seconds=60, settings=settings).request.time_limit_seconds == 60
    assert problems(a_message(CALL, time_limit_seconds=61), settings) == {
        "time_limit_seconds": "expected at most MAX_CALL_SECONDS (60), got 61"
    }


def test_a_moment_keeps_its_offset() -> None:
    expires_at = decoded(expires_at="2026-03-02T13:00:00+01:00").request.expires_at
    assert expires_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_moment_without_an_offset_is_refused() -> None:
    assert set(problems(a_message(expires_at="2026-03-02T12:00:00"))) == {"expires_at"}


def test_a_request_is_at_most_30000_characters() -> None:
    message = a_message(metadata=None)
    assert decode(message + b" " * (LONGEST - len(message)), RULES)
    too_long = message + b" " * (LONGEST - len(message) + 1)
    assert problems(too_long) == {"request": "expected at most 30000 characters, got 30001"}


@pytest.mark.parametrize("message", [b"", b"\xff\xfe", b"[]", b"[" * 20_000, b'{"id":NaN}', b'{"id":"\\ud800"}'])
def test_what_is_no_json_object_has_one_fault(message: bytes) -> None:
    assert set(problems(message)) == {"request"}


def test_a_fault_repeats_neither_numbers_nor_text() -> None:
    message = a_message(
        to="+1415555010099999", **{"from": "+1415555019999999"}, body="hush " * 400, say="a secret word"
    )
    with pytest.raises(RequestInvalid) as caught:
        decode(message, RULES)
    shown = str(caught.value)
    assert not [part for part in ("5550100", "5550199", "hush", "secret word") if part in shown]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
usable = {**TEXT, **CALL, "from": "ACME", "media_urls": ["https://a.example"], "metadata": {"a": "b"}, "record": True}
names = st.sampled_from(sorted({*usable, "flow", "expires_at", "time_zone", "voice", "timeout_seconds", "unknown"}))
odd_documents = st.dictionaries(names, json_values, max_size=5).map(lambda odd: {**TEXT, **odd})
documents = st.one_of(
    st.dictionaries(names, json_values | st.sampled_from(list(usable.values())), max_size=8),
    odd_documents,
)


@given(documents.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=300))
@example(b'{"expires_at":"9999-12-31T23:59:59.999999-23:59"}')
@example(a_message(CALL, say=..., twiml='<?xml version="1.0" encoding="nonsense"?><Response/>'))
@example(a_message(CALL, voice="\x01"))
def test_any_bytes_are_a_request_or_faults(message: bytes) -> None:
    try:
        result: Decoded | RequestInvalid = decode(message, RULES)
    except RequestInvalid as exc:
        result = exc
    assert isinstance(result, Decoded) or result.faults
    assert channel_of(message) in {"sms", "call", None}
    assert all(isinstance(value, str) for value in metadata_of(message).values())


secret_digits = st.integers(10**9, 10**13).map(str)
numbers = st.builds(
    "{}{}{}".format,
    st.sampled_from(["+", "", "+0", "whatsapp:", "client: ", "x:", "whatsapp:+", "+999"]),
    secret_digits,
    st.sampled_from(["", ":", "\n", " ", "x", " ext. 1"]),
)
bodies = st.integers(0).map(lambda n: f"hush-{n}-hush" * 200)


@given(numbers, numbers, bodies, st.sampled_from([TEXT, CALL]))
def test_no_fault_shows_a_whole_number_or_a_body(to: str, from_: str, body: str, base: dict[str, str]) -> None:
    message = a_message(base, to=to, body=body, say=body, twiml=body, channel=body, metadata=body, **{"from": from_})
    for document in (message, a_message(base, to=to, **{"from": from_}), message[:-1]):
        try:
            decode(document, RULES)
        except RequestInvalid as exc:
            shown = f"{exc} {exc.faults!r}"
        else:
            shown = ""
        assert not [value for value in (to.strip(), from_.strip(), "hush") if value in shown]


def shuffled(value: Any, data: st.DataObject) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, dict):
        return {name: shuffled(value[name], data) for name in data.draw(st.permutations(list(value)))}
    return [shuffled(item, data) for item in value] if isinstance(value, list) else value


metadata = st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=5)
requests = st.builds(
    lambda base, extra, metadata: {**base, **extra, "metadata": metadata},
    st.sampled_from([TEXT, CALL]),
    st.fixed_dictionaries({}, optional={"time_zone": st.just("UTC"), "urgent": st.booleans()}),
    metadata,
)


@given(requests, st.data())
def test_the_hash_is_that_of_the_content_and_not_of_its_writing(document: dict[str, Any], data: st.DataObject) -> None:
    again = json.dumps(
        shuffled(document, data),
        indent=data.draw(st.none() | st.integers(0, 4)),
        ensure_ascii=data.draw(st.booleans()),
        separators=data.draw(st.sampled_from([(",", ":"), (" ,\t", " :\n")])),
    )
    assert decode(again.encode(), RULES).hash == decode(json.dumps(document).encode(), RULES).hash


@given(requests, requests)
def test_another_content_has_another_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    hashes = {decode(json.dumps(document).encode(), RULES).hash for document in (one, other)}
    assert len(hashes) == (1 if one == other else 2)


@pytest.mark.parametrize("fields", [{"body": "Your parcel has arrived!"}, {"urgent": False}, {"metadata": None}])
def test_a_hash_tells_even_small_differences(fields: dict[str, Any]) -> None:
    assert decoded(**fields).hash != decoded().hash


def test_a_hash_does_not_depend_on_the_settings() -> None:
    settings = make_settings(TWILIO_FROM_NUMBER="+14155550198", DEFAULT_REGION="DE")
    assert decoded(settings=settings).hash == decoded().hash


@pytest.mark.parametrize(
    ("message", "channel"),
    [
        (b'{"channel":"sms","to":5}', "sms"),
        (b'{"channel":"call"}', "call"),
        (b'{"channel":"fax"}', None),
        (b"{}", None),
        (b"[]", None),
        (b"", None),
        (b'{"channel":"sms"', None),
        (b"\xff\xff", None),
        (b'{"channel":"sms","x":"\xff"}', "sms"),
        (b'{"x":' + b"[" * 50_000, None),
    ],
)
def test_the_channel_of_an_unusable_message_is_told_where_it_says_one(message: bytes, channel: str | None) -> None:
    assert channel_of(message) == channel


def test_the_request_holds_each_field_as_it_came() -> None:
    request = decoded(CALL, voice="Polly.Vicki", language="de-DE", timeout_seconds=30, metadata={"a": "b"}).request
    assert msgspec.to_builtins(request) == {
        **CALL,
        "from": FROM_NUMBER,
        "voice": "Polly.Vicki",
        "language": "de-DE",
        "timeout_seconds": 30,
        "metadata": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("message", "metadata"),
    [
        (b'{"metadata": {"order": "7"}, "colour": "red", "to": 5}', {"order": "7"}),
        (a_message(to="12", metadata={"note": "x" * 4080}), {"note": "x" * 4080}),
        (a_message(metadata={"note": "x" * 4096}), {}),
        (b'{"metadata": {"order": 7}}', {}),
        (b'{"metadata": ["order"]}', {}),
        (b'{"metadata": null}', {}),
        (b'{"id": "order-1"}', {}),
        (b"no json", {}),
        (b"\xff\xfe", {}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_metadata_of_an_unusable_message_is_read_where_it_can_be(message: bytes, metadata: dict[str, str]) -> None:
    assert metadata_of(message) == metadata


def test_the_values_that_a_request_brings_are_read_as_they_came() -> None:
    data = {"name": "Zoë", "count": 2}
    assert data_of(a_message(TEXT, data=data)) == data
    derived = internal.Derived(id="news~1", origin="news", request={**TEXT, "data": data})
    assert data_of(internal.write(derived)) == data
    assert data_of(a_message(TEXT)) == {}


def test_values_that_can_not_be_read_are_refused() -> None:
    with pytest.raises(RequestInvalid):
        data_of(b"no request")
