"""Canceling what waits: a delivery that nobody is sending at this moment, and that Twilio does not have."""

from datetime import datetime
from typing import Final

import msgspec

from shared.deliveries import status
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import SwitchboardError
from shared.outbound.outcomes import own_event

CANCELABLE: Final = frozenset({status.SCHEDULED, status.RETRYING})
MAY_HAVE_LEFT: Final = frozenset({status.SUBMITTING, status.UNCERTAIN})
"""not over, and too late to cancel"""


class NotCancelable(SwitchboardError):
    """It has left, may have left, is being sent now, or is over."""


async def cancel(delivery: Delivery, *, log: DeliveryLog, now: datetime, by: str | None = None) -> Delivery:
    """End a delivery that waits, and return it; one that is canceled already is returned as it is.

    The state is marked first (`cancel_asked_at`), and nothing is sent from then on. Only then follow the event and the
    final state. So no reader of the feed is told of a cancellation that a sender was quicker than. After a crash in
    between, the sender ends it when it is due.

    Raises:
        NotCancelable: it does not wait; the error says in which status it is.
        Changed: somebody else did something with it just now, such as sending it.
    """
    if delivery.attempts:
        # a crash may have come between an event of Twilio's and the state
        delivery = await log.fold_again(delivery)
    if delivery.status == status.CANCELED:
        return delivery
    if delivery.status not in CANCELABLE:
        raise NotCancelable(f"expected one of {', '.join(sorted(CANCELABLE))}, it is {delivery.status}")
    if delivery.cancel_asked_at is None:
        marked = msgspec.structs.replace(delivery, cancel_asked_at=now, cancel_asked_by=by, updated_at=now)
        delivery = await log.change(delivery, marked)
    after = msgspec.structs.replace(delivery, status=status.CANCELED, next_attempt_at=None, waits_for=None)
    return await log.change(delivery, after, own_event(after, {"reason": "canceled"}, by=after.cancel_asked_by))
