"""TwiML that a request brings or asks for: text made speech, and documents checked before Twilio reads them. Pure."""

from typing import Final
from xml.parsers import expat

from twilio.twiml.voice_response import VoiceResponse

from shared.errors import SwitchboardError

LONGEST: Final = 4000
"""characters of a call's Twiml parameter: https://www.twilio.com/docs/voice/api/call-resource#twiml"""


class TwimlInvalid(SwitchboardError):
    """A document that Twilio would refuse."""


def say(text: str, *, voice: str | None = None, language: str | None = None) -> str:
    """Return the document that speaks a text; the text stays text whatever is in it."""
    response = VoiceResponse()
    response.say(writable(text), voice=voice and writable(voice), language=language and writable(language))
    return str(response)


def check(document: str) -> None:
    """Make sure that a document is well-formed XML with a Response at its root, and has no document type.

    Raises:
        TwimlInvalid: it isn't.
    """
    elements: list[str] = []
    # it goes to Twilio as UTF-8 whatever encoding it declares; an unknown one would make expat fail in other ways
    parser = expat.ParserCreate("UTF-8")
    parser.StartElementHandler = lambda name, _attributes: elements.append(name)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        # a lone surrogate is no character that could be sent
        parser.Parse(document.encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as exc:
        line = getattr(exc, "lineno", None)
        where = f" in line {line}" if line else ""
        raise TwimlInvalid(f"expected well-formed XML, it is not{where}") from exc
    if elements[0] != "Response":
        raise TwimlInvalid("expected <Response> as the document's root, another element came")


def _refuse_doctype(*_declaration: object) -> None:
    raise TwimlInvalid("expected no document type declaration, one came")


def writable(text: str) -> str:
    """Return a text with spaces for the characters that XML 1.0 can't write: https://www.w3.org/TR/xml/#charsets."""
    return "".join(
        c if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else " "
        for c in text
    )
