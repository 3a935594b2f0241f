"""One run of the housekeeping timer: each chore in its share of the time, and none in the way of the others."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.errors import SwitchboardError
from shared.logs import traced

_logger: Final = logging.getLogger(__name__)
SHARE: Final = timedelta(seconds=60)
WHOLE: Final = timedelta(seconds=270)
"""a run ends before `functionTimeout` of host.json, 5 minutes, with time for what is under way then"""


class ChoresFailed(SwitchboardError):
    """At least one chore of a run failed; the text names each with the kind of its error."""


class Chore(Protocol):
    """Something to do up to a moment; what is left is done the next time. Returns how much was done."""

    def __call__(self, *, until: datetime) -> Awaitable[int]:
        """Do it."""


async def run(
    chores: Mapping[str, Chore],
    *,
    clock: Callable[[], datetime],
    timer: str = "housekeeping",
    share: timedelta = SHARE,
    whole: timedelta = WHOLE,
) -> None:
    """Do one chore after the other: each in its share of the time, the last one in all that is left of the whole.

    The next run does a failed chore again.

    Raises:
        ChoresFailed: at least one chore failed, so that Azure counts the run as failed.
    """
    failed: dict[str, str] = {}
    end = clock() + whole
    for number, (name, chore) in enumerate(chores.items(), start=1):
        try:
            count = await chore(until=end if number == len(chores) else min(clock() + share, end))
        except Exception as exc:  # noqa: BLE001 - whatever is wrong with one must not keep the others from being done
            failed[name] = type(exc).__name__
            _logger.error("%s, %s: %s", timer, name, traced(exc))  # noqa: TRY400 - SDK text holds URLs
        else:
            if count:
                _logger.info("%s, %s: %d", timer, name, count)
    if failed:
        # outside of the handler: the error of a chore, whose text may hold a URL, does not go along
        raise ChoresFailed(f"{timer}: failed: {', '.join(f'{name} ({error})' for name, error in failed.items())}")
