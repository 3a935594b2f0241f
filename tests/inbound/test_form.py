"""The form that Twilio posts: SIDs in one form, everything else as it came."""

import pytest

from shared.inbound.form import Form

SID = "SM" + "0123456789abcdef" * 2


@pytest.mark.parametrize("name", ["MessageSid", "CallSid", "ParentCallSid", "MessagingServiceSid", "AccountSid"])
@pytest.mark.parametrize("told", [SID, SID.upper(), "SM" + "0123456789aBcDeF" * 2])
def test_a_sid_has_one_form_whatever_the_case_of_its_digits(name: str, told: str) -> None:
    form = Form([(name, told)])
    assert form.get(name) == form.sid(name) == form.first_values()[name] == SID
    assert form.as_dict() == {name: told}
    assert form.getall(name) == [told], "the signature covers what came"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Body", SID.upper()),
        ("From", SID.upper()),
        ("MessageSid", SID.upper() + "0"),
        ("MessageSid", "SM" + "X" * 32),
        ("MessageSid", "Hello"),
        ("CallSid", ""),
    ],
)
def test_what_is_no_sid_stays_as_it_came(name: str, value: str) -> None:
    form = Form([(name, value)])
    assert form.get(name) == (value or None)
    assert form.first_values() == {name: value}
