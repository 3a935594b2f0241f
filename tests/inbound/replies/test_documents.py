"""What a rule makes of a text: TwiML that stays well-formed, and a message that fits its queue."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.inbound.form import Form
from shared.inbound.replies.documents import SILENCE, forwarded, twiml
from shared.inbound.replies.rules import Chosen, Rule
from shared.queues import LARGEST
from shared.voice.twiml import writable
from tests.deliveries.samples import NOW, a_delivery

TOLD = "https://switchboard.example/api/sms/status?delivery=SM1&v=2#rc=5&rp=all"


@given(st.text(min_size=1).map(writable))
def test_a_text_stays_text(text: str) -> None:
    [message] = ET.fromstring(twiml(text, (), status_callback=TOLD))  # noqa: S314 - what our own code wrote
    # XML reads every end of a line as \n
    assert (message.tag, message.text, len(message)) == ("Message", text.replace("\r\n", "\n").replace("\r", "\n"), 0)
    assert message.get("statusCallback") == TOLD


def test_media_stand_beside_the_text_or_alone() -> None:
    media = ("https://example.com/a.png?x=1&y=2", "https://example.com/b.pdf")
    for body, expected in (("<Hi>", ["Body", "Media", "Media"]), ("", ["Media", "Media"])):
        [message] = ET.fromstring(twiml(body, media, status_callback=TOLD))  # noqa: S314 - what our own code wrote
        assert [part.tag for part in message] == expected
        assert [part.text for part in message][-2:] == list(media)
        assert not message.text


def test_nothing_to_say_is_silence() -> None:
    assert twiml("", (), status_callback=TOLD) == SILENCE
    assert len(ET.fromstring(SILENCE)) == 0  # noqa: S314 - what our own code wrote


def passed_on(form: Form) -> Any:  # noqa: ANN401 - a JSON document
    return json.loads(forwarded(a_delivery(), form, Chosen(Rule(name="order"), "")))


def test_a_text_is_passed_on_with_all_that_its_reader_needs() -> None:
    form = Form.parse(
        b"Body=Order+4711&MessagingServiceSid=MG1&NumMedia=2&MediaUrl0=https%3A%2F%2Fexample.com%2Fa"
        b"&MediaContentType0=image%2Fpng&MediaUrl1=https%3A%2F%2Fexample.com%2Fb"
    )
    text = a_delivery(id="SM1", direction="inbound", from_="+14155550177", to="+15005550006", answers="order-1")
    assert json.loads(forwarded(text, form, Chosen(Rule(name="order"), "4711"))) == {
        "id": "SM1",
        "from": "+14155550177",
        "to": "+15005550006",
        "service": "MG1",
        "body": "Order 4711",
        "media": [
            {"url": "https://example.com/a", "type": "image/png"},
            {"url": "https://example.com/b", "type": None},
        ],
        "rule": "order",
        "rest": "4711",
        "answers": "order-1",
        "received_at": NOW.isoformat().replace("+00:00", "Z"),
        "form": {
            "Body": "Order 4711",
            "MessagingServiceSid": "MG1",
            "NumMedia": "2",
            "MediaUrl0": "https://example.com/a",
            "MediaContentType0": "image/png",
            "MediaUrl1": "https://example.com/b",
        },
        "left_out": 0,
    }


# https://www.twilio.com/docs/messaging/guides/webhook-request and
# https://www.twilio.com/docs/whatsapp/buttons: what WhatsApp adds
LOCATION = {"Latitude": "52.52", "Longitude": "13.405", "Address": "Alexanderplatz 1", "Label": "Office", "Body": ""}
BUTTON = {"ButtonPayload": "yes-4711", "ButtonText": "Yes", "Body": "Yes"}
LISTED = {"ListId": "slot-2", "ListTitle": "Noon", "ProfileName": "Zoë 🎉", "ExternalUserId": "US.1234", "WaId": "1"}


@pytest.mark.parametrize("told", [LOCATION, BUTTON, LISTED, {"NewIn2027": "x", "Blank": ""}])
def test_a_text_is_passed_on_with_every_field_that_twilio_sent(told: dict[str, str]) -> None:
    message = passed_on(Form(list(told.items())))
    assert (message["form"], message["left_out"]) == (told, 0)


def test_a_field_that_stands_twice_is_passed_on_with_each_value() -> None:
    assert passed_on(Form([("Tag", "b"), ("A", "1"), ("Tag", "a")]))["form"] == {"Tag": ["b", "a"], "A": "1"}


def test_of_a_form_that_no_queue_can_carry_the_largest_fields_are_left_out_and_counted() -> None:
    form = Form([("Body", "Hi"), ("AddOns", "x" * 60_000), ("Latitude", "1"), ("Other", "y" * 40_000)])
    message = passed_on(form)
    assert list(message["form"]) == ["Body", "Latitude", "Other"]
    assert message["left_out"] == 1


@given(
    st.lists(
        st.tuples(st.text(max_size=20), st.text(max_size=5) | st.integers(0, 50_000).map(lambda n: "\x01" * n)),
        max_size=30,
    )
)
def test_whatever_a_form_holds_it_fits_the_queue_and_no_field_gets_lost_unsaid(fields: list[tuple[str, str]]) -> None:
    form = Form(fields)
    encoded = forwarded(a_delivery(), form, Chosen(Rule(name="order"), ""))
    message = json.loads(encoded)
    assert len(encoded) <= LARGEST
    assert len(message["form"]) + message["left_out"] == len(form)
    assert all(form.as_dict()[name] == value for name, value in message["form"].items())


def test_whatever_anybody_sends_the_message_fits_its_queue() -> None:
    for body in ("🎉" * 20_000, "\x01" * 20_000):
        media = ((f"MediaUrl{number}", "https://example.com/" + "x" * 980) for number in range(20))
        message = forwarded(a_delivery(), Form([("Body", body), *media]), Chosen(Rule(name="order"), body))
        assert len(message) <= LARGEST
        assert len(json.loads(message)["media"]) == 10
    odd = [(f"{name}{number}", "\x01" * 900) for number in range(10) for name in ("MediaUrl", "MediaContentType")]
    form = Form([("Body", "\x01" * 20_000), ("MessagingServiceSid", "🎉" * 20_000), *odd])
    message = forwarded(a_delivery(), form, Chosen(Rule(name="order"), "\x01" * 20_000))
    assert (len(message) <= LARGEST, json.loads(message)["media"]) == (True, [])
    assert (
        json.loads(forwarded(a_delivery(), Form([("MediaUrl0", "x" * 50_000)]), Chosen(Rule(name="a"), "")))["media"]
        == []
    )
