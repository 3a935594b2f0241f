"""Erasing a person: a preview, the request, and the work that housekeeping goes on with until nothing is left."""

import asyncio
import contextlib
import logging
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec
from azure.core.exceptions import AzureError

from shared.consents import Consents
from shared.deliveries.derived import Derivations
from shared.deliveries.erasure import Eraser, NotErasable
from shared.deliveries.log import DeliveryLog
from shared.deliveries.record import Delivery
from shared.erasures import receipt as receipts_
from shared.erasures.holdings import DERIVED, SCHEDULE, Holdings
from shared.erasures.person import digests
from shared.erasures.receipt import Receipt, Tally
from shared.erasures.receipts import Receipts
from shared.errors import Changed, SwitchboardError
from shared.logs import about, traced
from shared.outbound.cancel import CANCELABLE, NotCancelable, cancel
from shared.outbound.erase import erase_with_derived

_logger: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 8
_PREVIEWED_FOR: Final = timedelta(seconds=20)
"""a caller waits for a preview"""
_STILL_COMING: Final = timedelta(minutes=15)
"""what begins so long after the request for an erasure is part of it: it was on its way"""


_FAULT: Final = "a fault of the app, see its log"


class OwnAddress(SwitchboardError):
    """This app sends from the address: every delivery of it would be erased."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure would erase; with a cursor, only a part of it is counted, and the cursor leads to the rest."""

    counts: dict[str, int]
    consents: int
    cursor: str | None


class Erasures:
    """An erasure is a receipt on record: a crash anywhere leaves it as it was, and the next run goes on from there."""

    def __init__(
        self,
        *,
        receipts: Receipts,
        holdings: Holdings,
        derivations: Derivations,
        log: DeliveryLog,
        provider: Callable[[], Eraser],
        consents: Consents,
        clock: Callable[[], datetime],
    ) -> None:
        self._receipts = receipts
        self._holdings = holdings
        self._derivations = derivations
        self._log = log
        self._provider = provider
        self._consents = consents
        self._clock = clock

    async def preview(self, addresses: tuple[str, ...], *, cursor: str | None) -> Preview:
        """Count what holds the person's addresses, for 20 seconds at most; nothing is changed.

        Raises:
            OwnAddress: they are this app's own.
            RequestInvalid: the cursor is none of ours.
        """
        await self._check(addresses)
        now, whose = self._clock(), digests(addresses)
        counts: Counter[str] = Counter()
        if cursor is None:
            counts[SCHEDULE] = len([one async for one in self._holdings.schedules(whose)])
        seen: set[str] = set()
        while True:
            page = await self._holdings.deliveries(whose, until=now, cursor=cursor)
            derived = await asyncio.gather(*map(self._derivations.of, page.deliveries))
            for found in (*page.deliveries, *(one for each in derived for one in each)):
                kind = self._holdings.kind_of(found, whose)
                # one that has the address itself is on a page, too
                if found.id not in seen and not found.erased and (found in page.deliveries or kind == DERIVED):
                    seen.add(found.id)
                    counts[kind] += 1
            cursor = page.cursor
            if cursor is None or self._clock() >= now + _PREVIEWED_FOR:
                return Preview(counts=dict(+counts), consents=await self._count_consents(addresses), cursor=cursor)

    async def ask(self, addresses: tuple[str, ...], *, by: str | None) -> Receipt:
        """Put an erasure on record, and return its receipt. Housekeeping begins with it within minutes.

        Raises:
            OwnAddress: they are this app's own.
        """
        await self._check(addresses)
        now, consents = self._clock(), await self._count_consents(addresses)
        receipt = Receipt(
            id=uuid.uuid4().hex, digests=digests(addresses), asked_at=now, next_at=now, by=by, consents=consents
        )
        await self._receipts.add(receipt)
        return receipt

    async def get(self, erasure_id: str) -> Receipt | None:
        """Return the receipt of an erasure."""
        return await self._receipts.get(erasure_id)

    async def run(self, *, until: datetime) -> int:
        """Go on with every erasure that is due, up to the moment `until`; return how many were gone on with."""
        await self._holdings.begin(self._clock())
        count = 0
        for receipt in await self._receipts.due(self._clock()):
            if self._clock() >= until:
                break
            try:
                await self._go_on(receipt, until)
            except (AzureError, Changed) as exc:
                # the text of an SDK's error holds URLs
                _logger.error("erasure %s goes on later: %s", receipt.id, type(exc).__name__)  # noqa: TRY400
            else:
                count += 1
        return count

    async def _go_on(self, receipt: Receipt, until: datetime) -> None:
        if receipt.cursor is None:
            receipt = receipts_.begun(receipt, self._clock())
            receipt = receipts_.gone_on(receipt, await self._forget_schedules(receipt), cursor=None)
            receipt = await self._receipts.save(receipt)
        while self._clock() < until:
            newest = min(self._clock(), receipt.asked_at + _STILL_COMING)
            page = await self._holdings.deliveries(
                receipt.digests, until=newest, cursor=receipt.cursor, lists_only=receipt.is_listed
            )
            tally = await self._erase_all(page.deliveries, receipt)
            receipt = receipts_.gone_on(receipt, tally, cursor=page.cursor)
            if page.cursor is None:
                now = self._clock()
                receipt = receipts_.passed(receipt, now, is_listed=await self._holdings.keeps_lists(now))
            receipt = await self._receipts.save(receipt)
            if page.cursor is None:
                _logger.info("erasure %s: %s", receipt.id, receipt.status)
                return

    async def _forget_schedules(self, receipt: Receipt) -> Tally:
        tally = Tally()
        async for stored in self._holdings.schedules(receipt.digests):
            try:
                await self._holdings.forget(stored)
            except Changed:
                tally += Tally(left={SCHEDULE: 1}, ids=(stored.schedule.id,))
            else:
                tally += Tally(done={SCHEDULE: 1})
        return tally

    async def _erase_all(self, deliveries: tuple[Delivery, ...], receipt: Receipt) -> Tally:
        places = asyncio.Semaphore(_AT_ONCE)

        async def erase(delivery: Delivery) -> Tally:
            async with places:
                return await self._erase(delivery, receipt)

        tally = Tally()
        for part in await asyncio.gather(*map(erase, deliveries)):
            tally += part
        return tally

    async def _erase(self, delivery: Delivery, receipt: Receipt) -> Tally:
        """Erase a delivery with what was derived from it; what is not over is only kept from being sent."""
        whose = receipt.digests
        try:
            erased = await self._erase_with_derived(delivery, by=receipt.by)
        except (NotErasable, NotCancelable):
            await self._keep_from_being_sent(delivery, by=receipt.by)
            tally = Tally(left={self._holdings.kind_of(delivery, whose): 1}, ids=(delivery.id,))
        except Exception as exc:  # noqa: BLE001 - one that can't be erased must not keep all others
            reason = _reason(exc)
            about(_logger, delivery.id).warning("not erased yet: %s", reason if reason != _FAULT else traced(exc))
            tally = Tally(refused={reason: 1}, ids=(delivery.id,))
        else:
            return Tally(done=dict(Counter(self._holdings.kind_of(one, whose) for one in erased)))
        await self._holdings.list_by_address(delivery)
        return tally

    async def _erase_with_derived(self, delivery: Delivery, *, by: str | None) -> list[Delivery]:
        erase = partial(
            erase_with_derived,
            derivations=self._derivations,
            log=self._log,
            provider=self._provider(),
            now=self._clock(),
            by=by,
        )
        try:
            return await erase(delivery)
        except Changed:
            # a fallback and the delivery before it are often on one page, and erased at the same time
            return await erase(await self._log.get(delivery.id) or delivery)

    async def _keep_from_being_sent(self, delivery: Delivery, *, by: str | None) -> None:
        """Cancel a delivery that waits while one that was derived from it is not over."""
        if delivery.status in CANCELABLE:
            with contextlib.suppress(Changed, NotCancelable):
                await cancel(delivery, log=self._log, now=self._clock(), by=by)

    async def _check(self, addresses: tuple[str, ...]) -> None:
        if await self._holdings.is_ours(addresses[0]):
            raise OwnAddress("expected a person's address, this app sends from this one")

    async def _count_consents(self, addresses: tuple[str, ...]) -> int:
        found = await asyncio.gather(*map(self._consents.find, addresses))
        return len({(consent.to, consent.sender) for each in found for consent in each})


def _reason(error: Exception) -> str:
    """Return why something was not erased, as the receipt says it; other errors' texts may hold anything."""
    match error:
        case AzureError():
            return "storage did not answer"
        case SwitchboardError():
            return str(error)
        case _:
            return _FAULT
