"""Canceling what waits: a delivery that nobody is sending at this moment, and that Twilio does not have."""

from datetime import datetime
from typing import Final

import msgspec

from shared.deliveries import status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.outbound.outcomes import own_event

CANCELABLE: Final = frozenset({status.SCHEDULED, status.RETRYING})


async def cancel(delivery: Delivery, *, log: DeliveryLog, now: datetime) -> Delivery:
    """End a delivery that waits, and return it; whatever wakes it later finds it ended.

    Raises:
        Changed: somebody else did something with it just now, such as sending it.
    """
    after = msgspec.structs.replace(
        delivery, status=status.CANCELED, next_attempt_at=None, waits_for=None, updated_at=now
    )
    return await log.change(delivery, after, own_event(after, {"reason": "canceled"}))
