"""Waking deliveries whose time comes: soon by a message of the queue, later by a row of the agenda."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.agenda import Agenda, DeliveryDue
from shared.deliveries.record import Delivery
from shared.outbound import internal
from shared.outbound.message import names_fallback
from shared.queues import Queue

_SOON: Final = timedelta(minutes=10)
"""what comes sooner keeps its second; the agenda waits for the timer"""
_A_SECOND: Final = timedelta(seconds=1)
_BEFORE_THE_STATE: Final = timedelta(seconds=2)
"""a message about a state that is just being written is to find it"""
_MOST_TRIES: Final = 10


class Wakes:
    """Written before the state that relies on them; one too many does no harm."""

    def __init__(self, *, queue: Queue, agenda: Agenda, clock: Callable[[], datetime]) -> None:
        self._queue = queue
        self._agenda = agenda
        self._clock = clock

    async def set(self, delivery: Delivery) -> None:
        """Wake a delivery when its next attempt is due."""
        now = self._clock()
        due = delivery.next_attempt_at or now
        if due - now <= _SOON:
            delay = max(due - now + _A_SECOND, _BEFORE_THE_STATE)
            await self._queue.put(internal.write(internal.Wake(delivery.id)), delay=delay)
        else:
            await self._agenda.put(DeliveryDue(delivery.id), due)

    async def ended(self, delivery: Delivery) -> None:
        """Enqueue a follow-up for a delivery that is ending, if its request has a fallback."""
        if delivery.request is not None and names_fallback(delivery.request):
            await self.follow_up(delivery.id)

    async def follow_up(self, delivery_id: str, *, delay: timedelta = _BEFORE_THE_STATE) -> None:
        """Look after `delay` (7 days at most) whether a delivery's second way is wanted."""
        await self._queue.put(internal.write(internal.FollowUp(delivery_id)), delay=delay)

    async def again(self, message: internal.Wake | internal.FollowUp) -> None:
        """Look once more a little later, where what was told is not on record yet; give up after some minutes."""
        if message.tries < _MOST_TRIES:
            later = msgspec.structs.replace(message, tries=message.tries + 1)
            await self._queue.put(internal.write(later), delay=_A_SECOND * 2**message.tries)
