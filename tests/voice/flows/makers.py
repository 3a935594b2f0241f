"""Flows, calls and turns made for tests, and documents read back: every one is checked for what Twilio knows."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from twilio.twiml import TwiML, lower_camel
from twilio.twiml.voice_response import Client, Dial, Gather, VoiceResponse

from shared.text.templates import engine
from shared.voice.flows.model import Action, Flow, Speech, Step
from shared.voice.flows.turn import Call, Happened, TextToSend, Turn, Walked, World
from shared.voice.flows.turn_urls import read_turn
from shared.voice.flows.walk import walk
from shared.voice.twiml import check

BASE = "https://app.example.com"
CALLER, CALLED, APP = "+14155550100", "+15005550006", "+15005550009"
LARGEST = 64 * 1024
"""bytes of a document: https://www.twilio.com/docs/api/errors/11750"""


def text(source: str) -> engine.Text:
    return engine.read(source)


def speech(source: str, **more: Any) -> Speech:  # noqa: ANN401 - what the model takes
    return Speech(text=text(source), **more)


def flow(actions: Mapping[str, Action], *, events: Mapping[str, str] | None = None, **more: Any) -> Flow:  # noqa: ANN401 - what the model takes
    """A flow of these steps, which begins with the first of them."""
    told = events or {}
    steps = {name: Step(name=name, line=1, action=action, event=told.get(name)) for name, action in actions.items()}
    return Flow(**{"name": "line", "start": next(iter(actions)), "steps": steps, **more})


def call(**more: Any) -> Call:  # noqa: ANN401 - what the model takes
    given = {"sid": "CA1", "delivery_id": "CA1", "caller": CALLER, "called": CALLED, "outbound": False}
    return Call(**{**given, **more})


def world(**more: Any) -> World:  # noqa: ANN401 - what the model takes
    given = {
        "now": datetime(2026, 1, 5, 12, tzinfo=UTC),
        "base_url": BASE,
        "default_from": APP,
        "max_call_seconds": 3600,
    }
    return World(**{**given, **more})


@dataclass(frozen=True, slots=True)
class Document:
    """What came of a turn: the document, read back, and the rest."""

    root: ET.Element
    happened: tuple[Happened, ...]
    texts: tuple[TextToSend, ...]

    @property
    def verbs(self) -> list[str]:
        """The names of the verbs, in order."""
        return [verb.tag for verb in self.root]

    @property
    def said(self) -> list[str]:
        """All that is said, within other verbs too."""
        return [say.text or "" for say in self.root.iter("Say")]

    @property
    def told(self) -> list[Mapping[str, Any]]:
        """What happened, without the flow's name."""
        return [{name: value for name, value in each.what.items() if name != "flow"} for each in self.happened]

    def one(self, tag: str) -> ET.Element:
        """The only element of a name."""
        (found,) = self.root.iter(tag)
        return found

    def next(self, tag: str, attribute: str | None = None, **form: str) -> Turn:
        """The turn that Twilio asks for at the URL that an element has, with what it tells then."""
        element = self.one(tag)
        return turn_at((element.text if attribute is None else element.get(attribute)) or "", **form)


def turn_at(url: str, **form: str) -> Turn:
    parts = urlsplit(url)
    assert url.startswith(f"{BASE}/api/voice/flow/line/"), url
    return read_turn(unquote(parts.path.rpartition("/")[2]), parts.query, form)


def walked(walked_flow: Flow, turn: Turn | None = None, *, by: Call | None = None, **more: Any) -> Document:  # noqa: ANN401 - what the model takes
    """Walk one turn; without one it is the first."""
    return read(walk(walked_flow, by or call(), turn or Turn(step=walked_flow.start), world(**more)))


def read(result: Walked) -> Document:
    return Document(read_twiml(result.twiml), result.happened, result.texts)


def who(noun: ET.Element) -> str | None:
    """Whom a noun of Dial names."""
    return noun.findtext("Identity") if noun.tag == "Client" else noun.text


def read_twiml(document: str) -> ET.Element:
    """Read a document, and make sure that it holds nothing but what the library can build."""
    check(document)
    assert len(document.encode()) <= LARGEST
    root = ET.fromstring(document)  # noqa: S314 - made right here
    for verb in root:
        _check(verb, VoiceResponse)
        for noun in verb:
            _check(noun, {"Dial": Dial, "Gather": Gather}[verb.tag])
            assert noun.tag == "Client" or not len(noun)
            for part in noun:
                _check(part, Client)
    return root


def _check(element: ET.Element, within: type[TwiML]) -> None:
    builder = getattr(within, element.tag.lower())
    known = {lower_camel(name) for name in inspect.signature(builder).parameters}
    assert set(element.keys()) <= known, f"{element.tag}: {set(element.keys()) - known}"
