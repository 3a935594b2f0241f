"""A schedule: a request, and when it is sent again and again, or once. Pure."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.calendar.faults import faults as timing_faults
from shared.calendar.missed import DEFAULT, Missed, lateness
from shared.calendar.recurrence import coming, following
from shared.calendar.timing import Timing
from shared.documents import check_fields, parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import faults_of
from shared.outbound.request import LONGEST, Id
from shared.table_service.limits import units

_NOT_HERE: Final = ("id", "send_at", "expires_at")
_LARGEST_ROW: Final = 32_000
"""UTF-16 units of a definition: a property of a table holds 64 KiB"""
_VALID_AT_LEAST: Final = timedelta(hours=1)
_STAND_IN: Final = "0" * 100
"""no id of a schedule is longer"""
_LONGEST_DUE: Final = datetime(2000, 1, 1, 0, 0, 1, 1, tzinfo=UTC)
"""no time of a schedule is written with more characters"""
_MOST_SECONDS: Final = 10**9
_TIMING: Final = frozenset(Timing.__struct_fields__)


class Schedule(Timing, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A schedule as somebody defines it: a timing, the request that is sent each time, and what was missed."""

    id: Id
    request: Annotated[dict[str, Any], Meta(description="A send request without id, send_at and expires_at.")]
    missed: Annotated[Missed, Meta(description="What becomes of a time that has gone by.")] = DEFAULT


def read_schedule(content: bytes, *, rules: Rules, now: datetime, minted: str) -> Schedule:
    """Read a schedule; `minted` is its id where it names none.

    Raises:
        RequestInvalid: it can't be used; every fault is named.
    """
    zone = rules.settings.default_time_zone.key
    document = {"id": minted, "time_zone": zone, **parse_object(content, longest=LONGEST)}
    fields, faults = check_fields(document, Schedule)
    request = fields.get("request")
    if request is not None:
        faults += _request_faults(request, rules)
    timing = {name: value for name, value in fields.items() if name in _TIMING}
    if not any(fault.field in _TIMING for fault in faults):
        faults += _timing_faults(msgspec.convert(timing, Timing), now)
    if not faults:
        schedule = msgspec.convert(fields, Schedule)
        faults += _size_faults(schedule)
    if faults:
        raise RequestInvalid("it can't be used", faults)
    return schedule


def first_due(schedule: Schedule, *, now: datetime) -> datetime | None:
    """Return the first time that has not gone by; None where it is over."""
    return following(schedule, now - timedelta(microseconds=1))


def next_due(schedule: Schedule, *, after: datetime) -> datetime | None:
    """Return the first time after this one; None where it is over."""
    return following(schedule, after)


def due_times(schedule: Schedule, *, now: datetime, count: int) -> list[datetime]:
    """Return the next times, so many at most."""
    return coming(schedule, now, count)


def occurrence(schedule: Schedule, due: datetime) -> internal.Derived:
    """Return the request of one of its times: the same one, under the same id, whenever it is asked."""
    valid_for = max(lateness(schedule.missed), _VALID_AT_LEAST)
    return _derived(schedule.id, due, schedule.request, valid_seconds=int(valid_for.total_seconds()))


def _derived(schedule_id: str, due: datetime, request: dict[str, Any], *, valid_seconds: int) -> internal.Derived:
    return internal.Derived(
        id=internal.occurrence_id(schedule_id, due),
        origin=schedule_id,
        request=request,
        due=due,
        valid_seconds=valid_seconds,
    )


def content_hash(schedule: Schedule) -> str:
    """Return what tells it from another one of the same id."""
    return hashlib.sha256(msgspec.json.encode(schedule, order="sorted")).hexdigest()


def _request_faults(request: dict[str, Any], rules: Rules) -> list[Fault]:
    strangers = [Fault(f"request.{name}", "expected none: the schedule says when") for name in _strangers(request)]
    rest = {name: value for name, value in request.items() if name not in _NOT_HERE}
    message = internal.write(_derived(_STAND_IN, _LONGEST_DUE, rest, valid_seconds=_MOST_SECONDS))
    return strangers + [Fault(f"request.{fault.field}", fault.problem) for fault in faults_of(message, rules)]


def _strangers(request: dict[str, Any]) -> Iterator[str]:
    """Yield what says when, in a request and in its second ways."""
    yield from (name for name in _NOT_HERE if name in request)
    fallback = request.get("fallback")
    if isinstance(fallback, dict):
        yield from (f"fallback.{name}" for name in _strangers(fallback))


def _size_faults(schedule: Schedule) -> list[Fault]:
    size = units(msgspec.json.encode(schedule).decode())
    problem = f"expected a schedule of at most {_LARGEST_ROW} UTF-16 units, got {size}"
    return [Fault("request", problem)] if size > _LARGEST_ROW else []


def _timing_faults(timing: Timing, now: datetime) -> list[Fault]:
    faults = list(timing_faults(timing))
    if not faults and following(timing, now - timedelta(microseconds=1)) is None:
        faults.append(Fault("at" if timing.at else "end", "expected a time that is still to come, all have gone by"))
    return faults
