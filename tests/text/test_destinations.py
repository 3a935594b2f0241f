import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.destinations import Destinations, DestinationsInvalid
from shared.text.numbers import CLIENT, E164

e164 = st.from_regex(E164, fullmatch=True)
clients = st.from_regex(CLIENT, fullmatch=True)


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        ("+4930123456", ["+4930123456"], ["+49301234567", "+493012345", "client:+4930123456"]),
        ("+49*", ["+4930123456", "+49151234567"], ["+436601234567", "+1", "client:anna", ""]),
        ("+4930*, +1415*", ["+4930123456", "+14155550100"], ["+4940123456", "+12125550100"]),
        ("+*", ["+4930123456", "+14155550100"], ["client:anna", "911"]),
        ("client:*", ["client:anna"], ["+4930123456", "sip:a@b", "clientanna"]),
        ("client:sales_*\nclient:bob", ["client:sales_1", "client:bob"], ["client:anna", "client:bobby"]),
    ],
)
def test_a_destination_is_in_a_list_that_names_it_or_its_beginning(
    written: str, inside: list[str], outside: list[str]
) -> None:
    destinations = Destinations.parse(written)
    assert [address for address in inside + outside if address in destinations] == inside


@pytest.mark.parametrize(
    "written", ["*", "49*", "+0*", "0900*", "sip:*", "sip:a@b", "client:", "client:<a>", "+49**", "+4 9*x", "-"]
)
def test_what_is_no_destination_is_refused_and_not_shown(written: str) -> None:
    with pytest.raises(DestinationsInvalid, match=r"got another text in place 2") as caught:
        Destinations.parse(f"+4930123456 {written}")
    assert "30123456" not in str(caught.value)


@given(listed=st.lists(e164 | clients), asked=e164 | clients)
def test_without_beginnings_nothing_but_what_is_listed_is_in(listed: list[str], asked: str) -> None:
    assert (asked in Destinations.parse(", ".join(listed))) == (asked in listed)
