"""A call flow and its steps, as frozen values. Pure.

The action of a step is a value of its kind, in `kinds`. Texts are templates: they are rendered when a call reaches the
step. A next step is the name of a step; None ends the call.
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from shared.text.templates.engine import Text
from shared.text.templates.plain import Plain
from shared.text.templates.values import Declared

Day = Literal["open", "closed", "holiday"]


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """A text that is said, or a sound file that is played."""

    text: Text | Plain | None = None
    play: str | None = None
    """an http(s) URL"""
    voice: str | None = None
    language: str | None = None
    times: int = 1


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a step does: every kind of step has an action of its own."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: its action, and the event of a call that reaches it."""

    name: str
    line: int
    action: Action
    event: str | None = None
    """a word that becomes an event of the delivery when a call comes here"""
    shown: str = ""
    """what it says, or whom it dials, as the file has it: for a diagram"""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Some hours of some days of the week, Monday being 0."""

    days: frozenset[int]
    begin: time
    end: time
    """not later than `begin`: on the next day"""


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Opening hours and holidays, in one time zone."""

    open: tuple[Span, ...]
    holidays: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    """the holidays that come every year: month and day"""
    zone: ZoneInfo


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A whole flow, whose every step leads somewhere and is led to."""

    name: str
    start: str
    steps: Mapping[str, Step]
    answers: tuple[str, ...] = ()
    """the numbers whose callers walk it; `*` is every other number"""
    machine: str | None = None
    """where a call goes that a machine answered"""
    values: Mapping[str, Declared] = msgspec.field(default_factory=dict)
    """what a request's `data` must bring"""
    hours: Hours | None = None
    inputs: frozenset[str] = frozenset()
    """the steps whose input some text uses, as `input.STEP`"""
