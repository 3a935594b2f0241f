"""Finding out whether an attempt without an answer reached Twilio, before anything is sent again."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.logs import about
from shared.outbound.claim import recalled, second_look_after
from shared.outbound.gate import Gate
from shared.outbound.outcomes import Outcomes, asked_for, own_event, shown
from shared.outbound.patience import next_pause, pause_after_failure
from shared.outbound.provider import Provider, Resource
from shared.outbound.reconcile import CLOCKS, begins, candidates, ends, is_alike, is_nearer
from shared.outbound.request import Request
from shared.outbound.rights import Listed, Rights
from shared.settings import Settings
from shared.text.numbers import MESSAGING_SERVICE
from shared.text.spellings import spellings

_logger: Final = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 150.0
"""the time of a whole look, which may read the lists of several addresses: the host ends a function after 5 minutes"""
_OTHERS: Final = 50
"""deliveries to the same recipient that are read before something is adopted"""


class Finder:
    """Looks through what Twilio has for a recipient, and adopts what the delivery's last attempt left there."""

    def __init__(
        self,
        *,
        log: DeliveryLog,
        provider: Provider,
        outcomes: Outcomes,
        gate: Gate,
        rights: Rights,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._provider = provider
        self._outcomes = outcomes
        self._gate = gate
        self._rights = rights
        self._settings = settings
        self._settle = timedelta(seconds=settings.reconcile_after_seconds)
        self._clock = clock

    async def is_free(self, delivery: Delivery, request: Request) -> bool:
        """Return True after the second look that found nothing: the request may be claimed again.

        The claim must name the version of `delivery`. False otherwise: it was adopted, is left for a person, or is
        looked for again later.
        """
        if delivery.account not in {None, self._settings.account_sid}:
            await self._leave(delivery, _other_account(delivery.account or "", self._settings.account_sid))
            return False
        wait = self._gate.pause(self._clock())
        if wait is not None:
            await self._failed(delivery, "Twilio turns this account away", at_least=wait)
            return False
        listed = await self._list(delivery, request)
        if listed is None:
            return False
        found = [one for one in candidates(listed, delivery, request) if one.sid not in delivery.past_sids]
        owned = {one.sid: await self._log.ownership(one.sid) for one in found}
        # a crash may have come between owning and recording: its own goes before what belongs to nobody
        for one in (one for one in found if owned[one.sid].owner == delivery.id):
            await self._adopt(delivery, one)
            return False
        unowned = [one for one in found if owned[one.sid].owner is None]
        if await self._adopted_one(delivery, request, unowned):
            return False
        return await self._is_nothing_left(delivery, [sid for sid, its in owned.items() if not its.is_settled])

    async def _list(self, delivery: Delivery, request: Request) -> list[Resource] | None:
        """Return what may be its own; None where the look failed, which is no look: it is made again later."""
        listed: Listed = "messages" if request.channel == "sms" else "calls"
        look = self._provider.messages_to if listed == "messages" else self._provider.calls_to
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                found = {
                    one.sid: one
                    for to in _listed_under(request)
                    for one in await look(to, since=begins(delivery), until=ends(delivery))
                }
        except TimeoutError:
            problem = f"there are more {listed} at Twilio than could be read in {_LOOK_SECONDS:g} s"
            await self._failed(delivery, problem, at_least=timedelta(0))
            return None
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            missing = await self._rights.refused(listed, exc, self._clock())
            await self._failed(delivery, missing or str(exc), at_least=asked_for(exc))
            return None
        await self._rights.granted(listed)
        return list(found.values())

    async def _adopted_one(self, delivery: Delivery, request: Request, unowned: Sequence[Resource]) -> bool:
        """Adopt the likeliest of those that are alike, unless another delivery is nearer to it and may still own it."""
        alike = [one for one in unowned if is_alike(one, request)]
        is_patient = next_pause(delivery, self._clock()) is not None
        others = await self._others(delivery, alike) if alike and is_patient else []
        for one in alike:
            if any(is_nearer(one, other, its_request, than=delivery) for other, its_request in others):
                continue
            if await self._log.own_sid(one.sid, delivery.id) == delivery.id:
                await self._adopt(delivery, one)
                return True
        return False

    async def _others(self, delivery: Delivery, alike: Sequence[Resource]) -> list[tuple[Delivery, Request]]:
        """Return other deliveries to the recipient, with their requests: those that began before these were made."""
        now = self._clock()
        until = max(one.created_at or now for one in alike) + CLOCKS
        found = await self._log.latest_to(delivery.to or "", until=until, limit=_OTHERS)
        plain = self._settings.plain_punctuation
        return [(one, recalled(one, plain_punctuation=plain)) for one in found if one.is_ours_to_send]

    async def _adopt(self, delivery: Delivery, resource: Resource) -> None:
        about(_logger, delivery.id).info("found at Twilio: %s", resource.sid)
        await self._outcomes.accepted(delivery, resource, at=self._clock(), source="found")

    async def _is_nothing_left(self, delivery: Delivery, sids: Sequence[str]) -> bool:
        """Tell whether two looks, this one and an earlier one, found nothing that may be its own."""
        seen = dict.fromkeys((*delivery.candidates, *sids))
        # what an earlier look saw counts until it belongs to another delivery, also where it is not listed any more
        unsettled = tuple([sid for sid in seen if not await self._is_anothers(sid, delivery)])
        if unsettled:
            await self._wait_for_owners(delivery, unsettled)
            return False
        if delivery.looked_at is None:
            await self._look_twice(delivery)
            return False
        return True

    async def _is_anothers(self, sid: str, delivery: Delivery) -> bool:
        """Tell whether a SID belongs to another delivery for good: one that owns two keeps one of them."""
        its = await self._log.ownership(sid)
        return its.is_settled and its.owner != delivery.id

    async def _wait_for_owners(self, delivery: Delivery, sids: tuple[str, ...]) -> None:
        now = self._clock()
        pause = next_pause(delivery, now)
        names = ", ".join(sids)
        if pause is None:
            reason = f"Twilio has {names}, which belongs to no delivery and may be this one"
            await self._leave(delivery, reason, sids)
            return
        reason = f"looked at again at {shown(now + pause)}, because {names} belongs to no delivery yet"
        about(_logger, delivery.id).info("%s", reason)
        waiting = msgspec.structs.replace(
            delivery, candidates=sids, unowned_since=delivery.unowned_since or now, error_message=reason
        )
        await self._outcomes.look_again(delivery, waiting, delay=pause)

    async def _look_twice(self, delivery: Delivery) -> None:
        """Put the first look that found nothing on record, and come back for the second."""
        now = self._clock()
        pause = second_look_after(self._settle)
        reason = f"a look at Twilio found nothing, the second one follows at {shown(now + pause)}"
        about(_logger, delivery.id).info("%s", reason)
        after = msgspec.structs.replace(
            delivery, looked_at=now, candidates=(), unowned_since=None, error_message=reason, updated_at=now
        )
        await self._outcomes.look_again(
            delivery, after, own_event(after, {"reason": reason}, key="looked"), delay=pause
        )

    async def _failed(self, delivery: Delivery, reason: str, *, at_least: timedelta) -> None:
        now = self._clock()
        about(_logger, delivery.id).warning("a look at Twilio failed, which is no look: %s", reason)
        if delivery.is_left_for_a_person:
            # housekeeping has it looked for again, less and less often
            return
        pause = pause_after_failure(delivery, now, at_least=at_least)
        if pause is None:
            await self._leave(delivery, f"it expired and no look at Twilio succeeded, the last one: {reason}")
            return
        told = f"a look at Twilio failed: {reason}; looked at again at {shown(now + pause)}"
        await self._outcomes.look_again(delivery, msgspec.structs.replace(delivery, error_message=told), delay=pause)

    async def _leave(self, delivery: Delivery, reason: str, sids: tuple[str, ...] = ()) -> None:
        """Leave it for a person, unless it is left already; housekeeping has it looked for again, ever less often."""
        new = tuple(sid for sid in sids if sid not in delivery.candidates or not delivery.is_left_for_a_person)
        if delivery.is_left_for_a_person and not new:
            return
        reason = f"left for a person: {reason}"
        about(_logger, delivery.id).error("%s", reason)
        now = self._clock()
        left = msgspec.structs.replace(
            delivery,
            candidates=sids or delivery.candidates,
            left_at=now,
            error_message=reason,
            next_attempt_at=None,
            updated_at=now,
        )
        events = [own_event(left, {"reason": reason, "candidate": sid}, key=f"candidate:{sid}") for sid in new]
        await self._log.change(delivery, left, *(events or [own_event(left, {"reason": reason}, key="left")]))


def _listed_under(request: Request) -> tuple[str, ...]:
    """Return every address under which Twilio may list what was sent to the recipient.

    Twilio documents no rule for a phone with several spellings, nor for a text that a Messaging Service sends as RCS.
    """
    is_rcs = MESSAGING_SERVICE.fullmatch(request.from_ or "") and request.to.startswith("+")
    return spellings(f"rcs:{request.to}" if is_rcs else request.to)


def _other_account(its: str, ours: str) -> str:
    return (
        f"its attempt was made in the Twilio account that ends in {its[-4:]}, this app uses the one that ends in"
        f" {ours[-4:]}: set TWILIO_ACCOUNT_SID back, or look there"
    )
