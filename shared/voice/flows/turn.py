"""What a walk is given at each turn of a call, and what it gives back. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Part = Literal["enter", "done", "wait", "whisper", "screen"]
"""of a step: coming to it; its verb's action request; a queue's waitUrl; what who answers hears; the key they press"""


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
    inputs: Mapping[str, str] = field(default_factory=dict)
    """by step, what was pressed or said so far, as far as texts use it"""
    form: Mapping[str, str] = field(default_factory=dict)
    """Twilio's fields: Digits, SpeechResult, DialCallStatus, QueueResult, RecordingUrl, AnsweredBy, QueuePosition …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something for the record of the delivery; `key` tells it apart within the call, so that told twice it is one."""

    key: str
    what: Mapping[str, Any]
    """flow, step and event, digits, speech, recording, queue result, dial status …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToSend:
    """A text that a step sends; `key` makes its request's id together with the call's SID."""

    key: str
    to: str
    body: str


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
    may_dial: Callable[[str], bool]
    """whether an address of a flow may be dialled: ALLOWED_COUNTRIES"""
    default_from: str | None
    """the app's own number, as caller id where nothing else is one"""
    max_call_seconds: int
