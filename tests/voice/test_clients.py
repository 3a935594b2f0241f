from xml.etree import ElementTree as ET

import pytest
from twilio.twiml.voice_response import VoiceResponse

from shared.voice.clients import add_client
from shared.voice.twiml import check


@pytest.mark.parametrize("caller", ["+14155550100", "client:bob", "", 'A "caller" & <more>', "Ann\x01", "\ud800"])
def test_a_client_is_told_who_calls_whatever_they_are_called(caller: str) -> None:
    response = VoiceResponse()
    add_client(response.dial(), "anna", caller=caller, delivery="CA1", url="https://example.com/?a=1&b=2")
    check(str(response))
    client = ET.fromstring(str(response))[0][0]  # noqa: S314 - what our own app wrote
    assert (client.findtext("Identity"), client.get("url")) == ("anna", "https://example.com/?a=1&b=2")
    told = {each.get("name"): each.get("value") for each in client.iter("Parameter")}
    assert told == {"caller": caller.replace("\x01", " ").replace("\ud800", " "), "delivery": "CA1"}
