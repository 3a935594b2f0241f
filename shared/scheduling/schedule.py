"""A schedule: a request, and when it is sent again and again, or once. Pure."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.calendar.faults import faults as timing_faults
from shared.calendar.missed import DEFAULT, Missed
from shared.calendar.recurrence import coming, following
from shared.calendar.timing import Timing
from shared.documents import check_fields, parse_object
from shared.errors import Fault, RequestInvalid
from shared.outbound import internal
from shared.outbound.checks import Rules
from shared.outbound.decode import faults_of
from shared.outbound.request import LONGEST, Id

_NOT_HERE: Final = ("id", "send_at", "expires_at")
_SHOWN: Final = 10
_STAND_IN: Final = "schedule"
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
    if faults:
        raise RequestInvalid("it can't be used", faults)
    return msgspec.convert(fields, Schedule)


def next_due(schedule: Schedule, *, after: datetime) -> datetime | None:
    """Return the first time after this one; None where it is over."""
    return following(schedule, after)


def due_times(schedule: Schedule, *, now: datetime) -> list[datetime]:
    """Return the next times, ten at most."""
    return coming(schedule, now, _SHOWN)


def occurrence(schedule: Schedule, due: datetime) -> internal.Derived:
    """Return the request of one of its times: the same one, under the same id, whenever it is asked."""
    return internal.Derived(id=internal.occurrence_id(schedule.id, due), origin=schedule.id, request=schedule.request)


def content_hash(schedule: Schedule) -> str:
    """Return what tells it from another one of the same id."""
    return hashlib.sha256(msgspec.json.encode(schedule, order="sorted")).hexdigest()


def _request_faults(request: dict[str, Any], rules: Rules) -> list[Fault]:
    strangers = [
        Fault(f"request.{name}", "expected none: the schedule says when") for name in _NOT_HERE if name in request
    ]
    rest = {name: value for name, value in request.items() if name not in _NOT_HERE}
    message = internal.write(internal.Derived(id=_STAND_IN, origin=_STAND_IN, request=rest))
    return strangers + [Fault(f"request.{fault.field}", fault.problem) for fault in faults_of(message, rules)]


def _timing_faults(timing: Timing, now: datetime) -> list[Fault]:
    faults = list(timing_faults(timing))
    if not faults and following(timing, now - timedelta(microseconds=1)) is None:
        faults.append(Fault("at" if timing.at else "end", "expected a time that is still to come, all have gone by"))
    return faults
