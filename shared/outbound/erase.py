"""Erasing a delivery because somebody asks for it, with all that was derived from it."""

from datetime import datetime

from shared.deliveries import erasure
from shared.deliveries.derived import Derivations
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import Changed
from shared.outbound.cancel import CANCELABLE, cancel


async def erase_with_derived(
    first: Delivery,
    *,
    derivations: Derivations,
    log: DeliveryLog,
    provider: erasure.Eraser,
    now: datetime,
    by: str | None = None,
) -> list[Delivery]:
    """Erase a delivery and what was derived from it, that first; what waits is canceled before anything is erased.

    Return those that this erased, as they were.

    Raises:
        NotErasable: one of them is not over; the error names it. Nothing is canceled or erased.
        NotCancelable: Twilio has one that seemed to wait: its state was not up to date.
        Changed: somebody did something with one of them just now, or another one was derived; ask again.
        TwilioRefused, TwilioUnavailable, TwilioUnclear, azure.core's errors: not all is erased; ask again.
    """
    derived = await derivations.of(first)
    for delivery in (first, *derived):
        if delivery.status not in CANCELABLE:
            erasure.check(delivery, now=now, name="it" if delivery is first else delivery.id)
    # by the first the others are found: it goes last, so that asking again finds what a failure left
    over = [
        await cancel(delivery, log=log, now=now, by=by) if delivery.status in CANCELABLE else delivery
        for delivery in (*derived, first)
    ]
    for delivery in over:
        await erasure.erase(delivery, log=log, provider=provider, now=now, by=by)
    if {one.id for one in await derivations.of(first)} - {one.id for one in derived}:
        raise Changed("another delivery was derived from this one while it was being erased")
    return [delivery for delivery in (*derived, first) if not delivery.erased]
