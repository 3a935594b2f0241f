"""Erasing one delivery because somebody asks for it: here and at Twilio."""

from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import SwitchboardError

_SILENT_FOR: Final = timedelta(days=1)
"""nothing more is to be expected of what Twilio said nothing of for so long; what comes after all is dropped"""


class NotErasable(SwitchboardError):
    """It is not over: it would still be sent, or what comes of it would be written again."""


class Eraser(Protocol):
    """What erasing needs of Twilio; `shared.twilio_api.TwilioApi` is the real one."""

    async def erase_message(self, sid: str) -> None:
        """Remove a message and what it said."""

    async def erase_recordings(self, call_sid: str) -> None:
        """Remove the recordings of a call."""


async def erase(
    delivery: Delivery, *, log: DeliveryLog, provider: Eraser, now: datetime, by: str | None = None
) -> None:
    """Erase the text, numbers, recordings and events of a delivery that is over; its tombstone stays.

    So is one that Twilio has and said nothing of for a day, and one that was left for a person. What may be at Twilio
    of that one, or belongs to somebody else, stays there. The tombstone says when it was erased and, if they named
    themselves in `by`, who asked for it.

    Raises:
        NotErasable: it is not over.
        Changed: somebody did something with it just now; nothing is erased here.
        TwilioRefused, TwilioUnavailable, TwilioUnclear, azure.core's errors: not all is erased; ask again.
    """
    check(delivery, now=now)
    remove = provider.erase_message if delivery.channel == "sms" else provider.erase_recordings
    for sid in filter(None, (*delivery.past_sids, delivery.sid)):
        if sid == delivery.sid or await log.owner_of(sid) == delivery.id:
            await remove(sid)
    await log.erase(delivery, now=now, by=by)


def check(delivery: Delivery, *, now: datetime, name: str = "it") -> None:
    """Make sure that a delivery is over.

    Raises:
        NotErasable: it is not; the error says which one by `name`.
    """
    if not (delivery.erased or _is_over(delivery, now)):
        raise NotErasable(f"expected a final status, or a day without news from Twilio, {name} is {delivery.status}")


def _is_over(delivery: Delivery, now: datetime) -> bool:
    if delivery.is_ours_to_send:
        return delivery.is_left_for_a_person
    return delivery.is_final or now - delivery.updated_at >= _SILENT_FOR
