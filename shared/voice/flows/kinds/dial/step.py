"""A step that dials: its table in the file, and its action. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared.voice.flows import fields
from shared.voice.flows.model import Action, Speech
from shared.voice.flows.targets import Target


class Table(fields.Speaking, frozen=True, kw_only=True):
    """`dial = …`."""

    dial: str | dict[str, Any] | list[str | dict[str, Any]]
    together: bool = False
    timeout: Annotated[int, Meta(ge=5, le=600)] = 20
    """https://www.twilio.com/docs/voice/twiml/dial#timeout"""
    time_limit: fields.Long | None = None
    caller_id: str | None = None
    record: bool = False
    whisper: fields.Spoken | None = None
    screen: bool = False
    answered: str | None = None
    unanswered: str | None = None
    busy: str | None = None
    no_answer: str | None = msgspec.field(default=None, name="no-answer")
    failed: str | None = None
    canceled: str | None = None


class ConferenceTable(fields.Table, frozen=True, kw_only=True):
    """`dial = { conference = … }`."""

    conference: str
    moderator: bool = True
    muted: bool = False
    music: str | None = None


class QueueTable(fields.Table, frozen=True, kw_only=True):
    """`dial = { queue = … }`."""

    queue: str


class Conference(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller takes part in a conference."""

    moderator: bool = True
    """the conference begins when a moderator joins"""
    ends: bool = True
    """and ends when a moderator leaves"""
    muted: bool = False
    music: str | None = None


class Dial(Action, frozen=True, kw_only=True):
    """Connect the caller with somebody."""

    targets: tuple[Target, ...]
    together: bool = False
    """dial all targets at once, and the first to answer takes the call; else one after the other"""
    timeout: int = 20
    time_limit: int | None = None
    caller_id: str | None = None
    record: bool = False
    whisper: Speech | None = None
    """what the callee hears before the two calls are connected"""
    screen: bool = False
    """the callee has to press a key, so that no machine takes the call"""
    may_press: bool = False
    """the callee may press a key to be connected at once, and is connected without a key after a while"""
    conference: Conference | None = None
    answered: str | None = None
    branches: Mapping[str, str]
    """the next step by DialCallStatus; every one of UNANSWERED has one"""
