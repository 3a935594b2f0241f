import html
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.voice.twiml import TwimlInvalid, check, say, writable

anything = st.text(alphabet=st.characters(), max_size=100)
xml_text = st.text(
    alphabet=st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff\x85\u2028")
)


def test_what_is_said_is_one_say_with_its_voice_and_language() -> None:
    document = ET.fromstring(say("Hello", voice="Polly.Vicki", language="de-DE"))  # noqa: S314 - made right here
    assert [(verb.tag, verb.text, verb.attrib) for verb in document] == [
        ("Say", "Hello", {"voice": "Polly.Vicki", "language": "de-DE"})
    ]


def test_what_is_said_names_no_voice_where_none_is_given() -> None:
    assert ET.fromstring(say("Hello"))[0].attrib == {}  # noqa: S314 - made right here


@given(xml_text)
def test_text_stays_text_whatever_is_in_it(text: str) -> None:
    (verb,) = ET.fromstring(say(text))  # noqa: S314 - made right here
    assert (verb.text or "") == text
    assert len(verb) == 0


@given(anything, anything, anything)
def test_what_is_said_is_always_well_formed(text: str, voice: str, language: str) -> None:
    check(say(text, voice=voice, language=language))


@given(anything)
def test_only_characters_that_xml_can_not_write_become_spaces(text: str) -> None:
    written = writable(text)
    check(f"<Response><Say>{html.escape(written)}</Say></Response>")
    assert len(written) == len(text)
    assert all(new in {old, " "} for old, new in zip(text, written, strict=True))
    assert writable("Zoë ✓ 😀\t\n") == "Zoë ✓ 😀\t\n"


@pytest.mark.parametrize(
    "document",
    [
        "<Response/>",
        "<Response><Say>Hi &amp; bye</Say></Response>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><!-- no --><Hangup/></Response>',
        '<?xml version="1.0" encoding="utf-16"?><Response/>',
        '<?xml version="1.0" encoding="shift_jis"?><Response><Say>Grüße 😀</Say></Response>',
        '<?xml version="1.0" encoding="nothing-known"?><Response/>',
    ],
)
def test_a_well_formed_document_is_taken(document: str) -> None:
    check(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "well-formed"),
        ("Hello", "well-formed"),
        ("<Response>", "line 1"),
        ("<Response>\n<Say></Response>", "line 2"),
        ("<Response/><Response/>", "well-formed"),
        ("<Response>&nbsp;</Response>", "well-formed"),
        ("<Response>\ud800</Response>", "well-formed"),
        ("<Response>\x00</Response>", "well-formed"),
        ("<response/>", "root"),
        ("<Say>Hi</Say>", "root"),
        ('<!DOCTYPE Response [<!ENTITY a "aaaa">]><Response>&a;</Response>', "document type"),
        ('<!DOCTYPE Response SYSTEM "file:///etc/passwd"><Response/>', "document type"),
    ],
)
def test_a_document_that_twilio_would_refuse_is_refused_with_the_reason(document: str, message: str) -> None:
    with pytest.raises(TwimlInvalid, match=message):
        check(document)


@given(anything | st.text(alphabet="<>/&;Response!?[]- \"='", max_size=60))
def test_any_text_is_taken_or_refused(document: str) -> None:
    try:
        check(document)
    except TwimlInvalid:
        return
    assert ET.fromstring(document.encode()).tag == "Response"  # noqa: S314 - short, and without a document type
