"""Whom a call of a browser reaches, whatever it asks for."""

from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.numbers import CLIENT, E164, country
from shared.voice import browser
from shared.voice.twiml import check
from tests.fakes import FROM_NUMBER, make_settings

ANNA = "client:anna"
NUMBER = "+4930123456"
LISTED = {"CLIENT_MAY_CALL": "+49*, +1*, client:*", "ALLOWED_COUNTRIES": "DE,US"}
DONE = "https://switchboard.example/api/voice/client?part=done"


def begun(to: str, *, caller: str = ANNA, **env: str) -> tuple[ET.Element, dict[str, Any]]:
    """The document for a call that begins, and what is told of it."""
    form = {"From": caller, "To": to, "CallSid": "CA1"}
    answer = browser.answer("", form, make_settings(**(LISTED | env)))
    check(answer.twiml)
    return ET.fromstring(answer.twiml), dict(answer.happened)  # noqa: S314 - what our own app wrote


def problem(to: str, **more: str) -> str:
    """Why a call goes nowhere; who calls hears it."""
    document, happened = begun(to, **more)
    assert [(verb.tag, verb.text) for verb in document] == [("Say", browser.REFUSED), ("Hangup", None)]
    assert happened.pop("dial") == "refused"
    return str(happened.pop("problem"))


def test_a_number_of_the_list_is_called_from_the_apps_own_and_for_a_time() -> None:
    document, happened = begun(NUMBER, MAX_CALL_SECONDS="600")
    [dial] = document
    assert dial.attrib == {
        "action": DONE,
        "answerOnBridge": "true",
        "timeout": "30",
        "timeLimit": "600",
        "callerId": FROM_NUMBER,
    }
    assert [(noun.tag, noun.text) for noun in dial] == [("Number", NUMBER)]
    assert happened == {"dial": "number"}


def test_another_client_is_called_as_who_calls_it() -> None:
    document, happened = begun("client:bob")
    [[client]] = document
    assert client.findtext("Identity") == "bob"
    told = {each.get("name"): each.get("value") for each in client.iter("Parameter")}
    assert told == {"caller": ANNA, "delivery": "CA1"}
    assert document[0].get("callerId") is None
    assert happened == {"dial": "client"}


def test_without_a_list_only_other_clients_are_called() -> None:
    assert begun("client:bob", CLIENT_MAY_CALL="")[1] == {"dial": "client"}
    assert "may be dialled" in problem(NUMBER, CLIENT_MAY_CALL="")


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("", "E.164"),
        ("112", "E.164"),
        ("030 123456", "E.164"),
        ("+49-30-123456", "E.164"),
        (f"{NUMBER}\n", "E.164"),
        (f"{NUMBER},{NUMBER}", "E.164"),
        ("<Hangup/>", "E.164"),
        ("client:", "E.164"),
        ("client:<b>", "E.164"),
        ("sip:+4930123456@example.com", "sip"),
        ("whatsapp:+4930123456", "E.164"),
        ("+436601234567", "not one that may be dialled"),
        ("+12684601234", "ALLOWED_COUNTRIES, got one of AG"),
        ("+19005551234", "ordinary"),
        ("+49112", "ordinary"),
    ],
)
def test_whoever_may_not_be_called_is_not(to: str, why: str) -> None:
    told = problem(to)
    assert why in told
    assert not to or to not in told


@pytest.mark.parametrize("to", ["+881612345678", "+870773123456", "+19005551234", "+447012345678"])
def test_what_costs_more_is_not_called_though_the_list_is_of_everybody(to: str) -> None:
    assert "ordinary" in problem(to, CLIENT_MAY_CALL="+*", ALLOWED_COUNTRIES="")


def test_the_list_and_the_countries_must_both_hold() -> None:
    assert "not one that may be dialled" in problem(NUMBER, CLIENT_MAY_CALL="+1*", ALLOWED_COUNTRIES="DE")
    assert "ALLOWED_COUNTRIES" in problem(NUMBER, CLIENT_MAY_CALL="+49*", ALLOWED_COUNTRIES="US")
    assert begun(NUMBER, CLIENT_MAY_CALL="+49*", ALLOWED_COUNTRIES="DE")[1] == {"dial": "number"}
    assert begun(NUMBER, CLIENT_MAY_CALL=NUMBER, ALLOWED_COUNTRIES="")[1] == {"dial": "number"}


@pytest.mark.parametrize("caller", ["", "+14155550100", "anna", "client:", "client:a b", "client:a-b", "client:anna\n"])
def test_who_is_no_browser_of_this_app_reaches_nobody(caller: str) -> None:
    assert "identity" in problem("client:bob", caller=caller)


def test_without_a_number_of_its_own_the_app_calls_none() -> None:
    more = {"TWILIO_FROM_NUMBER": "", "TWILIO_MESSAGING_SERVICE_SID": "MG" + "0" * 32}
    assert "TWILIO_FROM_NUMBER" in problem(NUMBER, **more)
    assert begun("client:bob", **more)[1] == {"dial": "client"}


@given(to=st.text() | st.from_regex(E164, fullmatch=True) | st.from_regex(CLIENT, fullmatch=True), caller=st.text())
def test_nothing_that_is_asked_for_gets_past_the_list(to: str, caller: str) -> None:
    for by in (ANNA, caller):
        document, happened = begun(to, caller=by)
        dialled = [noun for dial in document.iter("Dial") for noun in dial]
        assert bool(dialled) == (happened["dial"] != "refused")
        for noun in dialled:
            assert by == ANNA or by.startswith("client:")
            if noun.tag == "Number":
                assert noun.text == to
                assert to.startswith(("+49", "+1"))
                assert country(to) in {"DE", "US"}
            else:
                assert noun.tag == "Client"
                assert f"client:{noun.findtext('Identity')}" == to


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("completed", []),
        ("answered", []),
        ("canceled", []),
        ("busy", ["The line is busy."]),
        ("no-answer", ["Nobody answers."]),
        ("failed", [browser.FAILED]),
        ("on-the-moon", [browser.FAILED]),
    ],
)
def test_who_called_hears_what_came_of_it(status: str, said: list[str]) -> None:
    form = {"From": ANNA, "To": NUMBER, "DialCallStatus": status, "DialCallSid": "CA2", "DialCallDuration": "9"}
    answer = browser.answer("part=done", form, make_settings())
    document = ET.fromstring(answer.twiml)  # noqa: S314 - what our own app wrote
    assert [say.text for say in document.iter("Say")] == said
    assert document[-1].tag == "Hangup"
    assert answer.happened == {"dial": status, "dial_sid": "CA2", "seconds": "9"}


def test_an_end_that_tells_nothing_is_a_failure() -> None:
    assert browser.answer("part=done", {}, make_settings()).happened == {"dial": "failed"}
