"""Canceling a schedule with all that it made and that still waits: a page at a time, and again after a crash."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.deliveries.derived import Derivations, first_made, is_made_by
from shared.deliveries.log import DeliveryLog
from shared.errors import Changed
from shared.outbound.cancel import CANCELABLE, MAY_HAVE_LEFT, NotCancelable, cancel

WAITS_FOR: Final = timedelta(days=33)
"""longer than a delivery waits by its schedule's own rules: `send_within_seconds` is 30 days at most, and quiet hours
and a retry take some days more"""
_CANCELED: Final = 100
"""a page cancels no more deliveries than this"""
_EXAMINED: Final = 5_000
"""nor does it look at more"""


@dataclass(frozen=True, slots=True)
class Page:
    """What became of some of a schedule's deliveries; all who stand in neither list were over."""

    canceled: tuple[str, ...]
    too_late: tuple[str, ...]
    """they are being sent, or may have been"""
    examined: int
    cursor: str | None
    """the id of the last one that was looked at; None where there are no more"""


async def cancel_made(
    schedule_id: str,
    *,
    since: datetime,
    cursor: str | None,
    derivations: Derivations,
    log: DeliveryLog,
    now: datetime,
    by: str | None,
) -> Page:
    """Cancel the deliveries that a schedule made for `since` or later, and that wait; go on from where a page ended.

    Their fallbacks and texts of flows count as made by it, too. It may be repeated.

    Raises:
        azure.core's errors: some may be canceled; asking again does no harm.
    """
    made = await derivations.made_by(schedule_id, after=cursor or first_made(schedule_id, since), limit=_EXAMINED)
    canceled: list[str] = []
    too_late: list[str] = []
    for number, one in enumerate(made, start=1):
        if not is_made_by(schedule_id, one.id):
            continue
        if one.status in CANCELABLE:
            is_done = await _is_canceled(one.id, log=log, now=now, by=by)
            (canceled if is_done else too_late).append(one.id)
        elif one.status in MAY_HAVE_LEFT:
            too_late.append(one.id)
        if len(canceled) == _CANCELED:
            return Page(tuple(canceled), tuple(too_late), number, one.id)
    more = made[-1].id if len(made) == _EXAMINED else None
    return Page(tuple(canceled), tuple(too_late), len(made), more)


async def _is_canceled(delivery_id: str, *, log: DeliveryLog, now: datetime, by: str | None) -> bool:
    delivery = await log.get(delivery_id)
    if delivery is None:
        return False
    try:
        await cancel(delivery, log=log, now=now, by=by)
    except (NotCancelable, Changed):
        return False
    return True
