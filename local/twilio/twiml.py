"""The TwiML interpreter of calls: a document, walked verb by verb.

Each verb is one function in VERBS; what is not there yet is heard by nobody and stays in the transcript as
`not simulated yet`. https://www.twilio.com/docs/voice/twiml
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

import msgspec

MAX_LOOPS = 1000
SPOKEN_CHARACTERS_PER_SECOND = 15
PLAYED_SECONDS = 5.0
TWIML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
NOT_YET = frozenset(
    {"Connect", "Dial", "Echo", "Enqueue", "Gather", "Leave", "Pay", "Prompt", "Queue", "Record", "Refer"}
    | {"Reject", "Sms", "Start", "Stop"}
)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where TwiML comes from: a URL with a method, or a document given as it is."""

    url: str | None = None
    method: str = "POST"
    twiml: str | None = None


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a transcript.

    `kind` is said, played, paused or `not simulated yet`; `what` is the text, the URL, the seconds or the verb.
    """

    kind: str
    what: str
    seconds: float = 0.0
    voice: str | None = None
    language: str | None = None
    times: int = 1


class Leave(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb returns that ends its document: where to go on, or None to hang up."""

    to: Source | None = None


class TwimlError(Exception):
    """A document that cannot be played, with Twilio's code for it."""

    def __init__(self, code: int, detail: str) -> None:
        self.code = code
        super().__init__(detail)


class Line(Protocol):
    """What a verb can do to its call."""

    url: str | None

    async def hear(self, heard: Heard) -> None:
        """Let the callee hear something, and the time for it pass."""

    def note(self, code: int, detail: str) -> None:
        """Write down what Twilio's debugger would show."""


Verb = Callable[[Line, ET.Element], Awaitable[Leave | None]]


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


async def walk(root: ET.Element, line: Line) -> Source | None:
    """Play a document to its end; returns where the call goes on, or None when it hangs up."""
    for element in root:
        verb = VERBS.get(element.tag)
        if verb is None:
            await _skip(line, element)
            continue
        _check_attributes(line, element)
        leave = await verb(line, element)
        if leave is not None:
            return leave.to
    return None


async def say(line: Line, element: ET.Element) -> None:
    """Say: the text is heard, as often as `loop` says. https://www.twilio.com/docs/voice/twiml/say."""
    text, times = _text(element), _times(element)
    await line.hear(
        Heard(
            kind="said",
            what=text,
            seconds=times * len(text) / SPOKEN_CHARACTERS_PER_SECOND,
            voice=element.get("voice"),
            language=element.get("language"),
            times=times,
        )
    )


async def play(line: Line, element: ET.Element) -> None:
    """Play: the file's URL, or the digits, are noted as heard. https://www.twilio.com/docs/voice/twiml/play."""
    digits, times = element.get("digits"), _times(element)
    what = digits if digits is not None else urljoin(line.url or "", _text(element))
    await line.hear(Heard(kind="played", what=what, seconds=times * PLAYED_SECONDS, times=times))


async def pause(line: Line, element: ET.Element) -> None:
    """Pause: one second, or `length`. https://www.twilio.com/docs/voice/twiml/pause."""
    length = _whole(element.get("length"), default=1)
    await line.hear(Heard(kind="paused", what=str(length), seconds=float(length)))


async def hang_up(_line: Line, _element: ET.Element) -> Leave:
    """Hangup: nothing comes after it. https://www.twilio.com/docs/voice/twiml/hangup."""
    return Leave()


async def redirect(line: Line, element: ET.Element) -> Leave:
    """Redirect: on to another document, relative to this one. https://www.twilio.com/docs/voice/twiml/redirect."""
    method = "GET" if element.get("method", "").upper() == "GET" else "POST"
    return Leave(to=Source(url=urljoin(line.url or "", _text(element)), method=method))


VERBS: Mapping[str, Verb] = MappingProxyType(
    {"Say": say, "Play": play, "Pause": pause, "Hangup": hang_up, "Redirect": redirect}
)
ATTRIBUTES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Say": frozenset({"voice", "language", "loop"}),
        "Play": frozenset({"loop", "digits"}),
        "Pause": frozenset({"length"}),
        "Hangup": frozenset(),
        "Redirect": frozenset({"method"}),
    }
)


async def _skip(line: Line, element: ET.Element) -> None:
    if element.tag in NOT_YET:
        await line.hear(Heard(kind="not simulated yet", what=element.tag))
    else:
        line.note(12200, f"<{element.tag}> is no verb that a call knows")


def _check_attributes(line: Line, element: ET.Element) -> None:
    for name in sorted(set(element.keys()) - ATTRIBUTES[element.tag]):
        line.note(12200, f"<{element.tag}> has no attribute {name}")


def _text(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _times(element: ET.Element) -> int:
    return _whole(element.get("loop"), default=1) or MAX_LOOPS


def _whole(text: str | None, *, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
