"""Sending: claim a request, send it, record what Twilio said. See docs/delivery.md."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.consents import Consents
from shared.deliveries import status
from shared.deliveries.keys import is_id
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import Fault, RequestInvalid, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.logs import about
from shared.outbound import parameters
from shared.outbound.claim import OTHER_CONTENT, Attempt, Next, claimed_again, due_at, new_delivery, next_step
from shared.outbound.decode import Decoded, decode, faults_of, id_of
from shared.outbound.find_out import Finder
from shared.outbound.gate import Gate
from shared.outbound.outcomes import Outcomes
from shared.outbound.provider import Provider, Resource
from shared.outbound.request import Request
from shared.queues import Queue
from shared.settings import Settings

_logger: Final = logging.getLogger(__name__)
_SOON: Final = timedelta(seconds=1)


class Sender:
    """Takes messages of the outbound queue. A message that `take` returned from may be deleted from the queue."""

    def __init__(
        self,
        *,
        settings: Settings,
        log: DeliveryLog,
        queue: Queue,
        provider: Provider,
        consents: Consents,
        gate: Gate,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._settle = timedelta(seconds=settings.reconcile_after_seconds)
        self._log = log
        self._queue = queue
        self._provider = provider
        self._consents = consents
        self._gate = gate
        self._clock = clock
        self._outcomes = Outcomes(log=log, queue=queue, consents=consents, gate=gate, settle=self._settle, clock=clock)
        self._finder = Finder(log=log, queue=queue, provider=provider, outcomes=self._outcomes, gate=gate, clock=clock)

    async def take(self, message_id: str, message: bytes, *, enqueued_at: datetime | None = None) -> None:
        """Send what a message asks for, once.

        Raises:
            Changed, azure.core's errors: nothing is lost; the same message must be taken again.
        """
        try:
            decoded = decode(message, self._settings)
        except RequestInvalid as exc:
            await self._refuse(message_id, message, exc.faults)
            return
        attempt = self._begin()
        claimed = await self._log.claim(new_delivery(decoded, message, attempt, enqueued_at=enqueued_at))
        if claimed is not None:
            await self._submit(claimed, decoded.request, attempt)
        else:
            await self._take_again(message_id, message, decoded)

    async def give_up(self, message_id: str, message: bytes, *, reason: str, readable: bool = True) -> None:
        """Take care of what the host gave up: a request that was claimed is looked after without its message.

        One that was not, and can be sent, goes back into the queue: storage was away for as many tries as the host
        makes. What has faults is rejected, and what the host can't even read (`readable` is false).
        """
        if await self._claimed_with(message) is not None:
            return
        faults = faults_of(message, self._settings)
        if readable and not faults:
            about(_logger, id_of(message) or message_id).error(
                "the host gave it up, and it can be sent: enqueued again"
            )
            await self._queue.put(message)
        else:
            await self._outcomes.reject(message_id, message, (Fault("request", reason), *faults))

    async def _refuse(self, message_id: str, message: bytes, faults: tuple[Fault, ...]) -> None:
        claimed = await self._claimed_with(message)
        if claimed is None:
            await self._outcomes.reject(message_id, message, faults)
        elif claimed.status == status.RETRYING:
            # the settings became stricter since it was claimed
            reasons = [str(fault) for fault in faults]
            await self._outcomes.end(claimed, status.REJECTED, {"reasons": reasons}, text="; ".join(reasons))
        else:
            about(_logger, claimed.id).warning("it can't be sent any more, and is %s", claimed.status)

    async def _claimed_with(self, message: bytes) -> Delivery | None:
        """Return the delivery that was claimed with this very message."""
        named = id_of(message)
        delivery = await self._log.get(named) if named is not None and is_id(named) else None
        return delivery if delivery is not None and delivery.request == message else None

    async def _take_again(self, message_id: str, message: bytes, decoded: Decoded) -> None:
        delivery = await self._log.get(decoded.request.id)
        now = self._clock()
        if delivery is None:
            await self._queue.put(message, delay=_SOON)
            return
        step = next_step(delivery, content=decoded.hash, now=now, settle=self._settle)
        if step in {Next.FIND_OUT, Next.SEND}:
            # a crash may have come between an event and the state: what Twilio said counts before anything is sent
            delivery = await self._log.fold_again(delivery)
            step = next_step(delivery, content=decoded.hash, now=now, settle=self._settle)
        # the default sender or region may have changed: what is on record is looked for, and sent again
        to = delivery.to or decoded.request.to
        request = msgspec.structs.replace(decoded.request, to=to, from_=delivery.from_)
        match step:
            case Next.ACKNOWLEDGE:
                about(_logger, delivery.id).info("a duplicate: it is %s already", delivery.status)
            case Next.REFUSE:
                await self._outcomes.reject(message_id, message, (Fault("id", OTHER_CONTENT),))
            case Next.COME_BACK:
                await self._queue.put(message, delay=due_at(delivery, settle=self._settle) - now + _SOON)
            case Next.DOUBT:
                about(_logger, delivery.id).warning("an attempt ended without saying how")
                await self._outcomes.doubt(delivery, reason="the attempt's time passed without an outcome on record")
            case Next.FIND_OUT:
                if await self._finder.is_free(delivery, request):
                    await self._send_again(delivery, request)
            case Next.SEND:
                await self._send_again(delivery, request)

    async def _send_again(self, delivery: Delivery, request: Request) -> None:
        # the version of `delivery` is from before the look: whatever happened since makes this claim fail
        attempt = self._begin()
        claimed = await self._log.change(delivery, claimed_again(delivery, attempt))
        await self._submit(claimed, request, attempt)

    def _begin(self) -> Attempt:
        return Attempt.begin(self._clock(), send_seconds=self._settings.twilio_timeout_seconds)

    async def _submit(self, delivery: Delivery, request: Request, attempt: Attempt) -> None:
        now = self._clock()
        if delivery.expires_at is not None and now >= delivery.expires_at:
            await self._outcomes.end(delivery, status.EXPIRED, {"expires_at": delivery.expires_at})
            return
        wait = self._gate.wait(now)
        if wait is not None:
            await self._outcomes.hold(delivery, wait)
            return
        if request.channel == "sms" and await self._consents.is_opted_out(request.to, request.from_ or ""):
            await self._outcomes.end(delivery, status.SUPPRESSED, {"reason": "the recipient opted out of this sender"})
            return
        try:
            resource = await self._create(delivery, request, attempt)
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            await self._outcomes.failed(delivery, exc)
        else:
            await self._outcomes.accepted(delivery, resource, at=now)

    async def _create(self, delivery: Delivery, request: Request, attempt: Attempt) -> Resource:
        if request.channel == "call":
            of_call = parameters.of_call(request, self._settings)
            return await self._provider.create_call(of_call, not_after=attempt.not_after)
        now = self._clock()
        of_message = parameters.of_message(request, self._settings, expires_at=delivery.expires_at or now, now=now)
        return await self._provider.create_message(of_message, not_after=attempt.not_after)
