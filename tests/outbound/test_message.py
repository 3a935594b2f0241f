"""The fields of a queue message: read alike by everybody, however its JSON is written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import decode, reread
from shared.outbound.message import asked, channel_of, id_of, metadata_of, names_fallback, origin_of
from tests.fakes import make_settings
from tests.outbound.samples import CALL, TEXT, a_message

RULES = Rules(make_settings())
FALLBACK = {"channel": "call", "say": "Your parcel has arrived."}
DERIVED = internal.write(
    internal.Derived(id="news~1", origin="news", request={"channel": "sms", "metadata": {"a": "b"}})
)


def escaped(text: str) -> str:
    """A JSON string in which each character is an escape."""
    return '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"'


def written(fields: list[tuple[str, object]], *, escapes: bool) -> bytes:
    """A JSON object with its names in this order, also where one stands twice."""
    name_of = escaped if escapes else json.dumps
    return ("{" + ",".join(f"{name_of(name)}:{json.dumps(value)}" for name, value in fields) + "}").encode()


@pytest.mark.parametrize("name", ['"f\\u0061llback"', '"\\u0066allback"', '"fallback"'])
def test_a_fallback_is_found_however_its_name_is_written(name: str) -> None:
    message = a_message(fallback=FALLBACK).replace(b'"fallback"', name.encode())
    assert names_fallback(message)
    assert reread(message).fallback is not None


@pytest.mark.parametrize(
    "message", [a_message(body='"fallback"'), a_message(fallback=None), b"", b"[]", b"\xff", DERIVED]
)
def test_a_request_without_a_fallback_has_none(message: bytes) -> None:
    assert not names_fallback(message)


def test_of_a_derived_request_the_fields_are_those_of_the_request_and_the_id_its_own() -> None:
    found = (id_of(DERIVED), channel_of(DERIVED), metadata_of(DERIVED), origin_of(DERIVED))
    assert found == ("news~1", "sms", {"a": "b"}, "news")


wrong: list[object] = [5, None, "x", [], {"a": 1}]
wrong_first = st.lists(
    st.tuples(st.sampled_from(["id", "channel", "metadata", "fallback"]), st.sampled_from(wrong)),
    max_size=4,
)


@given(before=wrong_first, base=st.sampled_from([TEXT, CALL]), escapes=st.booleans(), fallback=st.booleans())
def test_whatever_decode_reads_every_other_reader_reads(
    before: list[tuple[str, object]],
    base: dict[str, str],
    escapes: bool,  # noqa: FBT001 - of Hypothesis
    fallback: bool,  # noqa: FBT001 - of Hypothesis
) -> None:
    fields = [*before, *base.items(), ("metadata", {"a": "b"}), ("fallback", FALLBACK if fallback else None)]
    message = written(fields, escapes=escapes)
    request = decode(message, RULES).request
    assert (id_of(message), channel_of(message)) == (request.id, request.channel)
    assert metadata_of(message) == request.metadata
    assert names_fallback(message) == (request.fallback is not None) == fallback
    assert decode(written([*base.items(), *fields], escapes=not escapes), RULES) == decode(message, RULES)


@pytest.mark.parametrize(
    "message",
    [
        b"\xef\xbb\xbf" + a_message(),
        a_message()[:-1] + b',"data":{"x":NaN}}',
        a_message()[:-1] + b',"data":{"x":1e999}}',
        a_message()[:-1] + b',"data":{"x":' + b"9" * 5000 + b"}}",
        a_message(body="half a character: \ud800"),
        a_message()[:-1] + b',"data":{"x":"\xed\xa0\x80"}}',
        a_message()[:-1] + b',"data":{"x":' + b"[" * 2000 + b"]" * 2000 + b"}}",
        a_message() + b"\x00",
    ],
    ids=["BOM", "NaN", "infinite", "long number", "surrogate", "surrogate in UTF-8", "deep", "more"],
)
def test_what_is_no_json_for_one_reader_is_none_for_all(message: bytes) -> None:
    with pytest.raises(RequestInvalid):
        decode(message, RULES)
    assert isinstance(asked(message), dict)
