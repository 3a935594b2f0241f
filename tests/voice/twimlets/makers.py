"""Twimlets asked for by their URLs, turn by turn, and their documents read back."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from shared.voice.flows.turn import Call
from shared.voice.twimlets.parameters import read_parameters
from shared.voice.twimlets.reading import Twimlet
from shared.voice.twimlets.urls import read_twimlet_turn
from shared.voice.twimlets.walk import walk_twimlet
from tests.voice.flows.makers import BASE, Document, call, read, world

ANN, BOB = "+14155551212", "+15105551212"


def asked(
    url: str,
    *,
    by: Call | None = None,
    region: str = "US",
    more: Mapping[str, Any] | None = None,
    told: Mapping[str, str] | None = None,
    **form: str,
) -> Document:
    """What a twimlet answers at a URL: `forward?PhoneNumber=…`, or whole as a document of ours has it."""
    path, _, query = url.removeprefix(f"{BASE}/api/twimlets/").partition("?")
    twimlet = Twimlet(name=path, parameters=read_parameters(query), region=region)
    turn = read_twimlet_turn(path, query, {**(told or {}), **form})
    return read(walk_twimlet(twimlet, by or call(), turn, world(**(more or {}))))


def url(name: str, *pairs: tuple[str, str], **parameters: str) -> str:
    """The URL of a twimlet with these parameters."""
    return f"{name}?{urlencode([*parameters.items(), *pairs])}"


def at(document: Document, tag: str, attribute: str | None = None) -> str:
    """A URL of this app that an element has; Twilio keeps the fragment for itself."""
    element = document.one(tag)
    found = (element.text if attribute is None else element.get(attribute)) or ""
    assert found.startswith(f"{BASE}/api/twimlets/"), found
    return urlsplit(found)._replace(fragment="").geturl()


def problems(document: Document) -> list[str]:
    """What an operator must mend."""
    return [told["problem"] for told in document.told if "problem" in told]
