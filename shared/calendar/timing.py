"""When a schedule fires, as somebody wrote it: once, by cron, or every so many days, weeks or months. Pure.

Spellings that the schema tells and the types don't hold are checked by `faults`, whose words say more than a pattern.
"""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Annotated[str, Meta(max_length=20, extra_json_schema={"enum": list(WEEKDAYS)})]
TimeOfDay = Annotated[
    str,
    Meta(
        max_length=20,
        description="Local time, such as 09:30.",
        extra_json_schema={"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    ),
]
Exceptional = Annotated[
    str,
    Meta(max_length=20, extra_json_schema={"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$"}),
]


class Every(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """At a local time of every Nth day, week or month, counted from the local date of the timing's `start`.

    Weeks begin on Monday. Without `on` or `day`, the weekday or the day of the month is the start's.
    """

    at: TimeOfDay
    days: Annotated[int, Meta(ge=1, le=366)] | None = None
    weeks: Annotated[int, Meta(ge=1, le=52)] | None = None
    months: Annotated[int, Meta(ge=1, le=120)] | None = None
    on: Annotated[tuple[Weekday, ...], Meta(min_length=1, max_length=7, description="With weeks.")] | None = None
    day: Annotated[int, Meta(ge=1, le=31, description="With months; a shorter month's is its last day.")] | None = None


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of `at`, `cron` and `every`. Times without an offset are local ones of `time_zone`, or UTC without one.

    `start` and `end` themselves are within. An exception leaves out what was to come at this local date or time, and
    what comes then because clocks change.
    """

    at: Annotated[datetime, Meta(description="Once: with an offset, or local.")] | None = None
    cron: (
        Annotated[str, Meta(min_length=1, max_length=200, description="Minute hour day month weekday, local.")] | None
    ) = None
    every: Every | None = None
    time_zone: Annotated[str, Meta(min_length=1, max_length=64, description="An IANA zone.")] | None = None
    start: Annotated[datetime, Meta(description="Not before; every is counted from here.")] | None = None
    end: Annotated[datetime, Meta(description="Not after.")] | None = None
    exceptions: Annotated[
        tuple[Exceptional, ...], Meta(max_length=400, description="Local dates, or local times, that are left out.")
    ] = ()
