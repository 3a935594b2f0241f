"""What the owner row of a SID is worth: the state of the delivery that it names decides."""

import pytest

from shared.deliveries import status
from shared.deliveries.owners import Ownership, ownership
from shared.deliveries.record import Delivery, tombstone
from tests.deliveries.samples import OTHER_SID, SID, a_delivery
from tests.deliveries.stepping import World

SETTLED, OPEN, NOBODY = Ownership("order-1", is_settled=True), Ownership("order-1"), Ownership()


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        (a_delivery(sid=SID, status="sent"), SETTLED),
        (a_delivery(sid=OTHER_SID, past_sids=(SID,), status="sent"), SETTLED),
        (a_delivery(past_sids=(SID,)), SETTLED),
        (a_delivery(), OPEN),
        (a_delivery(status=status.UNCERTAIN), OPEN),
        (a_delivery(status=status.EXPIRED), SETTLED),
        (a_delivery(sid=OTHER_SID, status="sent"), NOBODY),
        (tombstone(a_delivery(sid=OTHER_SID, status="delivered")), SETTLED),
        (None, SETTLED),
    ],
)
def test_a_row_counts_for_good_for_now_or_not_at_all(delivery: Delivery | None, expected: Ownership) -> None:
    assert ownership(SID, "order-1", delivery) == expected


async def test_only_the_row_that_names_the_delivery_is_released() -> None:
    log = World().log()
    await log.own_sid(SID, "order-1")
    await log._owners.release(SID, "order-2")
    assert await log.owner_of(SID) == "order-1"
    await log._owners.release(SID, "order-1")
    assert await log.ownership(SID) == NOBODY
