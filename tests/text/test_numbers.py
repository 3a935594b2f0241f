import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.numbers import (
    E164,
    NumberInvalid,
    as_sender,
    cleaned,
    costs_more,
    country,
    is_ordinary,
    mask,
    recipient,
    searchable,
    sender,
    to_e164,
)
from shared.text.spellings import person
from tests.fakes import SERVICE_SID

e164 = st.from_regex(E164, fullmatch=True)
USER = "whatsapp:US.13491208655302741918"
PAGE = "messenger:103800709108123"
PASTED = [
    " +14155550100",
    "+14155550100\u200b",
    "\u202a+14155550100\u202c",
    "\u2066+14155550100\u2069",
    "+1\u202f415\u202f555\u202f0100",
    "+1\u2009415\u3000555\u00a00100",
    "\ufeff+1\u00ad4155550100\u200e",
]
"""one number as other programs have it copied"""
invisible = st.text(st.characters(categories=["Zs", "Cf"]), max_size=3)


@pytest.mark.parametrize(
    "written",
    ["+14155550100", "+1 415 555 0100", "+1 (415) 555-0100", "+1.415.555.0100", "+1\u00a0415\u2011555\u20110100"],
)
def test_a_number_with_its_country_is_brought_to_e164_however_it_is_written(written: str) -> None:
    assert to_e164(written, region=None) == "+14155550100"


def test_a_national_number_is_understood_in_its_region() -> None:
    assert to_e164("0151 23456789", region="DE") == "+4915123456789"


def test_a_number_with_plus_keeps_its_country_whatever_the_region_is() -> None:
    assert to_e164("+14155550100", region="DE") == "+14155550100"


def test_a_national_number_is_refused_where_no_region_is_set() -> None:
    with pytest.raises(NumberInvalid, match="DEFAULT_REGION"):
        to_e164("4155550100", region=None)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "+",
        "+1",
        "+123",
        "+0123456789",
        "+99912345678",
        "+1415555010012345",
        "+14155550100 ext 5",
        "+14155550100;ext=5",
        "+1415555O100",
        "+1800FLOWERS",
        "+4915123456O78",
        "+14155550100 or +14155550101",
        "call 415 555 0100",
        "tel:+14155550100",
        "+14155550100\n",
        "\u0000",
        "0" * 300,
        "client:+14155550100",
        "whatsapp:+14155550100",
    ],
)
@pytest.mark.parametrize("region", [None, "US"])
def test_what_is_no_number_is_refused(written: str, region: str | None) -> None:
    with pytest.raises(NumberInvalid):
        to_e164(written, region=region)


def _refusal_of(written: str, region: str | None) -> NumberInvalid:
    with pytest.raises(NumberInvalid) as caught:
        to_e164(written, region=region)
    return caught.value


@given(st.text(max_size=40), st.sampled_from([None, "US", "DE", "IT"]))
def test_whatever_is_written_the_answer_is_e164_or_a_refusal_that_does_not_repeat_it(
    written: str, region: str | None
) -> None:
    try:
        number = to_e164(written, region=region)
    except NumberInvalid as exc:
        number, refusal = None, str(exc)
    else:
        refusal = ""
    assert number is None or (E164.fullmatch(number) and to_e164(number, region=None) == number)
    words = {str(_refusal_of(other, region)) for other in ("!", "+1", "+0")}
    assert len(written) < 10 or written not in refusal or refusal in words, "these words hold nothing that was written"


@pytest.mark.parametrize("written", PASTED)
@pytest.mark.parametrize("region", [None, "US"])
def test_what_was_copied_along_with_a_number_is_dropped(written: str, region: str | None) -> None:
    assert to_e164(written, region=region) == "+14155550100"
    assert recipient(f"whatsapp:{written}", channel="sms", region=region) == "whatsapp:+14155550100"
    assert sender(written, channel="sms", region=region) == "+14155550100"
    assert searchable(written, region=region) == "+14155550100"


@given(st.lists(st.tuples(st.sampled_from("+0123456789"), invisible), max_size=15))
def test_white_space_and_format_characters_are_dropped_and_nothing_else(written: list[tuple[str, str]]) -> None:
    assert cleaned("".join(map("".join, written))) == "".join(character for character, _ in written)


@pytest.mark.parametrize("other", ["\n", "\t", "\x00", "x"])
def test_other_characters_are_not_dropped(other: str) -> None:
    assert cleaned(f"+1415{other}5550100") == f"+1415{other}5550100"


@pytest.mark.parametrize(
    "number", ["+5215512345678", "+525512345678", "+553188887777", "+5531988887777", "+541123456789", "+5491123456789"]
)
@pytest.mark.parametrize("prefix", ["", "whatsapp:", "rcs:"])
def test_every_spelling_is_taken_as_it_is_written_and_has_its_country(number: str, prefix: str) -> None:
    address = prefix + number
    assert recipient(address, channel="sms", region=None) == address
    assert prefix == "rcs:" or sender(address, channel="sms", region=None) == address
    assert searchable(address, region=None) == address
    assert country(address) == {"52": "MX", "54": "AR", "55": "BR"}[number[1:3]]
    assert is_ordinary(number)
    assert is_ordinary(address) == (not prefix)
    assert not costs_more(address)


@given(e164)
def test_a_number_is_possible_if_another_spelling_of_it_is(number: str) -> None:
    def is_taken(spelling: str) -> bool:
        try:
            return to_e164(spelling, region=None) == spelling
        except NumberInvalid:
            return False

    assert is_taken(number) or not is_taken(person(number)) or number.startswith("+540")


@pytest.mark.parametrize("to", [USER, "whatsapp:US.1234", "whatsapp:US.ENT.11815799212886844830", PAGE, "messenger:1"])
def test_a_user_without_a_number_is_a_recipient_of_messages(to: str) -> None:
    assert recipient(f" {to}\u200b", channel="sms", region=None) == to
    assert searchable(to, region=None) == to


def test_a_number_over_rcs_is_a_recipient_of_messages() -> None:
    assert recipient("rcs:+1 415 555 0100", channel="sms", region=None) == "rcs:+14155550100"
    assert recipient("rcs:(415) 555-0100", channel="sms", region="US") == "rcs:+14155550100"


@pytest.mark.parametrize("to", [USER, PAGE, "rcs:+14155550100", "whatsapp:+14155550100"])
def test_an_address_of_messages_is_refused_for_a_call_in_so_many_words(to: str) -> None:
    with pytest.raises(NumberInvalid, match="for messages"):
        recipient(to, channel="call", region="US")


def test_a_whatsapp_recipient_keeps_its_prefix() -> None:
    assert recipient("whatsapp:+1 415 555 0100", channel="sms", region=None) == "whatsapp:+14155550100"


def test_a_client_may_be_called() -> None:
    assert recipient("client:alice_1.b@c", channel="call", region=None) == "client:alice_1.b@c"


@pytest.mark.parametrize("region", [None, "US"])
@pytest.mark.parametrize(
    ("to", "channel"),
    [
        ("whatsapp:+14155550100", "call"),
        ("whatsapp:whatsapp:+14155550100", "sms"),
        ("whatsapp:", "sms"),
        ("client:alice", "sms"),
        ("client:+14155550100", "sms"),
        ("client:", "call"),
        ("client:a b", "call"),
        ("client:" + "a" * 121, "call"),
        (SERVICE_SID, "sms"),
        ("ACME", "sms"),
        ("whatsapp:us.1234", "sms"),
        ("whatsapp:USA.1234", "sms"),
        ("whatsapp:US.", "sms"),
        ("whatsapp:US.12-34", "sms"),
        ("whatsapp:US." + "1" * 129, "sms"),
        ("whatsapp:US.1.2", "sms"),
        ("US.1234", "sms"),
        ("rcs:acme_agent", "sms"),
        ("rcs:US.1234", "sms"),
        ("messenger:", "sms"),
        ("messenger:1 or 2/3", "sms"),
        ("sip:a@example.com", "sms"),
    ],
)
def test_a_recipient_of_another_kind_is_refused(to: str, channel: str, region: str | None) -> None:
    with pytest.raises(NumberInvalid):
        recipient(to, channel=channel, region=region)


@pytest.mark.parametrize(
    "from_",
    [SERVICE_SID, "12345", "ACME Inc", "A  B", "+14155550199", "whatsapp:+14155550199", "rcs:acme_agent", PAGE],
)
def test_a_text_comes_from_a_number_a_service_a_short_code_or_a_name(from_: str) -> None:
    assert sender(from_, channel="sms", region=None) == from_


@pytest.mark.parametrize("from_", [SERVICE_SID, "12345", "ACME", "whatsapp:+14155550199", "rcs:acme_agent", PAGE])
def test_a_call_comes_from_none_of_the_senders_of_texts(from_: str) -> None:
    with pytest.raises(NumberInvalid):
        sender(from_, channel="call", region=None)


@pytest.mark.parametrize("from_", ["Zeus The Mighty", "ACME Incorporated", "ACME!", "MG123;", "Größe"])
def test_what_is_meant_as_a_name_is_told_the_rule_of_names(from_: str) -> None:
    with pytest.raises(NumberInvalid, match=r"at most 11 letters.*https://www\.twilio\.com"):
        sender(from_, channel="sms", region=None)


@pytest.mark.parametrize("from_", [" ACME\u00a0Inc", "ACME\u200b Inc", "\u202aACME Inc\u202c"])
def test_a_name_loses_what_was_copied_along_with_it_and_keeps_its_spaces(from_: str) -> None:
    assert sender(from_, channel="sms", region=None) == "ACME Inc"


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("+14155550100", "+15005550006"),
        ("whatsapp:+14155550100", "whatsapp:+15005550006"),
        (USER, "whatsapp:+15005550006"),
        ("rcs:+14155550100", None),
        (PAGE, None),
    ],
)
def test_an_own_number_writes_to_phones_and_to_whatsapp_only(to: str, expected: str | None) -> None:
    assert as_sender("+15005550006", to=to) == expected


@pytest.mark.parametrize("from_", ["", "12", "whatsapp:US.1234", "whatsapp:ACME"])
def test_a_sender_of_no_known_form_is_refused(from_: str) -> None:
    with pytest.raises(NumberInvalid):
        sender(from_, channel="sms", region=None)


def test_a_national_sender_is_brought_to_e164() -> None:
    assert sender("(415) 555-0199", channel="call", region="US") == "+14155550199"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("+14155550100", "US"),
        ("+14165550100", "CA"),
        ("+12425550100", "BS"),
        ("+18765550100", "JM"),
        ("+18095550100", "DO"),
        ("+4915123456789", "DE"),
        ("+390612345678", "IT"),
        ("+77011234567", "KZ"),
        ("whatsapp:+4915123456789", "DE"),
        ("+80012345678", None),
        ("+882123456789", None),
        ("+870123456789", None),
        ("+99912345678", None),
        ("+18612345678", "US"),
        ("+16242345678", "US"),
        ("+16212345678", "US"),
        ("+19242345678", "US"),
        ("+14362345678", "US"),
        ("whatsapp:+18612345678", "US"),
        ("+13332345678", None),
        ("+18611345678", None),
        ("+18619115678", None),
        ("+186123456789", None),
        ("+553188887777", "BR"),
        ("client:alice", None),
        ("rcs:+4915123456789", "DE"),
        ("whatsapp:US.1234", "US"),
        ("whatsapp:DE.ENT.1234", "DE"),
        ("whatsapp:XX.1234", None),
        ("messenger:103800709108123", None),
        ("", None),
    ],
)
def test_the_country_of_a_number_is_its_own_and_not_that_of_its_code(address: str, expected: str | None) -> None:
    assert country(address) == expected


@given(e164)
def test_every_number_has_a_country_or_none(number: str) -> None:
    found = country(number)
    assert found is None or re.fullmatch("[A-Z]{2}", found)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+1 415 555 0100", "+14155550100"),
        ("(415) 555-0100", "+14155550100"),
        ("whatsapp:415 555 0100", "whatsapp:+14155550100"),
        ("client:alice", "client:alice"),
        ("sip:alice@example.com", "sip:alice@example.com"),
        ("rcs:acme_agent", "rcs:acme_agent"),
        ("12345", "12345"),
        ("011 49 30 123456", "+4930123456"),
    ],
)
def test_a_search_finds_a_number_however_it_is_written(written: str, expected: str) -> None:
    assert searchable(written, region="US") == expected


@pytest.mark.parametrize("written", ["4155550100", "0014155550100", "hello", "", "+1", "it's no number", "tel:+1415"])
def test_a_search_for_what_no_delivery_can_have_is_refused(written: str) -> None:
    with pytest.raises(NumberInvalid):
        searchable(written, region=None)


def test_a_short_code_is_looked_for_as_a_number_of_the_region_first() -> None:
    assert searchable("22334455", region="NO") == "+4722334455"
    assert searchable("22334455", region=None) == "22334455"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ("+14155550100", "+141…00"),
        ("whatsapp:+14155550100", "whatsapp:+141…00"),
        ("client:bob", "client:…"),
        ("rcs:+14155550100", "rcs:+141…00"),
        ("whatsapp:US.13491208655302741918", "whatsapp:US.13…18"),
        ("whatsapp:US.1234", "whatsapp:U…34"),
        ("messenger:103800709108123", "messenger:10380…23"),
        ("+1234567", "+1…67"),
        ("12345", "…"),
        ("+14155550100:1", "+1415…:1"),
    ],
)
def test_a_mask_shows_enough_to_recognize_an_address(address: str | None, shown: str) -> None:
    assert mask(address) == shown


@given(e164, st.sampled_from(["", "whatsapp:", "client:", "x:", "client:whatsapp:"]), st.sampled_from(["", ":", ":1"]))
def test_a_mask_never_shows_a_whole_number(number: str, prefix: str, suffix: str) -> None:
    shown = mask(prefix + number + suffix)
    assert number not in shown
    assert len(re.sub(r"\D", "", shown)) <= 6 + len(suffix)
    assert 2 * len(mask(number).replace("…", "")) <= len(number), "nor more than half of it"


@given(st.text(min_size=9, max_size=200))
def test_a_mask_never_shows_a_whole_text(text: str) -> None:
    assert text not in mask(text)
    assert len(mask(text)) <= len("messenger:") + 8


@pytest.mark.parametrize(
    "number", ["+14155550100", "+4930123456", "+4915123456789", "+442079460000", "+18005550199", "+18612345678"]
)
def test_an_ordinary_number_is_one(number: str) -> None:
    assert is_ordinary(number)


@pytest.mark.parametrize(
    ("number", "what"),
    [
        ("+19005551234", "premium"),
        ("+447012345678", "personal, which costs what its owner likes"),
        ("+49112", "an emergency"),
        ("+1911", "an emergency"),
        ("+4412345", "too short"),
        ("+8835100012345", "of no country, and unknown"),
        ("+883510001234567", "of no country"),
        ("+88213300655", "of no country"),
        ("+881612345678", "of a satellite"),
        ("+870773123456", "of a satellite"),
        ("112", "no number with a country"),
        ("client:anna", "no number"),
        ("", "nothing"),
    ],
)
def test_what_costs_more_or_is_no_number_is_no_ordinary_one(number: str, what: str) -> None:
    assert not is_ordinary(number), what
