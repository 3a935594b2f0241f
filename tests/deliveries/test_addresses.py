"""What addresses can be read in a message, also in one that can't be used."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries import addresses, status
from shared.deliveries.addresses import Addresses
from tests.deliveries.samples import a_delivery

ALICE, BOB = "+14155550100", "+14155550101"


def read(message: Any, region: str | None = None) -> Addresses:  # noqa: ANN401 - any JSON
    return addresses.read(message if isinstance(message, bytes) else json.dumps(message).encode(), region=region)


def a_refused_message(request: bytes, **more: object) -> Any:  # noqa: ANN401 - a delivery
    plain = a_delivery(status=status.REJECTED, to=None, from_=None, request=request, request_hash=None)
    return msgspec.structs.replace(plain, **more)


@pytest.mark.parametrize(
    ("written", "region", "expected"),
    [
        (ALICE, None, ALICE),
        ("+1 (415) 555-0100", None, ALICE),
        (f" {ALICE} ", None, ALICE),
        ("415 555 0100", "US", ALICE),
        ("14155550100", None, ALICE),
        ("0014155550100", None, ALICE),
        ("001 415 555 0100", None, ALICE),
        (f"whatsapp:{ALICE}", None, f"whatsapp:{ALICE}"),
        ("whatsapp:14155550100", None, f"whatsapp:{ALICE}"),
        ("whatsapp:US.1234", None, "whatsapp:US.1234"),
        ("client:alice", None, "client:alice"),
        ("\u202awhatsapp:+1\u202f4155550100\u202c", None, f"whatsapp:{ALICE}"),
        ("messenger:4711\u200b", None, "messenger:4711"),
        (f"tel:{ALICE}", None, ALICE),
        ("SMS:+1-415-555-0100", None, ALICE),
        (f"{ALICE} x12", None, ALICE),
        (14155550100, None, ALICE),
        ([ALICE], None, ALICE),
        ([14155550100, None, True, {"a": 1}], None, ALICE),
        (-14155550100, None, None),
        ("12", None, None),
        ("hello", None, None),
        ("", None, None),
        ("+1415555010012345678", None, None),
    ],
)
def test_a_recipient_is_read_in_each_form_in_which_producers_write_it(
    written: object, region: str | None, expected: str | None
) -> None:
    found = read({"to": written}, region)
    assert (found.to, found.all) == (expected, (expected,) if expected else ())


def test_a_whole_number_of_thousands_of_digits_is_no_address() -> None:
    assert read(b'{"to": 1' + b"0" * 5000 + b"}") == Addresses()


def test_every_recipient_and_sender_is_read_at_any_depth() -> None:
    request = {"to": ALICE, "from": "+14155550199", "fallback": {"to": f"whatsapp:{BOB}", "fallback": {"to": 5}}}
    found = read(request)
    assert found == Addresses(ALICE, "+14155550199", (ALICE, "+14155550199", f"whatsapp:{BOB}"))
    derived = read({"switchboard": "derived", "id": "a~2", "origin": "a", "request": request})
    assert set(derived.all) == set(found.all)
    assert derived.to == ALICE


def test_values_that_only_look_like_ends_are_not_read() -> None:
    dates = {"from": "2026-10-01", "to": "2026-10-05"}
    message = {"to": ALICE, "data": dates, "metadata": dates, "content_variables": dates, "fallback": {"data": dates}}
    assert read(message, "US").all == (ALICE,)


@pytest.mark.parametrize(
    "message",
    [
        b'{"id": "order-1", "to": "+14155550100"',
        b"{'to': '+14155550100'}",
        b'{"to": "+1 415 555 0100",}',
        b"\xff\xfe to=+14155550100",
        "to=\u202a+1\u202f415\u202f555\u202f0100\u202c".encode(),
    ],
)
def test_a_message_that_is_no_json_is_searched_for_numbers(message: bytes) -> None:
    assert read(message).all == (ALICE,)


def test_not_more_than_twenty_addresses_of_a_message_are_read() -> None:
    assert len(read([{"to": f"+1415555{n:04}"} for n in range(100, 200)]).all) == 20


@given(st.binary(max_size=200), st.sampled_from([None, "US", "AT"]))
def test_whatever_a_message_holds_it_is_read(message: bytes, region: str | None) -> None:
    assert len(read(message, region).all) <= 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["to", "from", "x"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(JSON)
def test_any_document_is_read_and_what_is_read_first_is_among_all(document: Any) -> None:  # noqa: ANN401 - any JSON
    found = read(document)
    assert {found.to, found.from_} - {None} <= {*found.all}


def test_a_deliverys_addresses_are_its_ends_and_those_that_were_read_in_it() -> None:
    assert addresses.of_delivery(a_delivery(), region=None).all == (ALICE, "+14155550199")
    refused = a_refused_message(b"{}", to=ALICE, mentions=(BOB,))
    assert addresses.of_delivery(refused, region=None).all == (ALICE, BOB)


def test_a_rejected_message_of_an_earlier_version_is_read_again() -> None:
    refused = a_refused_message(b'{"to": "415 555 0100"}')
    assert addresses.of_delivery(refused, region="US").all == (ALICE,)
    assert addresses.of_delivery(refused, region=None).all == (), "ten digits are no number of any country"
    erased = msgspec.structs.replace(refused, request=None)
    assert addresses.of_delivery(erased, region="US").all == ()


def test_a_rejected_message_may_be_for_every_address_in_it_but_its_sender() -> None:
    found = read({"to": ALICE, "from": "+14155550199", "fallback": {"to": BOB}})
    assert (found.recipients, found.senders) == ({ALICE, BOB}, {"+14155550199"})
    told = read(b'{"to": "+14155550100"')
    assert told.recipients == told.senders == {ALICE}
    assert read({"to": ALICE}).senders == set()
