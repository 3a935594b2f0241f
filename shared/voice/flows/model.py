"""A call flow and its steps, as frozen values. Pure.

A step does one thing, which its kind names, and says where the call goes then. Texts are templates: they are written
when the step is reached. Names of steps stand where the call goes; None is the end of the call.
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from shared.text.templates.engine import Text
from shared.text.templates.plain import Plain
from shared.text.templates.values import Declared

Day = Literal["open", "closed", "holiday"]
UNREACHED: Final = ("busy", "no-answer", "failed", "canceled")
"""how a dialled call ends that nobody answered: https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values"""


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is heard: a text, or a sound file."""

    text: Text | Plain | None = None
    play: str | None = None
    """an http(s) URL"""
    voice: str | None = None
    language: str | None = None
    times: int = 1


class Say(msgspec.Struct, frozen=True, kw_only=True):
    """Say or play something, and go on."""

    speech: Speech
    next: str | None


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Wait so many seconds, and go on."""

    seconds: int
    next: str | None


class Choose(msgspec.Struct, frozen=True, kw_only=True):
    """Go on by the opening hours of the flow."""

    ways: Mapping[Day, str]


class Gather(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for digits, or words, and go on by them."""

    prompt: Speech
    ways: Mapping[str, str]
    """by what was pressed, or by what is among the words that were said (lower case)"""
    other: str | None = None
    """where every other input goes, such as a customer's number; without it that is a wrong input"""
    digits: int | None = None
    """how many at most"""
    finish_on_key: str = "#"
    timeout: int = 5
    speech: bool = False
    hints: tuple[str, ...] = ()
    retries: int = 2
    sorry: Speech | None = None
    no_input: str
    wrong_input: str


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to dial."""

    kind: Literal["number", "client", "sip", "queue", "conference"]
    name: Text | Plain
    """a number, a client's name without `client:`, or an address with `sip:`; it may come from the request's data"""

    @property
    def is_literal(self) -> bool:
        """Whether the operator wrote the whole name, so that no value of a call can change it."""
        return isinstance(self.name, Plain) or not self.name.names


class Conference(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody takes part in a conference."""

    moderator: bool = True
    """it begins when a moderator comes"""
    ends: bool = True
    """and ends when one goes"""
    muted: bool = False
    music: str | None = None


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """Connect with somebody."""

    targets: tuple[Target, ...]
    together: bool = False
    """all at once, and who answers first has it; else one after the other"""
    timeout: int = 20
    time_limit: int | None = None
    caller_id: str | None = None
    record: bool = False
    whisper: Speech | None = None
    """heard by who answers, before the two are connected"""
    screen: bool = False
    """who answers has to press a key, so that no machine takes the call"""
    may_press: bool = False
    """who answers may press a key to be connected at once, and is connected without one after a while"""
    conference: Conference | None = None
    answered: str | None = None
    ways: Mapping[str, str]
    """by what became of it, one of UNREACHED; every one of them has a way"""


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Let the caller wait for an agent."""

    name: str
    wait: Speech | None = None
    """said again and again; its text may use `position`"""
    music: str | None = None
    leave_key: str | None = None
    leave: str | None = None
    full: str
    max_size: int = 100
    max_wait_seconds: int | None = None
    next: str | None = None
    """after the talk"""


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """Connect an agent with the next caller of a queue."""

    queue: str
    whisper: Speech | None = None
    """heard by the caller who waited"""
    empty: str
    next: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Record what is said."""

    prompt: Speech
    max_seconds: int = 120
    silence: int = 5
    finish_on_key: str = "#"
    beep: bool = True
    transcribe: bool = False
    empty: str
    """where it goes when nothing was said"""
    next: str | None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Text somebody, by way of the outbound queue: once."""

    body: Text
    to: Text | None = None
    """the other end of the call where it names nobody"""
    next: str | None


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """Leave to TwiML somewhere else, or to another flow."""

    url: str | None = None
    method: Literal["GET", "POST"] = "POST"
    """of the request for the URL"""
    flow: str | None = None
    step: str | None = None


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """Turn a call down before it is answered."""

    reason: Literal["rejected", "busy"]


class Hangup(msgspec.Struct, frozen=True, kw_only=True):
    """End the call, perhaps with a last word."""

    say: Speech | None = None


Action = Say | Pause | Choose | Gather | Dial | Queue | Take | Record | Message | Redirect | Reject | Hangup


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: what it does, and what is told when it is reached."""

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
    """When somebody is there, by the clocks of a place."""

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
