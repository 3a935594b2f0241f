import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.numbers import E164, NumberInvalid, country, is_ordinary, mask, recipient, searchable, sender, to_e164
from tests.fakes import SERVICE_SID

e164 = st.from_regex(E164, fullmatch=True)


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
    assert len(written) < 10 or written not in refusal


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
    ],
)
def test_a_recipient_of_another_kind_is_refused(to: str, channel: str, region: str | None) -> None:
    with pytest.raises(NumberInvalid):
        recipient(to, channel=channel, region=region)


@pytest.mark.parametrize("from_", [SERVICE_SID, "12345", "ACME Inc", "+14155550199", "whatsapp:+14155550199"])
def test_a_text_comes_from_a_number_a_service_a_short_code_or_a_name(from_: str) -> None:
    assert sender(from_, channel="sms", region=None) == from_


@pytest.mark.parametrize("from_", [SERVICE_SID, "12345", "ACME", "whatsapp:+14155550199"])
def test_a_call_comes_from_none_of_the_senders_of_texts(from_: str) -> None:
    with pytest.raises(NumberInvalid):
        sender(from_, channel="call", region=None)


@pytest.mark.parametrize("from_", ["ACME Incorporated", "", "12", "MG123;", "ACME!"])
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
        ("it's no number", "it's no number"),
    ],
)
def test_a_search_finds_a_number_however_it_is_written(written: str, expected: str) -> None:
    assert searchable(written, region="US") == expected


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (None, "-"),
        ("", "-"),
        ("+14155550100", "+141…00"),
        ("whatsapp:+14155550100", "whatsapp:+141…00"),
        ("client:bob", "client:…"),
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
    assert len(mask(text)) <= len("whatsapp:") + 8


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
