"""Whether Twilio takes anything from this account now: a wrong token or a suspended account holds everything back.

Only creates, and housekeeping's question, open or shut it. A look waits while it is shut, and changes nothing.

Nothing is lost meanwhile: what is held back is retrying like anything else. Each process finds out for itself, with one
request every so often, and leaves a notice for those that only look. Where nothing is to be sent, housekeeping asks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from azure.core.exceptions import AzureError

from shared.errors import SwitchboardError, TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound import notices
from shared.outbound.outcome import Decision, decide
from shared.tables import Row, Table

_logger: Final = logging.getLogger(__name__)
_FIRST: Final = timedelta(seconds=15)
_LONGEST: Final = timedelta(minutes=5)
_STALE: Final = timedelta(minutes=15)
"""a notice this old is of a process that is gone: the others would have written it again"""
_PATIENCE: Final = 2.0
"""seconds; a look at the notice that takes longer is given up"""
_NOTICE: Final = "this account"
_PARTITION: Final = "account"
_ROW: Final = "turned-away"


class Gate:
    """Open until Twilio turns the whole account away; then shut, but for one request every so often."""

    def __init__(self, lookups: Table) -> None:
        self._lookups = lookups
        self._pause = timedelta(0)
        self._until: datetime | None = None
        self._asking = False
        self._may_be_noticed = True
        """a notice of this process, or of one that is gone, may stand"""
        self.code: int | None = None
        """why it is shut: Twilio's error code"""

    def wait(self, now: datetime) -> timedelta | None:
        """Return how long to wait; None for whoever may go on. Of those that come when it is time, one may."""
        if self._until is None:
            return None
        if now >= self._until:
            self._until = now + max(self._pause, _FIRST)
            self._asking = True
            return None
        return self._until - now

    def pause(self, now: datetime) -> timedelta | None:
        """Return how long it stays shut; None where it is open or may be tried. It takes nobody's turn, as `wait` does.

        For requests that only read: whether Twilio lets an account read says nothing of whether it lets it send.
        """
        return None if self._until is None or now >= self._until else self._until - now

    async def heed(self, error: SwitchboardError, now: datetime) -> None:
        """Shut or open by what an error of Twilio says of the account; most say nothing of it."""
        if decide(error) is Decision.HOLD:
            await self.shut(getattr(error, "code", None) or 0, now)
        elif isinstance(error, TwilioRefused):
            await self.open()

    async def shut(self, code: int, now: datetime) -> None:
        """Twilio turned the account away; those that were under way when it shut do not make the pause longer."""
        if self._until is not None and not self._asking:
            return
        self._asking = False
        self._pause = min(max(self._pause * 2, _FIRST), _LONGEST)
        self._until = now + self._pause
        self.code = code
        _logger.critical("Twilio turns this account away (%d): nothing is sent until that is mended", code)
        self._may_be_noticed = True
        row = {"PartitionKey": _PARTITION, "RowKey": _ROW, "Code": code, "At": now}
        await notices.change(self._lookups.put(row), notice=_NOTICE)

    async def open(self) -> None:
        """Twilio answered as it does for an account in order; the first time, a notice of before is taken down."""
        if self._until is not None:
            self._pause, self._until, self._asking, self.code = timedelta(0), None, False, None
            _logger.warning("Twilio takes requests of this account again")
        if self._may_be_noticed:
            is_gone = await notices.change(self._lookups.delete(_PARTITION, _ROW), notice=_NOTICE)
            self._may_be_noticed = not is_gone

    async def check(self, now: datetime) -> None:
        """Look at the notice; where storage doesn't show it, nothing is known of Twilio, and that is no fault of its.

        Raises:
            TwilioUnavailable: some process was turned away lately.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                row = await self._notice()
        except (AzureError, TimeoutError):
            return
        if row is not None and row["At"] > now - _STALE:
            raise TwilioUnavailable(f"Twilio turns this account away ({row['Code']})", code=row["Code"])

    async def ask(self, question: Callable[[], Awaitable[None]], now: datetime) -> bool:
        """Where a notice stands and it is time, ask Twilio something: what is answered takes the notice down.

        So it goes by itself when all is well again and nothing waits to be sent. Return whether it was asked.
        """
        if await self._notice() is None or self.wait(now) is not None:
            return False
        try:
            await question()
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear, TooLate) as exc:
            _logger.warning("Twilio was asked whether it takes requests of this account again: %s", exc)
            await self.heed(exc, now)
        else:
            await self.open()
        return True

    async def _notice(self) -> Row | None:
        row = await self._lookups.get(_PARTITION, _ROW)
        # whichever process left it: the next success of this one takes it down
        self._may_be_noticed = self._may_be_noticed or row is not None
        return row
