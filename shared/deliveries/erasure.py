"""Erasing one delivery because somebody asks for it: here and at Twilio."""

from typing import Protocol

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import SwitchboardError


class NotErasable(SwitchboardError):
    """It is not over: what comes of it would be written again."""


class Eraser(Protocol):
    """What erasing needs of Twilio; `shared.twilio_api.TwilioApi` is the real one."""

    async def erase_message(self, sid: str) -> None:
        """Remove a message and what it said."""

    async def erase_recordings(self, call_sid: str) -> None:
        """Remove the recordings of a call."""


async def erase(delivery: Delivery, *, log: DeliveryLog, provider: Eraser) -> None:
    """Erase the text, numbers, recordings and events of a delivery that is over; its tombstone stays.

    Raises:
        NotErasable: it is not over.
        Changed: somebody did something with it just now.
        TwilioRefused, TwilioUnavailable, TwilioUnclear, azure.core's errors: not all is erased; ask again.
    """
    if not delivery.is_final:
        raise NotErasable(f"expected a final status, it is {delivery.status}")
    if delivery.erased:
        return
    remove = provider.erase_message if delivery.channel == "sms" else provider.erase_recordings
    for sid in filter(None, (*delivery.past_sids, delivery.sid)):
        await remove(sid)
    await log.erase(delivery)
