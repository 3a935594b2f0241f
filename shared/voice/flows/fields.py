"""What may stand in a flow's file: its tables as they are written, by the kind of step. Pure.

A field's type and range are its own; what needs a word of its own, such as names, numbers and URLs, is read in `steps`.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

Seconds = Annotated[int, Meta(ge=1, le=600)]
Long = Annotated[int, Meta(ge=1, le=86_400)]
"""seconds, up to the 24 hours of the longest call: https://www.twilio.com/docs/voice/twiml/dial#timelimit"""
Ringing = Annotated[int, Meta(ge=5, le=600)]
"""https://www.twilio.com/docs/voice/twiml/dial#timeout"""
Recorded = Annotated[int, Meta(ge=2, le=14_400)]
"""https://www.twilio.com/docs/voice/twiml/record#maxlength"""
Times = Annotated[int, Meta(ge=1, le=100)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]
Spoken = str | dict[str, Any]
"""a text, or `{ say = … }`, or `{ play = … }`"""


class _Table(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Speech(_Table, frozen=True, kw_only=True):
    """Something that is heard, where a text alone doesn't say it all."""

    say: str | None = None
    play: str | None = None
    voice: Word | None = None
    language: Word | None = None
    times: Times = 1


class _Step(_Table, frozen=True, kw_only=True):
    event: str | None = None


class _Speaking(_Step, frozen=True, kw_only=True):
    voice: Word | None = None
    language: Word | None = None


class Say(_Speaking, frozen=True, kw_only=True):
    """`say = …`."""

    say: str
    times: Times = 1
    next: str


class Play(_Step, frozen=True, kw_only=True):
    """`play = …`."""

    play: str
    times: Times = 1
    next: str


class Pause(_Step, frozen=True, kw_only=True):
    """`pause = …`."""

    pause: Seconds
    next: str


class Choose(_Step, frozen=True, kw_only=True):
    """`choose = "hours"`."""

    choose: Literal["hours"]
    open: str
    closed: str
    holiday: str | None = None


class Gather(_Speaking, frozen=True, kw_only=True):
    """`gather = …`."""

    gather: Spoken
    on: dict[str, Any] = {}
    other: str | None = None
    digits: Annotated[int, Meta(ge=1, le=100)] | None = None
    finish_on_key: str = "#"
    timeout: Seconds = 5
    speech: bool = False
    hints: list[Word] = []
    retries: Annotated[int, Meta(ge=0, le=10)] = 2
    sorry: Spoken | None = None
    no_input: str | None = None
    wrong_input: str | None = None


class Dial(_Speaking, frozen=True, kw_only=True):
    """`dial = …`."""

    dial: str | dict[str, Any] | list[str | dict[str, Any]]
    together: bool = False
    timeout: Ringing = 20
    time_limit: Long | None = None
    caller_id: str | None = None
    record: bool = False
    whisper: Spoken | None = None
    screen: bool = False
    answered: str | None = None
    unanswered: str | None = None
    busy: str | None = None
    no_answer: str | None = msgspec.field(default=None, name="no-answer")
    failed: str | None = None
    canceled: str | None = None


class Room(_Table, frozen=True, kw_only=True):
    """`dial = { conference = … }`."""

    conference: str
    moderator: bool = True
    muted: bool = False
    music: str | None = None


class Waiting(_Table, frozen=True, kw_only=True):
    """`dial = { queue = … }`."""

    queue: str


class Queue(_Speaking, frozen=True, kw_only=True):
    """`queue = …`."""

    queue: str
    wait: Spoken | None = None
    music: str | None = None
    leave_key: str | None = None
    leave: str | None = None
    full: str
    max_size: Annotated[int, Meta(ge=1, le=5000)] = 100
    max_wait_seconds: Long | None = None
    next: str | None = None


class Take(_Speaking, frozen=True, kw_only=True):
    """`take = …`."""

    take: str
    whisper: Spoken | None = None
    empty: str
    next: str | None = None


class Record(_Speaking, frozen=True, kw_only=True):
    """`record = …`."""

    record: Spoken
    max_seconds: Recorded = 120
    silence: Seconds = 5
    finish_on_key: str = "#"
    beep: bool = True
    transcribe: bool = False
    empty: str | None = None
    next: str


class Message(_Step, frozen=True, kw_only=True):
    """`message = …`."""

    message: str
    to: str | None = None
    next: str


class Redirect(_Step, frozen=True, kw_only=True):
    """`redirect = …`."""

    redirect: str | dict[str, Any]


class Elsewhere(_Table, frozen=True, kw_only=True):
    """`redirect = { flow = … }`."""

    flow: str
    step: str | None = None


class Reject(_Step, frozen=True, kw_only=True):
    """`reject = …`."""

    reject: Literal["rejected", "busy"]


class Hangup(_Speaking, frozen=True, kw_only=True):
    """`hangup = true`."""

    hangup: bool
    say: Spoken | None = None


class Hours(_Table, frozen=True, kw_only=True):
    """`[hours]`."""

    open: list[str]
    holidays: list[Any] = []


class Document(_Table, frozen=True, kw_only=True):
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


STEPS: Final[dict[str, type[msgspec.Struct]]] = {
    "say": Say,
    "play": Play,
    "pause": Pause,
    "choose": Choose,
    "gather": Gather,
    "dial": Dial,
    "queue": Queue,
    "take": Take,
    "record": Record,
    "message": Message,
    "redirect": Redirect,
    "reject": Reject,
    "hangup": Hangup,
}
"""what a step may do, by the key that says so"""
