"""Which addresses ALLOWED_COUNTRIES refuses, however they are spelled."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.numbers import country
from shared.text.tolls import Countries, NotAllowed, check_literal, check_recipient, check_value

US = frozenset({"US"})
LONDON = "442079460000"
PREMIUM = "+19005551234"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"+{LONDON}", "one of GB"),
        (f"sip:+{LONDON}@gw.example.com", "one of GB"),
        (f"sips:+{LONDON}@gw.example.com", "one of GB"),
        (f"sip:00{LONDON}@gw.example.com", "one of GB"),
        (f"sip:011{LONDON}@gw.example.com", "one of GB"),
        (f"sip:{LONDON}@gw.example.com", "one of GB"),
        (f"sip:{LONDON}@gw.example.com;user=phone", "one of GB"),
        (f"sip:{LONDON}@gw.example.com;USER=PHONE", "one of GB"),
        (f"sip:%2B{LONDON}@gw.example.com", "one of GB"),
        (f"sip:%2b{LONDON}@gw.example.com", "one of GB"),
        ("sip:%30%30%34%342079460000@gw.example.com", "one of GB"),
        ("sip:+44-20-7946.0000@gw.example.com", "one of GB"),
        ("sip:+44(20)79460000@gw.example.com", "one of GB"),
        ("sip:+44%2020%207946%200000@gw.example.com", "one of GB"),
        ("sip:18765550100@gw.example.com", "one of JM"),
        ("sip:4155550100@gw.example.com", "one of CH"),
        (f"sip:+00{LONDON}@gw.example.com", "not known"),
        (f"sip:%252B{LONDON}@gw.example.com", "SIP address"),
        (f"sip:*67{LONDON}@gw.example.com", "SIP address"),
        (f"sip:14155550100%2C{LONDON}@gw.example.com", "SIP address"),
        (f"sip:14155550100%40{LONDON}@gw.example.com", "SIP address"),
        (f"sip:14155550100%3Brn=+{LONDON}@gw.example.com", "SIP address"),
        (f"sip:tel{LONDON}@gw.example.com", "SIP address"),
        ("sip:2079460000%3Bphone-context=+44@gw.example.com", "SIP address"),
        ("sip:2079460000@gw.example.com;phone-context=+44", "SIP address"),
        ("sip:anna@gw.example.com;maddr=192.0.2.1", "SIP address"),
        ("sip:14155550100@gw.example.com;user=phone;maddr=192.0.2.1", "SIP address"),
        ("sip:anna@gw.example.com;user=phone", "SIP address"),
        ("sip:+44FLOWERS@gw.example.com", "SIP address"),
        ("sip:%EF%BC%94%EF%BC%942079460000@gw.example.com", "SIP address"),
        ("sip:anna@gw@example.com", "SIP address"),
        ("sip:100@gw.example.com;user=phone", "not known"),
        (f"sip:0{LONDON}@gw.example.com", "not known"),
        (f"sip:9011{LONDON}@gw.example.com", "not known"),
        (PREMIUM, "premium"),
        ("sip:19005551234@gw.example.com", "premium"),
        (f"{PREMIUM}99", "premium"),
        ("+979123456789", "premium"),
        ("+881612345678", "not known"),
        ("+870773123456", "not known"),
        ("+80012345678", "not known"),
        ("+1911", "not known"),
        ("+15225550100", "ordinary"),
        ("", "not known"),
    ],
)
def test_a_value_that_leads_elsewhere_is_refused_without_showing_it(address: str, why: str) -> None:
    with pytest.raises(NotAllowed, match=why) as refused:
        check_value(address, US)
    assert not re.search(r"\d{4}", str(refused.value))


@pytest.mark.parametrize(
    "address",
    [
        "+14155550100",
        "+18005550199",
        "client:anna",
        "sip:+14155550100@gw.example.com",
        "sip:0014155550100@gw.example.com",
        "sip:01114155550100@gw.example.com",
        "sip:14155550100@gw.example.com;user=phone",
        "sip:%2B1-415-555-0100@gw.example.com;transport=tls;edge=ashburn",
        "sip:anna@example.com",
        "sip:anna.smith_2@example.com:5061;region=ie1",
        "sips:desk-4711@example.com",
        "sip:100@pbx.example.com",
        "sip:4711@pbx.example.com",
    ],
)
def test_a_value_of_an_allowed_country_a_name_and_an_extension_are_dialled(address: str) -> None:
    check_value(address, US)


@pytest.mark.parametrize("address", [f"+{LONDON}", "sip:*67@gw.example.com", "+881612345678", "+4412345"])
def test_without_the_setting_a_value_may_lead_anywhere(address: str) -> None:
    check_value(address, None)


@pytest.mark.parametrize(
    "address", [PREMIUM, "sip:+19005551234@gw.example.com", "+4990012345678", "+4918012345678", "+979123456789"]
)
def test_a_value_never_leads_to_a_premium_rate_number(address: str) -> None:
    with pytest.raises(NotAllowed, match="premium"):
        check_value(address, None)


@pytest.mark.parametrize("address", [PREMIUM, "sip:anna@example.com;maddr=192.0.2.1", "sip:020-79460000@example.com"])
def test_an_operators_own_target_is_theirs(address: str) -> None:
    check_literal(address, US)


@pytest.mark.parametrize("address", [f"+{LONDON}", f"sip:+{LONDON}@gw.example.com"])
def test_an_operators_own_target_is_of_an_allowed_country_all_the_same(address: str) -> None:
    with pytest.raises(NotAllowed, match="one of GB"):
        check_literal(address, US)
    check_literal(address, None)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"+{LONDON}", "one of GB"),
        (f"whatsapp:+{LONDON}", "one of GB"),
        (PREMIUM, "premium"),
        (f"{PREMIUM}9", "not known"),
        ("+881612345678", "not known"),
        ("+80012345678", "not known"),
    ],
)
def test_a_recipient_of_another_country_or_of_a_higher_cost_is_refused(address: str, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        check_recipient(address, US)
    check_recipient(address, None)


def test_a_number_that_nobody_knows_is_refused_in_so_many_words() -> None:
    with pytest.raises(NotAllowed, match="its country is not known"):
        check_recipient("+13332345678", US)


@pytest.mark.parametrize("check", [check_recipient, check_value, check_literal])
def test_a_new_area_code_counts_as_its_country(check: Callable[[str, Countries], None]) -> None:
    check("+18612345678", US)
    with pytest.raises(NotAllowed, match="one of US"):
        check("+18612345678", frozenset({"CA", "JM"}))


@pytest.mark.parametrize("address", ["+14155550100", "whatsapp:+14155550100", "client:anna", "+15005550006"])
def test_a_recipient_of_an_allowed_country_is_taken(address: str) -> None:
    check_recipient(address, US)


_ABROAD = st.sampled_from(["44", "49", "370", "371", "252", "1876", "1767", "882", "881", "7", "91", "1900", "979"])
_NUMBERS = st.builds("{}{}".format, _ABROAD, st.from_regex(r"[0-9]{4,10}", fullmatch=True)).filter(
    lambda digits: len(digits) <= 15
)
_WRAPPED = st.sampled_from(
    [
        "sip:{}@gw.example.com",
        "sips:{}@gw.example.com",
        "sip:{}@gw.example.com;user=phone",
        "sip:{}@gw.example.com;transport=tls;User=Phone",
        "sip:{}@gw.example.com:5060",
        "sip:{}%3Bext=1@gw.example.com",
        "sip:{};phone-context=+1@gw.example.com",
    ]
)


@st.composite
def _spelled(draw: st.DrawFn) -> str:
    """A number that is none of the US, as a SIP address spells it."""
    number = draw(_NUMBERS)
    written = ""
    for character in draw(st.sampled_from(["", "+", "00", "011"])) + number:
        written += draw(st.sampled_from(["", "", "", "-", ".", "(", ")", "%20"]))
        escaped = quote(character, safe="") if character == "+" else f"%{ord(character):02x}"
        written += escaped if draw(st.booleans()) else character
    return draw(_WRAPPED).format(written)


@given(_spelled())
def test_whatever_the_spelling_a_number_outside_the_allowed_countries_is_not_dialled(address: str) -> None:
    with pytest.raises(NotAllowed):
        check_value(address, US)


@given(st.text(alphabet="+0123456789%2Bb4-.()*#;=@:sipuerphonx ", max_size=40).map(lambda text: f"sip:{text}"))
def test_of_whatever_is_written_only_names_extensions_and_allowed_numbers_are_dialled(address: str) -> None:
    try:
        check_value(address, US)
    except NotAllowed:
        return
    digits = re.sub(r"\D", "", re.sub("%..", "", address.partition("@")[0]))
    assert len(digits) <= 6 or country("+" + re.sub("^(00|011)", "", digits)) == "US"
