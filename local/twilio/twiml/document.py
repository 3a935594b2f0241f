"""Documents: where they come from, how they are read, and what somebody hears of them."""

from xml.etree import ElementTree as ET

import msgspec

TWIML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where TwiML comes from: a URL with a method, or a document given as it is.

    `fields` are what a request says besides who calls whom: the Digits of a Gather, and the like.
    """

    url: str | None = None
    method: str = "POST"
    twiml: str | None = None
    fields: tuple[tuple[str, str], ...] = ()


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a transcript.

    | kind | what |
    |---|---|
    | said, played, paused | the text, the URL or the digits, the seconds |
    | pressed, spoke | what the person at this end did: the keys, the words (none where nobody understands them) |
    | heard | what somebody else in the conversation said |
    | dialed, bridged | whom a Dial called, with whom it connected |
    | queued, joined | the name of the queue or the conference |
    | recorded | the recording's SID |
    | texted | the message's SID |
    | not simulated yet | the verb |
    """

    kind: str
    what: str
    seconds: float = 0.0
    voice: str | None = None
    language: str | None = None
    times: int = 1


class TwimlError(Exception):
    """A document that cannot be played, with Twilio's code for it."""

    def __init__(self, code: int, detail: str) -> None:
        self.code = code
        super().__init__(detail)


def parse(content: bytes | str, *, content_type: str = "text/xml") -> ET.Element:
    """Read an answer as a document: XML, or text to say, or audio to play.

    Raises TwimlError: 12100 for what is no TwiML, 12300 for a Content-Type that Twilio does not take.
    """
    if content_type == "text/plain":
        root = ET.Element("Response")
        ET.SubElement(root, "Say").text = content if isinstance(content, str) else content.decode(errors="replace")
        return root
    if content_type.startswith("audio/"):
        root = ET.Element("Response")
        ET.SubElement(root, "Play")
        return root
    if content_type not in TWIML_TYPES:
        raise TwimlError(12300, f"expected XML, text or audio, got Content-Type {content_type}")
    try:
        root = ET.fromstring(content)  # noqa: S314 - at most 64 kB that the developer's own app wrote
    except ET.ParseError as exc:
        raise TwimlError(12100, f"the document is no XML: {exc}") from exc
    if root.tag != "Response":
        raise TwimlError(12100, f"expected <Response> as the root, got <{root.tag}>")
    return root
