import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

from shared.outbound.checks import Rules
from shared.outbound.decode import decode
from shared.outbound.parameters import of_call, of_message
from shared.settings import Settings
from shared.voice.flows.library import Flows
from shared.voice.flows.urls import callback_url
from tests.deliveries.samples import NOW
from tests.fakes import FROM_NUMBER, SERVICE_SID, make_settings
from tests.outbound.samples import CALL, TEXT, a_message, decoded
from tests.samples.calls import FLOWS

SETTINGS = make_settings()
SMS_CALLBACK = "https://switchboard.example/api/sms/status?delivery=order-1&v=2#rc=5&rp=all"
DAY = timedelta(hours=24)


def message(*, left: timedelta = DAY, settings: Settings = SETTINGS, **fields: object) -> dict[str, object]:
    request = decoded(TEXT, settings=settings, **fields).request
    return of_message(request, settings, expires_at=NOW + left, now=NOW)


def call(*, settings: Settings = SETTINGS, **fields: object) -> dict[str, object]:
    return of_call(decoded(CALL, settings=settings, **fields).request, Rules(settings))


def test_a_plain_text_has_these_parameters_and_no_others() -> None:
    assert message() == {
        "to": "+14155550100",
        "from_": FROM_NUMBER,
        "body": "Your parcel has arrived.",
        "status_callback": SMS_CALLBACK,
    }


@pytest.mark.parametrize("settings", [make_settings(TWILIO_MESSAGING_SERVICE_SID=SERVICE_SID), SETTINGS])
def test_a_messaging_service_takes_the_place_of_a_number(settings: Settings) -> None:
    named = None if settings.messaging_service_sid else SERVICE_SID
    parameters = message(settings=settings, **{"from": named})  # type: ignore[arg-type]  # a name that is a keyword
    assert parameters["messaging_service_sid"] == SERVICE_SID
    assert "from_" not in parameters


def test_a_text_may_carry_media_alone() -> None:
    urls = ["https://example.com/a.png", "https://example.com/b.png"]
    parameters = message(body=..., media_urls=urls)
    assert parameters["media_url"] == urls
    assert "body" not in parameters


def test_a_template_of_twilios_carries_its_variables_as_json() -> None:
    sid = "HX" + "0123456789abcdef" * 2
    parameters = message(body=..., content_sid=sid, content_variables={"1": "Zoë"})
    assert parameters["content_sid"] == sid
    assert json.loads(str(parameters["content_variables"])) == {"1": "Zoë"}


@pytest.mark.parametrize(
    ("left", "period"),
    [
        (timedelta(seconds=36_001), None),
        (timedelta(seconds=36_000), None),
        (timedelta(seconds=35_999.9), 35_999),
        (timedelta(seconds=90), 90),
        (timedelta(seconds=1.9), 1),
        (timedelta(seconds=0.2), 1),
    ],
)
def test_what_is_left_of_a_requests_time_is_twilios_validity_period(left: timedelta, period: int | None) -> None:
    assert message(left=left).get("validity_period") == period


def test_a_plain_call_says_its_text_and_has_these_parameters_and_no_others() -> None:
    parameters = call()
    (verb,) = ET.fromstring(str(parameters.pop("twiml")))  # noqa: S314 - made right here
    assert (verb.tag, verb.text) == ("Say", "Your parcel has arrived.")
    assert parameters == {
        "to": "+14155550100",
        "from_": FROM_NUMBER,
        "time_limit": 3600,
        "status_callback": "https://switchboard.example/api/voice/status?delivery=order-2&v=2#rc=5&rp=all",
        "status_callback_event": ["initiated", "ringing", "answered", "completed"],
    }


def test_a_text_that_is_said_stays_text_with_its_voice_and_language() -> None:
    parameters = call(say="</Say><Dial>+1900</Dial> & more", voice="Polly.Vicki", language="de-DE")
    (verb,) = ET.fromstring(str(parameters["twiml"]))  # noqa: S314 - made right here
    assert verb.text == "</Say><Dial>+1900</Dial> & more"
    assert verb.attrib == {"voice": "Polly.Vicki", "language": "de-DE"}


def test_a_document_and_an_address_are_passed_on_as_they_are() -> None:
    document = "<Response><Say>Hi &amp; bye</Say></Response>"
    assert call(say=..., twiml=document)["twiml"] == document
    parameters = call(say=..., url="https://example.com/twiml?a=b")
    assert parameters["url"] == "https://example.com/twiml?a=b"
    assert "twiml" not in parameters


def test_every_option_of_a_call_is_passed_on() -> None:
    parameters = call(
        machine_detection="DetectMessageEnd",
        record=True,
        timeout_seconds=30,
        time_limit_seconds=600,
        send_digits="ww12#",
    )
    options = ("machine_detection", "record", "timeout", "time_limit", "send_digits")
    assert [parameters[name] for name in options] == ["DetectMessageEnd", True, 30, 600, "ww12#"]


def test_a_recording_that_is_switched_off_stays_off() -> None:
    parameters = call(record=False)
    assert parameters["record"] is False
    assert "recording_status_callback" not in parameters


def test_what_becomes_of_a_recording_is_asked_for() -> None:
    told = call(record=True)["recording_status_callback"]
    assert told == "https://switchboard.example/api/voice/recording?delivery=order-2&v=2#rc=5&rp=all"


def test_a_call_in_a_flow_fetches_its_first_turn_here_and_has_somewhere_to_go_where_that_fails() -> None:
    rules = Rules(SETTINGS, flows=Flows.load(FLOWS, default_zone=SETTINGS.default_time_zone))
    data = {"service": "Mail", "incident": "7"}
    message = a_message(CALL, say=..., flow="alert", data=data, machine_detection="DetectMessageEnd")
    parameters = of_call(decode(message, rules).request, rules)
    assert "twiml" not in parameters
    assert parameters["url"] == "https://switchboard.example/api/voice/flow/alert/alert?delivery=order-2&v=2"
    assert (
        parameters["fallback_url"] == "https://switchboard.example/api/fallback/voice?delivery=order-2&v=2#rc=5&rp=all"
    )
    assert parameters["machine_detection"] == "DetectMessageEnd"


def test_only_a_call_in_a_flow_has_a_fallback_here() -> None:
    assert "fallback_url" not in call(say=..., url="https://example.com/twiml")


def test_no_call_is_without_a_limit() -> None:
    assert call(settings=make_settings(MAX_CALL_SECONDS="60"))["time_limit"] == 60


@pytest.mark.parametrize("delivery_id", ["order-1", "a.b_c:d", "news~20260101T0900Z"])
def test_the_id_rides_in_the_callbacks_query_and_what_twilio_should_do_in_its_fragment(delivery_id: str) -> None:
    url = urlsplit(callback_url(SETTINGS.public_base_url, "sms/status", delivery=delivery_id))
    assert (url.scheme, url.netloc, url.path) == ("https", "switchboard.example", "/api/sms/status")
    assert url.query.partition("%") == (f"delivery={delivery_id.replace(':', '*')}&v=2", "", "")
    assert parse_qs(url.fragment) == {"rc": ["5"], "rp": ["all"]}
