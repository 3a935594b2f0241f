"""When each timer ran last, for whoever asks about the app's health, on whichever instance.

| partition of `Lookups` | row key | what it is for |
|---|---|---|
| `timer` | the name of the function | the end of its last run, and whether the run succeeded |
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from azure.core.exceptions import AzureError

from shared.calendar.ncrontab import Ncrontab
from shared.errors import SwitchboardError
from shared.tables import Table

_logger: Final = logging.getLogger(__name__)
_PARTITION: Final = "timer"
_MISSED: Final = 3
"""occurrences without a run are a problem; one or two may fall into a deployment, or into a long run"""
_AT_LEAST: Final = timedelta(minutes=15)
_PATIENCE: Final = 2.0
"""seconds; a slow read of the rows is given up"""


class TimersStandStill(SwitchboardError):
    """A timer that ran before does not run any more."""


class Timers:
    """Notes the runs of the timers. A timer that has no row yet has never run, as in a new app: that is no problem."""

    def __init__(self, lookups: Table, *, crons: Mapping[str, Ncrontab], clock: Callable[[], datetime]) -> None:
        """`crons` has the schedule of each timer, by the name of its function."""
        self._lookups = lookups
        self._crons = crons
        self._clock = clock
        self._began = clock()
        self._facts: dict[str, Any] = {}

    @asynccontextmanager
    async def run(self, name: str) -> AsyncIterator[None]:
        """Note the end of a run, whether it succeeds or raises; what it raises passes through."""
        try:
            yield
        except Exception:
            await self._note(name, succeeded=False)
            raise
        await self._note(name, succeeded=True)

    async def check(self) -> None:
        """Make sure that the timers run; if storage does not answer, nothing is known of them.

        Raises:
            TimersStandStill: a timer missed three of its occurrences and more than 15 minutes, both since its last run
                and since this process began. So an app that was stopped gives its timers time to run again.
        """
        self._facts = {}
        try:
            async with asyncio.timeout(_PATIENCE):
                found = self._lookups.query("PartitionKey eq @partition", partition=_PARTITION)
                ran = {row["RowKey"]: row async for row in found}
        except (AzureError, TimeoutError):
            return
        self._facts = {name: _shown(ran.get(name)) for name in self._crons}
        now = self._clock()
        late = [name for name, row in ran.items() if name in self._crons and self._is_late(name, row["At"], now)]
        if late:
            raise TimersStandStill("; ".join(f"{name} has not run since {_at(ran[name]['At'])}" for name in late))

    def facts(self) -> dict[str, Any]:
        """Return what the last check found; nothing where it found nothing."""
        return {"timers": self._facts} if self._facts else {}

    def _is_late(self, name: str, ran_at: datetime, now: datetime) -> bool:
        return is_late(self._crons[name], max(ran_at, self._began), now)

    async def _note(self, name: str, *, succeeded: bool) -> None:
        row = {"PartitionKey": _PARTITION, "RowKey": name, "At": self._clock(), "Succeeded": succeeded}
        try:
            await self._lookups.put(row)
        except AzureError as exc:
            # the run itself is over: it must not fail for that
            _logger.warning("the run of %s could not be noted: %s", name, type(exc).__name__)


def is_late(cron: Ncrontab, since: datetime, now: datetime) -> bool:
    """Tell whether a timer that has not run since a moment should have."""
    if now - since <= _AT_LEAST:
        return False
    expected = since
    for _ in range(_MISSED):
        expected = cron.next_after(expected)
    return now > expected


def _shown(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {"last_run_at": row["At"], "succeeded": row["Succeeded"]}


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
