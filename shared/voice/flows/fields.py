"""The tables of a flow's file, with the types and ranges of their fields. Pure.

The table of a step stands with its kind, in `kinds`.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Seconds = Annotated[int, Meta(ge=1, le=600)]
Long = Annotated[int, Meta(ge=1, le=86_400)]
"""seconds, up to the 24 hours of the longest call: https://www.twilio.com/docs/voice/twiml/dial#timelimit"""
Times = Annotated[int, Meta(ge=1, le=100)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]
Spoken = str | dict[str, Any]
"""a text, or `{ say = … }`, or `{ play = … }`"""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file."""


class Speech(Table, frozen=True, kw_only=True):
    """`{ say = … }` or `{ play = … }`: a text with a voice of its own, or a sound file."""

    say: str | None = None
    play: str | None = None
    voice: Word | None = None
    language: Word | None = None
    times: Times = 1


class Step(Table, frozen=True, kw_only=True):
    """The table of a step."""

    event: str | None = None


class Speaking(Step, frozen=True, kw_only=True):
    """The table of a step that says something."""

    voice: Word | None = None
    language: Word | None = None


class Hours(Table, frozen=True, kw_only=True):
    """`[hours]`."""

    open: list[str]
    holidays: list[Any] = []


class Document(Table, frozen=True, kw_only=True):
    """The whole file."""

    answers: list[str] = []
    start: str | None = None
    machine: str | None = None
    voice: Word | None = None
    language: Word | None = None
    time_zone: str | None = None
    values: dict[str, Any] = {}
    hours: dict[str, Any] | None = None
    steps: dict[str, Any]
