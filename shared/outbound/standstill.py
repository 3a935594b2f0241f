"""How many requests wait in the queue, and for how long the first of them: for whoever asks about the app's health."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from shared.errors import SwitchboardError
from shared.queues import Backlog, Queue

_TOO_OLD: Final = timedelta(days=1)
_STANDS_FOR: Final = timedelta(minutes=1)
"""a message that was hidden for days is as old as that when it shows itself, and is taken within seconds then"""


class QueueStandsStill(SwitchboardError):
    """A request has waited for long, and nobody takes it."""


class Waiting:
    """Looks at the queue of requests. A long queue is no fault; one that nobody takes messages from is."""

    def __init__(self, *, queue: Queue, poison: Queue, clock: Callable[[], datetime]) -> None:
        self._queue = queue
        self._poison = poison
        self._clock = clock
        self._front: tuple[str | None, datetime] = (None, clock())
        self._facts: dict[str, Any] = {}

    async def check(self) -> None:
        """Make sure that the queue answers, and that its messages are taken.

        Raises:
            QueueStandsStill: its first message was put there more than a day ago, and was its first one a minute ago.
        """
        self._facts = {}
        now = self._clock()
        found = await self._queue.backlog()
        poison = await self._poison.backlog()
        age = None if found.front_since is None else max(now - found.front_since, timedelta(0))
        self._facts = {
            "messages": found.messages,
            "oldest_at": found.front_since,
            "oldest_age_seconds": None if age is None else round(age.total_seconds()),
            "poison_messages": poison.messages,
        }
        if self._stood_for(found, now) >= _STANDS_FOR and age is not None and age > _TOO_OLD:
            raise QueueStandsStill(f"its first message has waited for {age.days} days, and nobody takes it")

    def facts(self) -> dict[str, Any]:
        """Return what the last look found; nothing where it found nothing."""
        return {"queue": self._facts} if self._facts else {}

    def _stood_for(self, found: Backlog, now: datetime) -> timedelta:
        """Return for how long this message is known to be the first one."""
        if found.front is None or found.front != self._front[0]:
            self._front = (found.front, now)
        return now - self._front[1]
