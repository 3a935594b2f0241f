"""Finding out whether an attempt without an answer reached Twilio, before anything is sent again."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.logs import about
from shared.outbound.gate import Gate
from shared.outbound.internal import to_take_again
from shared.outbound.outcomes import Outcomes, asked_for, own_event, shown
from shared.outbound.provider import Provider, Resource
from shared.outbound.reconcile import begins, candidates, is_alike
from shared.outbound.request import Request
from shared.queues import Queue

_logger: Final = logging.getLogger(__name__)
_AGAIN: Final = timedelta(seconds=30)
_AGAIN_AT_MOST: Final = timedelta(minutes=15)


class Finder:
    """Looks through what Twilio has for a recipient, and adopts what the delivery's last attempt left there."""

    def __init__(
        self,
        *,
        log: DeliveryLog,
        queue: Queue,
        provider: Provider,
        outcomes: Outcomes,
        gate: Gate,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._queue = queue
        self._provider = provider
        self._outcomes = outcomes
        self._gate = gate
        self._clock = clock

    async def is_free(self, delivery: Delivery, request: Request) -> bool:
        """Return True where the look found nothing: the request may be claimed again, with the version of `delivery`.

        False otherwise: it was adopted, or is left for a person, or the look failed and will be made again.
        """
        now = self._clock()
        wait = self._gate.wait(now)
        if wait is not None:
            await self._look_again_later(delivery, at_least=wait)
            return False
        try:
            listed = await self._list(request, delivery)
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            await self._gate.heed(exc, now)
            again = await self._look_again_later(delivery, at_least=asked_for(exc))
            about(_logger, delivery.id).warning(
                "a look at Twilio failed, which is no look: %s, again at %s", exc, shown(again)
            )
            return False
        await self._gate.open()
        return await self._is_none_its_own(listed, delivery, request)

    async def _is_none_its_own(self, listed: list[Resource], delivery: Delivery, request: Request) -> bool:
        for owner, resource in await self._not_of_others(candidates(listed, delivery, request), delivery):
            if owner is None and not is_alike(resource, request):
                await self._leave(delivery, resource)
                return False
            if await self._log.own_sid(resource.sid, delivery.id) == delivery.id:
                about(_logger, delivery.id).info("found at Twilio", extra={"sid": resource.sid})
                await self._outcomes.accepted(delivery, resource, at=self._clock(), source="found")
                return False
        return True

    async def _not_of_others(self, found: list[Resource], delivery: Delivery) -> list[tuple[str | None, Resource]]:
        """Return what belongs to nobody, and before it what is the delivery's own.

        A crash may have come between owning and recording. To adopt another one then would leave none to a request
        that is like this one, and it would be sent again.
        """
        owned = [(await self._log.owner_of(one.sid), one) for one in found if one.sid not in delivery.past_sids]
        return [
            *(pair for pair in owned if pair[0] == delivery.id),
            *(pair for pair in owned if pair[0] is None),
        ]

    async def _list(self, request: Request, delivery: Delivery) -> list[Resource]:
        look = self._provider.messages_to if request.channel == "sms" else self._provider.calls_to
        return await look(request.to, since=begins(delivery))

    async def _look_again_later(self, delivery: Delivery, *, at_least: timedelta) -> datetime:
        waited = self._clock() - (delivery.deadline or delivery.updated_at)
        delay = max(min(max(waited, _AGAIN), _AGAIN_AT_MOST), at_least)
        await self._queue.put(to_take_again(delivery.id, delivery.request), delay=delay)
        return self._clock() + delay

    async def _leave(self, delivery: Delivery, resource: Resource) -> None:
        if resource.sid in delivery.candidates:
            return
        sids = (*delivery.candidates, resource.sid)
        reason = f"left for a person: Twilio has {', '.join(sids)}, which differs in its text only and may be this one"
        about(_logger, delivery.id).error("it may be at Twilio with another text: %s", reason)
        left = msgspec.structs.replace(
            delivery, candidates=sids, error_message=reason, next_attempt_at=None, updated_at=self._clock()
        )
        event = own_event(left, {"reason": reason, "candidate": resource.sid}, key=f"candidate:{resource.sid}")
        await self._log.change(delivery, left, event)
