"""Cron expressions on local times without a zone: minute, hour, day of the month, month, weekday. Pure.

As Debian's cron has them (https://manpages.debian.org/stable/cron/crontab.5), with names in any case, and beside it
`L` and `LW` for the month's last day and last Monday-to-Friday, `fri#2` for the second Friday, `5L` for the last one.
Where both days are limited either will do, if neither begins with a star.
"""

from datetime import datetime
from typing import Final

from cronsim import CronSim, CronSimError

from shared.errors import SwitchboardError

_FIELDS: Final = 5
_ANY_TIME: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - local times have no zone here


class CronInvalid(SwitchboardError):
    """No cron expression, or one that asks for a day that its months don't have."""


def check(expression: str) -> None:
    """Raise CronInvalid if this is no cron expression; one that never comes may pass, see `following`."""
    fields = expression.split()
    if len(fields) != _FIELDS:
        raise CronInvalid(f"expected five fields (minute hour day month weekday), got {len(fields)}")
    try:
        CronSim(expression, _ANY_TIME)
    except CronSimError as exc:
        raise CronInvalid(
            f"expected cron's values, ranges from small to large, and days that the months have: {str(exc).lower()}"
        ) from exc


def following(expression: str, after: datetime) -> datetime | None:
    """Return the first local time after this one that an expression matches; None if the next 50 years have none."""
    return next(CronSim(expression, after), None)
