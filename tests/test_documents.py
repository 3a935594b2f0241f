import json
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from shared.documents import check_fields, convert, parse_object, read_document
from shared.errors import Fault, RequestInvalid

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A document that nobody but these tests knows."""

    name: str
    weight: Annotated[int, Meta(ge=1)]
    kind: str | None = None
    from_: str | None = msgspec.field(name="from", default=None)


def problems(content: bytes, *, longest: int = 30_000) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as caught:
        read_document(content, Parcel, longest=longest)
    return {fault.field: fault.problem for fault in caught.value.faults}


def test_a_document_that_fits_is_read() -> None:
    parcel = read_document(b'{"name":"a","weight":1,"from":"b"}', Parcel, longest=34)
    assert parcel == Parcel(name="a", weight=1, from_="b")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"a":1}x', "no JSON"),
        (b"{'a':1}", "no JSON"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b'{"a":NaN}', "no JSON"),
        (b'{"a":Infinity}', "no JSON"),
        (b'{"a":1e999}', "no JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"a":"\\ud800"}', "no JSON"),
        (b'{"\\udc00":1}', "no JSON"),
        (b'{"a":"\xed\xa0\x80"}', "bytes that are none"),
        (b"\xff\xfe{\x00}\x00", "bytes that are none"),
        (b"[" * 10_000, "nested too deep"),
        (b'{"a":' * 4_900 + b"1" + b"}" * 4_900, "nested too deep"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nested too deep"),
        (b'{"a":' * 15_000 + b"1" + b"}" * 15_000, "at most 30000 characters, got 90001"),
        (b"[" * 120_001, "at most 30000 characters, got 120001 bytes"),
        (b"\xff" * 120_001, "at most 30000 characters, got 120001 bytes"),
        (b"[]", "got an array"),
        (b'"text"', "got a string"),
        (b"null", "got null"),
        (b"true", "got a boolean"),
        (b"1", "got a number"),
        (b"1.5", "got a number"),
    ],
)
def test_what_is_no_json_object_is_refused_with_what_came(content: bytes, problem: str) -> None:
    assert problem in problems(content)["request"]


def test_a_document_has_a_greatest_length_in_characters_and_not_in_bytes() -> None:
    content = json.dumps({"a": "é" * 92}, ensure_ascii=False).encode()
    assert len(content) > 101
    assert parse_object(content, longest=101) == {"a": "é" * 92}
    with pytest.raises(RequestInvalid, match="at most 100 characters, got 101"):
        parse_object(content, longest=100)


def test_every_fault_of_a_document_is_named() -> None:
    found = problems(b'{"weight":0,"kind":5,"from":[],"colour":"red"}')
    assert set(found) == {"name", "weight", "kind", "from", "colour"}
    assert found["name"] == "is required"
    assert found["colour"] == "is no known field"
    assert "`int` >= 1" in found["weight"]


def test_a_name_that_is_long_or_no_name_is_not_repeated() -> None:
    found = problems(json.dumps({"name": "a", "weight": 1, "x" * 41: 1, "+14155550100": 1}).encode())
    assert set(found) == {"a name of 41 characters", "a name of 12 characters"}


def test_the_last_of_two_values_of_a_name_counts() -> None:
    assert parse_object(b'{"a":1,"a":2}', longest=100) == {"a": 2}


def test_what_is_usable_stands_beside_what_is_wrong() -> None:
    usable, faults = check_fields({"name": "a", "weight": "heavy", "stamp": 1}, Parcel)
    assert usable == {"name": "a"}
    assert Fault("stamp", "is no known field") in faults
    assert {fault.field for fault in faults} == {"weight", "stamp"}


@given(st.dictionaries(st.sampled_from(["name", "weight", "kind", "from", "other"]), json_values))
def test_any_object_is_converted_or_refused(document: dict[str, object]) -> None:
    try:
        convert(document, Parcel)
    except RequestInvalid as exc:
        assert exc.faults  # noqa: PT017 - either is right, and this is what makes it so
    else:
        assert document.keys() <= {"name", "weight", "kind", "from"}


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:0123456789.eE+-truefalsn\\ud8', max_size=60).map(str.encode))
def test_any_bytes_are_an_object_or_one_fault(content: bytes) -> None:
    try:
        document = parse_object(content, longest=100)
    except RequestInvalid as exc:
        fields = [fault.field for fault in exc.faults]
    else:
        fields = []
        assert isinstance(document, dict)
    assert fields in ([], ["request"])


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """What lies inside of a field."""

    at: str
    on: tuple[Literal["monday", "friday"], ...] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A document with what may be wrong in many ways."""

    id: Annotated[str, Meta(pattern="^[a-z]+$")] = "a"
    code: Annotated[str, Meta(pattern="^[a-z]+$")] = "a"
    due: Annotated[datetime, Meta(tz=True)] | None = None
    ends: list[Literal["failed", "busy"]] = []
    rhythm: Rhythm | None = None
    late: Literal["skip"] | Rhythm = "skip"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"due": "tomorrow"}, "expected a time such as 2026-01-31T09:30:00+01:00, got another"),
        ({"due": 5}, "expected a time such as 2026-01-31T09:30:00+01:00, got `int`"),
        (
            {"due": "2026-01-31T09:30:00"},
            "expected a time such as 2026-01-31T09:30:00+01:00, got one without an offset",
        ),
        ({"code": "1"}, "expected the form that the schema describes, got another"),
        ({"ends": ["busy", "x"]}, "expected one of failed, busy, got another"),
        ({"rhythm": {"at": "09:00", "on": ["monday", "x"]}}, "expected one of monday, friday, got another"),
        ({"late": "x"}, 'expected one of skip, {"at": …}, got another'),
    ],
)
def test_a_fault_says_what_would_be_right(document: dict[str, object], problem: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        convert(document, Order)
    assert [fault.problem for fault in caught.value.faults] == [problem]


def test_a_fault_of_an_id_says_its_form() -> None:
    with pytest.raises(RequestInvalid, match="a letter or digit, then up to 99 more"):
        convert({"id": "1"}, Order)


def test_what_is_no_json_is_said_once() -> None:
    problem = "expected a JSON object, got no JSON: trailing characters (byte 8)"
    assert problems(b'{"a":1}x')["request"] == problem
