"""Which addresses are one person's, and which are not."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.spellings import person, spellings

PAIRS = [
    ("+525512345678", "+5215512345678"),
    ("+5531988887777", "+553188887777"),
    ("+5511999998888", "+551199998888"),
    ("+541123456789", "+5491123456789"),
    ("+543514567890", "+5493514567890"),
]
"""the canonical form of a phone's number, and its other spelling"""

prefixes = st.sampled_from(["", "whatsapp:", "rcs:"])
mexican = st.from_regex(r"\A[2-9][0-9]{9}\Z").map(lambda rest: (f"+52{rest}", f"+521{rest}"))
brazilian = st.from_regex(r"\A[1-9]{2}[6-9][0-9]{7}\Z").map(lambda rest: (f"+55{rest[:2]}9{rest[2:]}", f"+55{rest}"))
argentine = st.from_regex(r"\A[1-3][0-9]{9}\Z").map(lambda rest: (f"+54{rest}", f"+549{rest}"))
two_spellings = mexican | brazilian | argentine
numbers = st.from_regex(r"\A\+[1-9][0-9]{1,14}\Z")
numbers_of_these = st.from_regex(r"\A\+5[245][0-9]{9,12}\Z")
addresses = st.builds(str.__add__, prefixes, numbers | numbers_of_these | two_spellings.flatmap(st.sampled_from))


@pytest.mark.parametrize("prefix", ["", "whatsapp:"])
@pytest.mark.parametrize(("canonical", "other"), PAIRS)
def test_both_spellings_of_a_phone_are_one_person(canonical: str, other: str, prefix: str) -> None:
    assert person(prefix + other) == person(prefix + canonical) == prefix + canonical
    assert spellings(prefix + other) == spellings(prefix + canonical) == (prefix + canonical, prefix + other)


@given(two_spellings, prefixes)
def test_every_spelling_of_a_phone_is_one_person(pair: tuple[str, str], prefix: str) -> None:
    canonical, other = pair
    assert person(prefix + canonical) == person(prefix + other)


@given(addresses | st.text(max_size=30))
def test_the_canonical_form_is_its_own_and_the_first_of_the_spellings(address: str) -> None:
    canonical = person(address)
    assert person(canonical) == canonical
    assert spellings(address)[0] == canonical
    assert address in spellings(address)
    assert len(set(spellings(address))) == len(spellings(address))
    assert {person(spelling) for spelling in spellings(address)} == {canonical}


@given(addresses, addresses)
def test_two_addresses_are_one_person_only_if_one_is_a_spelling_of_the_other(one: str, other: str) -> None:
    is_one = person(one) == person(other)
    bare, other_bare = one.removeprefix("rcs:"), other.removeprefix("rcs:")
    assert is_one == (other_bare in spellings(bare))


@given(numbers_of_these | two_spellings.flatmap(st.sampled_from), st.integers(0, 14), st.sampled_from("0123456789"))
def test_two_phones_are_never_one_person(number: str, place: int, digit: str) -> None:
    """A number with one digit more is another phone, but for the digits that are no part of a subscriber's number."""
    at = 1 + min(place, len(number) - 1)
    longer = number[:at] + digit + number[at:]
    is_mexicos_1 = re.fullmatch(r"\+521[2-9][0-9]{9}", longer) and longer == "+521" + number[3:]
    is_argentinas_9 = re.fullmatch(r"\+549[1-3][0-9]{9}", longer) and longer == "+549" + number[3:]
    is_brazils_9 = re.fullmatch(r"\+55[1-9]{2}9[6-9][0-9]{7}", longer) and longer == number[:5] + "9" + number[5:]
    assert (person(longer) == person(number)) == bool(is_mexicos_1 or is_argentinas_9 or is_brazils_9)
    replaced = number[:at] + digit + number[at + 1 :]
    assert (person(replaced) == person(number)) == (replaced == number), "another digit is another phone"


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("+551133334444", "+5511933334444", "a landline of São Paulo, and a mobile phone"),
        ("+551155554444", "+5511955554444", "a landline that begins with 5"),
        ("+5531988887777", "+5532988887777", "another area"),
        ("+525512345678", "+525512345679", "another subscriber"),
        ("+5215512345678", "whatsapp:+5215512345678", "WhatsApp is another way, with a consent of its own"),
        ("+12155512345", "+2155512345", "other countries have one spelling"),
        ("+14155550100", "+114155550100", "no 1 too many"),
        ("+558001234567", "+5580091234567", "a free number"),
    ],
)
def test_other_phones_are_other_persons(one: str, other: str, why: str) -> None:
    assert person(one) != person(other), why


def test_a_text_over_rcs_is_of_the_phone_that_texts_go_to() -> None:
    assert person("rcs:+14155550100") == "+14155550100"
    assert spellings("rcs:+14155550100") == ("+14155550100", "rcs:+14155550100")
    assert spellings("+14155550100") == ("+14155550100",)
    assert spellings("rcs:+5215512345678") == (
        "+525512345678",
        "+5215512345678",
        "rcs:+525512345678",
        "rcs:+5215512345678",
    )


@pytest.mark.parametrize(
    "address", ["", "12345", "ACME", "client:+5215512345678", "rcs:acme_agent", "messenger:12345", "whatsapp:MX.521551"]
)
def test_what_is_no_number_is_its_own_person(address: str) -> None:
    assert spellings(address) == (address,)


@pytest.mark.parametrize(("canonical", "other"), PAIRS)
def test_the_canonical_form_is_a_number_that_the_library_knows(canonical: str, other: str) -> None:
    assert phonenumbers.is_valid_number(phonenumbers.parse(canonical)), other
