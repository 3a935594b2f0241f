"""Conferences: who is in, when it begins and ends, who is told.

https://www.twilio.com/docs/voice/twiml/conference
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import msgspec

from local.twilio.forms import new_sid
from local.twilio.twiml import Source

ENOUGH = 2


class Talker(Protocol):
    """A call in a conference."""

    @property
    def sid(self) -> str:
        """The call's SID."""

    def interrupt(self, signal: Exception) -> None:
        """Have the call's own task leave what it is at."""

    def nudge(self) -> None:
        """Have whoever waits in this conversation look again."""

    def did(self, kind: str, what: str) -> None:
        """Add to the transcript."""


class Begun(Exception):
    """The conference begins, or ends, for those who wait."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A conference, to be looked at."""

    sid: str
    name: str
    started: bool
    participants: tuple[str, ...]


@dataclass(eq=False, slots=True, kw_only=True)
class Member:
    """Somebody in a conference; `idle` says that nothing more comes of them by themselves."""

    leg: Talker
    starts: bool
    ends: bool
    muted: bool
    live: bool
    waiting: bool = False
    idle: bool = False

    def fields(self) -> dict[str, str]:
        """What the callbacks say of them."""
        return {
            "CallSid": self.leg.sid,
            "Muted": str(self.muted).lower(),
            "Hold": "false",
            "Coaching": "false",
            "EndConferenceOnExit": str(self.ends).lower(),
            "StartConferenceOnEnter": str(self.starts).lower(),
        }


@dataclass(eq=False, slots=True, kw_only=True)
class Conference:
    """A conference from its first participant to its last.

    The callback is that of whoever came first with one; `events` are in the words of statusCallbackEvent.
    """

    name: str
    sid: str = field(default_factory=lambda: new_sid("CF"))
    callback: Source | None = None
    events: frozenset[str] = frozenset()
    members: list[Member] = field(default_factory=list)
    started: bool = False
    ended: bool = False
    ender: str | None = None
    sequence: "count[int]" = field(default_factory=lambda: count(1))

    def join(self, member: Member) -> bool:
        """Let somebody in; whether that begins the conference."""
        self.members.append(member)
        begins = not self.started and len(self.members) >= ENOUGH and any(other.starts for other in self.members)
        if begins:
            self.started = True
            self._rouse()
        return begins

    def leave(self, member: Member) -> bool:
        """Let somebody out, and all others where the conference ends with them; whether it is over now."""
        self.members.remove(member)
        if member.ends and not self.ended:
            self.ender = member.leg.sid
        if member.ends or not self.members:
            self.ended = True
            self._rouse()
        self.nudge()
        return self.ended

    def nudge(self) -> None:
        """Have everybody look again."""
        for member in self.members:
            member.leg.nudge()

    def all_idle(self) -> bool:
        """Whether nothing more will happen in here by itself."""
        return self.started and all(member.idle for member in self.members)

    def hear(self, speaker: Member, words: str) -> None:
        """Let everybody else hear what somebody says who is not muted."""
        for member in self.members:
            if member is not speaker and not speaker.muted:
                member.leg.did("heard", words)

    def _rouse(self) -> None:
        for member in self.members:
            if member.waiting:
                member.leg.interrupt(Begun())

    def shown(self) -> Shown:
        """The conference, to be looked at."""
        participants = tuple(member.leg.sid for member in self.members)
        return Shown(sid=self.sid, name=self.name, started=self.started, participants=participants)
