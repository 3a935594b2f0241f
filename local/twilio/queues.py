"""Queues of callers who wait for somebody to take them.

https://www.twilio.com/docs/voice/twiml/enqueue
"""

from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from local.twilio.forms import new_sid
from local.twilio.twiml import Source

DEFAULT_MAX_SIZE = 1000


class Waiter(Protocol):
    """A call that waits, or waits for somebody who does."""

    @property
    def sid(self) -> str:
        """The call's SID."""

    @property
    def clock(self) -> float:
        """How many seconds the call has lasted."""

    def interrupt(self, signal: Exception) -> None:
        """Have the call's own task leave what it is at."""

    def nudge(self) -> None:
        """Have whoever waits in this conversation look again."""


class Taken(Exception):
    """Somebody takes the caller who hears this; `url` is what they hear before, `by` the call that does."""

    def __init__(self, *, url: Source | None, by: str) -> None:
        self.url = url
        self.by = by
        super().__init__()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A queue, to be looked at: who waits, in order."""

    sid: str
    name: str
    max_size: int
    callers: tuple[str, ...]


@dataclass(eq=False, slots=True, kw_only=True)
class Place:
    """A caller's place: whether somebody is talking to them, and whether they went their way."""

    leg: Waiter
    since: float
    bridged: bool = False
    gone: bool = False

    @property
    def seconds(self) -> int:
        """How long this caller has been waiting."""
        return round(self.leg.clock - self.since)


@dataclass(eq=False, slots=True, kw_only=True)
class Queue:
    """One queue; `dialers` are the calls that wait for somebody to come."""

    name: str
    sid: str
    max_size: int = DEFAULT_MAX_SIZE
    places: list[Place] = field(default_factory=list)
    dialers: list[Waiter] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether nobody else fits in."""
        return len(self.places) >= self.max_size

    def enter(self, leg: Waiter) -> Place:
        """Wait at the end of the queue."""
        place = Place(leg=leg, since=leg.clock)
        self.places.append(place)
        for dialer in self.dialers:
            dialer.nudge()
        return place

    def leave(self, place: Place) -> None:
        """Wait no longer; nothing happens where somebody took the caller."""
        if place in self.places:
            self.places.remove(place)

    def position(self, place: Place) -> dict[str, str]:
        """What the waitUrl is told."""
        waiting = [other.seconds for other in self.places]
        return {
            "QueuePosition": str(self.places.index(place) + 1),
            "QueueSid": self.sid,
            "QueueTime": str(place.seconds),
            "AvgQueueTime": str(round(sum(waiting) / len(waiting))),
            "CurrentQueueSize": str(len(self.places)),
            "MaxQueueSize": str(self.max_size),
        }


class Queues:
    """All of them, by name."""

    def __init__(self) -> None:
        self._queues: dict[str, Queue] = {}

    def get(self, name: str) -> Queue | None:
        """The queue of a name, if somebody made it."""
        return self._queues.get(name)

    def made(self, name: str) -> Queue:
        """The queue of a name, made where it is not there."""
        return self._queues.setdefault(name, Queue(name=name, sid=new_sid("QU")))

    def shown(self) -> list[Shown]:
        """All of them, to be looked at."""
        return [
            Shown(
                sid=queue.sid,
                name=queue.name,
                max_size=queue.max_size,
                callers=tuple(place.leg.sid for place in queue.places),
            )
            for queue in self._queues.values()
        ]

    def clear(self) -> None:
        """Forget them."""
        self._queues.clear()
