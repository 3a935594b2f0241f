"""Sending: claim a request, send it, record what Twilio said. See docs/explanation/sending-once.md."""

import contextlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.consents import Consents
from shared.deliveries import status
from shared.deliveries.keys import is_id
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery, Event
from shared.errors import Changed, Fault, RequestInvalid, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.logs import about, shown_id
from shared.outbound import internal, parameters
from shared.outbound.cancel import NotCancelable, cancel
from shared.outbound.checks import Rules
from shared.outbound.claim import (
    OTHER_CONTENT,
    Attempt,
    Next,
    as_recorded,
    claimed_again,
    due_at,
    new_delivery,
    next_step,
    put_off,
    recalled,
    waiting_delivery,
)
from shared.outbound.decode import Decoded, decode, faults_of, reread
from shared.outbound.fallback import Verdict, derive, verdict
from shared.outbound.find_out import Finder
from shared.outbound.gate import Gate
from shared.outbound.message import id_of
from shared.outbound.outcomes import Outcomes, own_event
from shared.outbound.provider import Provider, Resource
from shared.outbound.request import Request
from shared.outbound.rights import Rights
from shared.outbound.waiting import Wait, wait_of
from shared.outbound.wakes import Wakes
from shared.queues import Queue

_logger: Final = logging.getLogger(__name__)
_SOON: Final = timedelta(seconds=1)


class Sender:
    """Takes messages of the outbound queue. A message that `take` returned from may be deleted from the queue."""

    def __init__(
        self,
        *,
        rules: Rules,
        log: DeliveryLog,
        queue: Queue,
        wakes: Wakes,
        provider: Provider,
        consents: Consents,
        gate: Gate,
        rights: Rights,
        clock: Callable[[], datetime],
    ) -> None:
        self._rules = rules
        self._settings = rules.settings
        self._settle = timedelta(seconds=rules.settings.reconcile_after_seconds)
        self._log = log
        self._queue = queue
        self._wakes = wakes
        self._provider = provider
        self._consents = consents
        self._gate = gate
        self._clock = clock
        self._outcomes = Outcomes(
            log=log,
            queue=queue,
            consents=consents,
            gate=gate,
            settle=self._settle,
            clock=clock,
            region=rules.settings.default_region,
            own=rules.own_numbers,
        )
        self._finder = Finder(
            log=log,
            provider=provider,
            outcomes=self._outcomes,
            gate=gate,
            rights=rights,
            settings=rules.settings,
            clock=clock,
        )

    async def take(self, message_id: str, message: bytes, *, enqueued_at: datetime | None = None) -> None:
        """Send what a message asks for, once.

        Where somebody else changed the delivery meanwhile, as a quick callback does, the message is put back and this
        one is done: that is a race and no failure, and must not spend one of its dequeues. A crash between the two
        leaves two of them, of which the row lets one send.

        Raises:
            azure.core's errors: nothing is lost; the same message must be taken again.
        """
        try:
            await self._take(message_id, message, enqueued_at)
        except Changed:
            await self._queue.put(message, delay=_SOON)
            about(_logger, id_of(message) or message_id).info("it changed meanwhile: its message is taken again")

    async def _take(self, message_id: str, message: bytes, enqueued_at: datetime | None) -> None:
        match internal.read(message):
            case internal.Wake() as wake:
                await self._wake(message_id, wake)
            case internal.FollowUp() as follow_up:
                await self._follow_up(message_id, follow_up)
            case _:
                await self._take_request(message_id, message, enqueued_at)

    async def _take_request(self, message_id: str, message: bytes, enqueued_at: datetime | None) -> None:
        try:
            decoded = decode(message, self._rules)
        except RequestInvalid as exc:
            await self._refuse(message_id, message, exc.faults)
            return
        early = (decoded.due or self._clock()) - self._clock()
        if early > timedelta(0):
            # the schedule timer looks a second ahead, and its clock may be ahead of this one
            await self._queue.put(message, delay=early)
            return
        wait = wait_of(decoded.request, now=self._clock(), settings=self._settings)
        if wait is not None:
            taken = await self._keep_waiting(decoded, message, wait, enqueued_at)
        else:
            taken = await self._send_first(decoded, message, enqueued_at)
        if not taken:
            await self._take_again(message_id, message, decoded)

    async def _send_first(self, decoded: Decoded, message: bytes, enqueued_at: datetime | None) -> bool:
        attempt = self._begin()
        delivery = new_delivery(decoded, message, attempt, enqueued_at=enqueued_at)
        await self._watch(delivery, decoded.request)
        claimed = await self._log.claim(delivery)
        if claimed is not None:
            await self._submit(claimed, decoded.request, attempt)
        return claimed is not None

    async def _keep_waiting(self, decoded: Decoded, message: bytes, wait: Wait, enqueued_at: datetime | None) -> bool:
        delivery = waiting_delivery(decoded, message, self._begin(), wait, enqueued_at=enqueued_at)
        await self._wakes.set(delivery)
        kept = await self._log.claim(delivery)
        if kept is not None:
            await self._log.note(kept, _waits(kept))
        return kept is not None

    async def _wake(self, message_id: str, message: internal.Wake) -> None:
        delivery = await self._log.get(message.id)
        if delivery is None:
            # it is written before the state that it wakes
            await self._wakes.again(message)
            return
        if delivery.request is None:
            return
        try:
            decoded = decode(delivery.request, self._rules)
        except RequestInvalid as exc:
            await self._refuse(message_id, delivery.request, exc.faults)
        else:
            await self._go_on(message_id, delivery.request, decoded, delivery)

    async def _follow_up(self, message_id: str, message: internal.FollowUp) -> None:
        """Take the second way of a delivery, if it is wanted: as a request of its own, derived from the first."""
        delivery = await self._log.get(message.id)
        if delivery is None or delivery.request is None:
            return
        # what has become of settings and templates since is asked of the second way itself
        first = as_recorded(reread(delivery.request), delivery)
        if first.fallback is None:
            return
        match verdict(delivery, first.fallback, now=self._clock()):
            case Verdict.GO:
                derived = derive(delivery, first, first.fallback)
                if not await self._log.note(delivery, _second_way(delivery, derived)):
                    return
                about(_logger, delivery.id).warning("its second way is taken: %s", shown_id(derived.id))
                await self._take_request(message_id, internal.write(derived), None)
            case Verdict.NOT_YET:
                await self._wakes.again(message)

    async def _watch(self, delivery: Delivery, request: Request) -> None:
        """Have somebody look whether a second way is wanted, where the first is to be heard of by some time."""
        if delivery.fallback_at is not None:
            await self._wakes.follow_up(request.id, delay=delivery.fallback_at - self._clock() + _SOON)

    async def give_up(self, message_id: str, message: bytes, *, reason: str, readable: bool = True) -> None:
        """Take care of what the host gave up: a request that was claimed is looked after without its message.

        One that was not, and can be sent, goes back into the queue, as does what the app told itself: storage was away
        for as many tries as the host makes. What has faults is rejected, and what the host can't even read (`readable`
        is false).
        """
        if await self._claimed_with(message) is not None:
            return
        noted = isinstance(internal.read(message), internal.Wake | internal.FollowUp)
        faults = () if noted else faults_of(message, self._rules)
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
        elif claimed.text is not None and all(_is_of_template(fault) for fault in faults):
            # what it says is on record: the template was asked before
            recorded = Decoded(request=reread(message), hash=claimed.request_hash or "")
            await self._go_on(message_id, message, recorded, claimed)
        elif claimed.status in {status.SCHEDULED, status.RETRYING}:
            # the settings became stricter since it was claimed
            await self._outcomes.withdraw(claimed, faults)
        else:
            # Twilio may have what the last attempt sent: that is found out first, as ever
            request = recalled(claimed, plain_punctuation=self._settings.plain_punctuation)
            as_claimed = Decoded(request=request, hash=claimed.request_hash or "")
            await self._go_on(message_id, message, as_claimed, claimed, faults=faults)

    async def _claimed_with(self, message: bytes) -> Delivery | None:
        """Return the delivery that was claimed with this very message."""
        named = id_of(message)
        delivery = await self._log.get(named) if named is not None and is_id(named) else None
        return delivery if delivery is not None and delivery.request == message else None

    async def _take_again(self, message_id: str, message: bytes, decoded: Decoded) -> None:
        delivery = await self._log.get(decoded.request.id)
        if delivery is None:
            await self._queue.put(message, delay=_SOON)
        else:
            await self._go_on(message_id, message, decoded, delivery)

    async def _go_on(
        self,
        message_id: str,
        message: bytes,
        decoded: Decoded,
        delivery: Delivery,
        *,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        """Do what is next for a delivery; with `faults`, it is not sent again."""
        now = self._clock()
        step = next_step(delivery, content=decoded.hash, now=now, settle=self._settle)
        if step in {Next.FIND_OUT, Next.SEND}:
            # a crash may have come between an event and the state: what Twilio said counts before anything is sent
            delivery = await self._log.fold_again(delivery)
            step = next_step(delivery, content=decoded.hash, now=now, settle=self._settle)
        request = as_recorded(decoded.request, delivery)
        match step:
            case Next.ACKNOWLEDGE:
                about(_logger, delivery.id).info("a duplicate: it is %s already", delivery.status)
            case Next.REFUSE:
                await self._outcomes.reject(message_id, message, (Fault("id", OTHER_CONTENT),))
            case Next.COME_BACK if delivery.status == status.SCHEDULED:
                await self._wakes.set(delivery)
                await self._log.note(delivery, _waits(delivery))
            case Next.COME_BACK:
                delay = due_at(delivery, settle=self._settle) - now + _SOON
                await self._queue.put(internal.to_take_again(delivery.id, message), delay=delay)
            case Next.DOUBT:
                await self._outcomes.doubt(delivery, reason="the attempt's time passed without an outcome on record")
            case Next.FIND_OUT:
                if await self._finder.is_free(delivery, request):
                    about(_logger, delivery.id).info("two looks at Twilio found nothing of it")
                    await self._send_again(delivery, request, faults)
            case Next.SEND:
                await self._send_again(delivery, request, faults)

    async def _send_again(self, delivery: Delivery, request: Request, faults: tuple[Fault, ...]) -> None:
        # the version of `delivery` is from before the second look: whatever happened since makes these changes fail
        if delivery.cancel_asked_at is not None:
            # a crash came before its end
            with contextlib.suppress(NotCancelable):
                await cancel(delivery, log=self._log, now=self._clock())
            return
        if faults:
            await self._outcomes.withdraw(delivery, faults)
            return
        now = self._clock()
        wait = wait_of(request, now=now, settings=self._settings)
        if wait is not None and (delivery.expires_at is None or now < delivery.expires_at):
            after = put_off(delivery, wait, now=now)
            await self._wakes.set(after)
            await self._log.change(delivery, after, _waits(after))
            return
        attempt = self._begin()
        claim = claimed_again(delivery, attempt, request)
        if delivery.fallback_at is None:
            await self._watch(claim, request)
        claimed = await self._log.change(delivery, claim)
        await self._submit(claimed, request, attempt)

    def _begin(self) -> Attempt:
        settings = self._settings
        return Attempt.begin(self._clock(), send_seconds=settings.twilio_timeout_seconds, account=settings.account_sid)

    async def _submit(self, delivery: Delivery, request: Request, attempt: Attempt) -> None:
        now = self._clock()
        if delivery.expires_at is not None and now >= delivery.expires_at:
            await self._outcomes.expire(delivery)
            return
        wait = self._gate.wait(now)
        if wait is not None:
            await self._outcomes.hold(delivery, wait)
            return
        if request.channel == "sms" and await self._consents.is_opted_out(request.to, request.from_ or ""):
            await self._outcomes.suppress(delivery)
            return
        try:
            resource = await self._create(delivery, request, attempt)
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            await self._outcomes.failed(delivery, exc)
        else:
            await self._outcomes.accepted(delivery, resource, at=now)

    async def _create(self, delivery: Delivery, request: Request, attempt: Attempt) -> Resource:
        if request.channel == "call":
            of_call = parameters.of_call(request, self._rules)
            return await self._provider.create_call(of_call, not_after=attempt.not_after)
        now = self._clock()
        of_message = parameters.of_message(request, self._settings, expires_at=delivery.expires_at or now, now=now)
        return await self._provider.create_message(of_message, not_after=attempt.not_after)


def _is_of_template(fault: Fault) -> bool:
    return fault.field.partition(".")[0] in {"template", "locale", "data"}


def _waits(delivery: Delivery) -> Event:
    key = f"scheduled:{delivery.next_attempt_at:%Y%m%dT%H%M%S}"
    return own_event(delivery, {"reason": delivery.waits_for, "until": delivery.next_attempt_at}, key=key)


def _second_way(delivery: Delivery, derived: internal.Derived) -> Event:
    return own_event(delivery, {"fallback": derived.id}, key=f"fallback:{derived.id}")
