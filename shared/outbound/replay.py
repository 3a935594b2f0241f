"""Sending again what was rejected or failed, because somebody asks for it: as a new attempt, on record."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.deliveries import status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import SwitchboardError
from shared.outbound.outcomes import own_event
from shared.outbound.request import VALID_FOR
from shared.queues import Queue

_SHORTLY: Final = timedelta(seconds=2)
"""the message is to find the state that it relies on; where it comes too early, housekeeping gives it another"""
REPLAYABLE: Final = frozenset({status.REJECTED, status.FAILED, status.EXPIRED, "undelivered", "busy", "no-answer"})


class NotReplayable(SwitchboardError):
    """It is not over, went well, or nothing is left of it to send."""


async def replay(delivery: Delivery, *, log: DeliveryLog, queue: Queue, now: datetime) -> None:
    """Send a delivery's request again.

    What failed becomes `retrying`, and its next attempt is due now; what it was at Twilio before is remembered. What
    was rejected before it was claimed has never been a request: its message goes to the queue as it came, and may be
    rejected again.

    Raises:
        NotReplayable: there is nothing to send again.
        Changed: somebody else did something with it just now.
        azure.core's errors: it may have been enqueued; asking again does no harm.
    """
    if delivery.status not in REPLAYABLE or delivery.request is None:
        raise NotReplayable(f"expected one of {', '.join(sorted(REPLAYABLE))}, it is {delivery.status}")
    if delivery.status == status.REJECTED and delivery.request_hash is None:
        event = own_event(
            msgspec.structs.replace(delivery, updated_at=now),
            {"reason": "replayed"},
            key=f"replayed:{now:%Y%m%dT%H%M%S}",
        )
        await queue.put(delivery.request)
        await log.change(delivery, delivery, event)
        return
    past = (*delivery.past_sids, delivery.sid) if delivery.sid else delivery.past_sids
    after = msgspec.structs.replace(
        delivery,
        status=status.RETRYING,
        sid=None,
        sequence=None,
        past_sids=past,
        next_attempt_at=now,
        expires_at=now + VALID_FOR,
        updated_at=now,
    )
    await queue.put(delivery.request, delay=_SHORTLY)
    await log.reopen(delivery, after, own_event(after, {"reason": "replayed"}, key=f"replayed:{delivery.attempts}"))
