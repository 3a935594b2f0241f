"""What a walk is given at each turn of a call, and what it gives back. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from shared.text.tolls import Countries

Part = Literal["enter", "done", "wait", "whisper", "screen"]
"""of a step: coming to it; its verb's action request; a queue's waitUrl; what who answers hears; the key they press"""
_MOST_DIGITS: Final = 6


def whole_number(text: str | None) -> int | None:
    """Read a count or seconds as Twilio tells them, and as a URL carries them; None where it is no such number."""
    if text and text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS:
        return int(text)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call, as far as a walk goes by it."""

    sid: str
    delivery_id: str
    """of the request that made the call, or the call's SID where it came in"""
    caller: str
    """`From`, which may be text where a caller is anonymous"""
    called: str
    outbound: bool
    data: Mapping[str, Any] = field(default_factory=dict)
    """the values of the request, checked"""
    time_zone: str | None = None

    @property
    def other_end(self) -> str:
        """The person: who calls, or who is called."""
        return self.called if self.outbound else self.caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One webhook of a call: where it stands, and what Twilio tells."""

    step: str
    part: Part = "enter"
    tries: int = 0
    """how often this step asked before"""
    index: int = 0
    """which of several targets is dialled"""
    count: int = 0
    """how many turns the call took before this one; the same however often this very webhook comes"""
    again: int = 0
    """how often this very turn was put off, because of trouble inside"""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """by step, what was pressed or said so far, as far as texts use it"""
    form: Mapping[str, str] = field(default_factory=dict)
    """Twilio's fields: Digits, SpeechResult, DialCallStatus, QueueResult, RecordingUrl, AnsweredBy, QueuePosition …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something for the record of the delivery; `key` tells it apart within the call, so that told twice it is one.

    A key is the turn's `count`, the number of the step within this turn, the step and the kind: a webhook that comes
    twice, or is put off, makes the same keys, and a second visit of the same step others.
    """

    key: str
    what: Mapping[str, Any]
    """`flow` and `step`; and `event`, or what came of the step: digits, speech, a recording, a queue's result, a dial's
    status … `problem` is something that an operator must mend: it belongs into the log as well"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToSend:
    """A text that a step sends; `key` makes its request's id together with the call's SID.

    It is made as those of Happened are: a text goes out once however often a webhook comes, and once for each visit.
    """

    key: str
    to: str
    body: str
    is_capped: bool = False
    """whether a caller chose the recipient, by the caller id, which may be forged, or by an input"""
    told: Mapping[str, Any] = field(default_factory=dict)
    """the flow and the step, for the record"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """The document for Twilio, what is to be recorded and what is to be sent before it is given."""

    twiml: str
    happened: tuple[Happened, ...] = ()
    texts: tuple[TextToSend, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a walk goes by beside the flow and the call."""

    now: datetime
    base_url: str
    """PUBLIC_BASE_URL"""
    default_from: str | None
    """the app's own number, as caller id where nothing else is one"""
    max_call_seconds: int
    allowed_countries: Countries = None
    """ALLOWED_COUNTRIES"""
    settings: Mapping[str, str] = field(default_factory=dict)
    """what texts may use as `setting.NAME`"""
    starts: Mapping[str, str] = field(default_factory=dict)
    """the first step of each flow, for a redirect to a flow that names no step"""
    route: Callable[[str, Turn], str] | None = None
    """where a turn of a delivery's call goes, where that is not the webhook of flows"""
