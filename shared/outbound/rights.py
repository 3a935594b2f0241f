"""A notice of what the Twilio credentials may not do, for the health check; one for each kind of list.

A restricted API key may be allowed to create messages and not to list them
(https://www.twilio.com/docs/api/errors/403). Then every request with a clear answer is sent, and a lost answer can
never be looked for. That is no fault of the account: the circuit breaker (`Gate`) does not heed it.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final, Literal

from azure.core.exceptions import AzureError

from shared.errors import RightMissing, SwitchboardError, TwilioRefused
from shared.outbound import notices
from shared.tables import Row, Table

_NOTICE: Final = "the rights of the API key"
_PARTITION: Final = "account"
_NOTICES: Final = "may-not-list:"
_NOTICES_END: Final = "may-not-list;"
"""the first key after all that begin with `may-not-list:`"""
_STALE: Final = timedelta(hours=1)
"""a refused look is repeated at least every 15 minutes while its request may be sent, and the notice with it"""
_PATIENCE: Final = 2.0
"""seconds; a slow read of the notices is given up"""
_DENIED: Final = frozenset({401, 403})
_OF_THE_ACCOUNT: Final = frozenset({20005, 30002})
"""the account is not active, or suspended: that says nothing of the key"""

Listed = Literal["messages", "calls"]
LISTED: Final[tuple[Listed, ...]] = ("messages", "calls")


class Rights:
    """Writes a notice when Twilio refuses a list, and deletes it when the list is read again."""

    def __init__(self, lookups: Table) -> None:
        self._lookups = lookups
        self._may_be_noticed = set(LISTED)
        """a notice of this process, or of an earlier one, may stand for these"""

    async def refused(self, listed: Listed, error: SwitchboardError, now: datetime) -> str | None:
        """Leave a notice where the error says that the credentials may not list; return what is missing, else None."""
        if not isinstance(error, TwilioRefused) or error.status not in _DENIED or error.code in _OF_THE_ACCOUNT:
            return None
        problem = f"the API key may not list {listed} (HTTP {error.status}, code {error.code})"
        self._may_be_noticed.add(listed)
        row = {"PartitionKey": _PARTITION, "RowKey": _row_key(listed), "Problem": problem, "At": now}
        await notices.change(self._lookups.put(row), notice=_NOTICE)
        return problem

    async def granted(self, listed: Listed) -> None:
        """Delete the notice: a list was read. Storage is asked once; after that only where a notice may stand."""
        if listed not in self._may_be_noticed:
            return
        if await notices.change(self._lookups.delete(_PARTITION, _row_key(listed)), notice=_NOTICE):
            self._may_be_noticed.discard(listed)

    async def check(self, now: datetime) -> None:
        """Read the notices; where storage does not answer, nothing is known of the rights.

        Raises:
            RightMissing: Twilio refused a list within the last hour.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                rows = {row["RowKey"]: row async for row in self._notices()}
        except (AzureError, TimeoutError):
            return
        # whichever process left it: the next list that this one reads deletes it
        self._may_be_noticed |= {listed for listed in LISTED if _row_key(listed) in rows}
        problems = [row["Problem"] for row in rows.values() if row["At"] > now - _STALE]
        if problems:
            raise RightMissing("; ".join(problems) + ": deliveries whose answer was lost stay uncertain")

    def _notices(self) -> AsyncIterator[Row]:
        return self._lookups.query(
            "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end",
            partition=_PARTITION,
            first=_NOTICES,
            end=_NOTICES_END,
        )


def _row_key(listed: Listed) -> str:
    return f"{_NOTICES}{listed}"
