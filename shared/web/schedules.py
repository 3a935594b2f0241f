"""Scheduled notifications, as systems and people define, see and end them."""

import re
import uuid
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

import azure.functions as func
import msgspec
from msgspec import Meta

from shared.by import By, read_by
from shared.documents import convert, read_document
from shared.errors import Fault, RequestInvalid
from shared.outbound.request import Id
from shared.scheduling.cancel import WAITS_FOR, cancel_made
from shared.scheduling.schedule import due_times, read_schedule
from shared.scheduling.schedules import Stored
from shared.web.answers import NotFound, json_answer, with_problems
from shared.web.body import read_body
from shared.wiring import Wiring, clock

_PAGE: Final = 100
_TIMES: Final = 10
_LONGEST: Final = 1_000
_NONE: Final = "there is no schedule with this id, or it is over"
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
"""what is read as a number; everything else stays the text that it is, and is refused"""


class _Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=_PAGE)] = _PAGE
    cursor: Annotated[str, Meta(pattern=r"^schedule:[0-9]{1,3}~[A-Za-z0-9._:-]{1,100}$(?!\n)")] | None = None


class _Cancellation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    by: By | None = None
    since: Annotated[datetime, Meta(tz=True)] | None = None
    cursor: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


@with_problems
async def create(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Put a schedule on record: 201, 200 for what is there already, 409 where its id is another one's."""
    now = clock()
    schedule = read_schedule(read_body(req), rules=wiring.rules, now=now, minted=uuid.uuid4().hex)
    stored, is_new = await wiring.schedules.create(schedule, now=now)
    status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return json_answer(_shown(stored), status, Location=f"/api/schedules/{schedule.id}")


@with_problems
async def page(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """List schedules, some at a time, each with its next time."""
    query: dict[str, Any] = dict(req.params)
    if _DIGITS.fullmatch(query.get("limit", "")):
        query["limit"] = int(query["limit"])
    query.pop("code", None)
    wanted = convert(query, _Listing)
    found = await wiring.schedules.page(limit=wanted.limit, cursor=wanted.cursor)
    return json_answer({"schedules": [_shown(stored, times=1) for stored in found.schedules], "cursor": found.cursor})


@with_problems
async def show(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show a schedule with the next ten of its times."""
    return json_answer(_shown(await _find(req, wiring)))


@with_problems
async def delete(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Cancel a schedule: nothing more comes of it. The deliveries that it made go on; when and who stays on record.

    Who asks for it may be named in the body, or as `by` in the query.
    """
    by = read_by(req.get_body(), query=req.params.get("by"))
    await wiring.schedules.cancel(await _find(req, wiring), by=by)
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)


@with_problems
async def cancel(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Cancel a schedule, and a page of the deliveries that it made and that wait; say which, and where it goes on.

    It may be repeated, also after the schedule is gone. With a cursor, only deliveries are canceled.
    """
    asked = read_document(req.get_body() or b"{}", _Cancellation, longest=_LONGEST)
    schedule_id = _id(req)
    now = clock()
    if asked.cursor is not None and not asked.cursor.startswith(f"{schedule_id}~"):
        raise RequestInvalid("it can't be used", [Fault("cursor", "expected one that this address answered")])
    stored = await wiring.schedules.get(schedule_id) if asked.cursor is None else None
    if stored is not None:
        await wiring.schedules.cancel(stored, by=asked.by)
    page = await cancel_made(
        schedule_id,
        since=asked.since or now - WAITS_FOR,
        cursor=asked.cursor,
        derivations=wiring.derivations,
        log=wiring.log,
        now=now,
        by=asked.by,
    )
    if stored is None and asked.cursor is None and not page.examined:
        raise await _missing(schedule_id, wiring)
    return json_answer({"id": schedule_id, "canceled": page.canceled, "too_late": page.too_late, "cursor": page.cursor})


@with_problems
async def pause(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Let a schedule rest."""
    by = read_by(req.get_body())
    return json_answer(_shown(await wiring.schedules.pause(await _find(req, wiring), by=by)))


@with_problems
async def resume(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Let a schedule go on from now on."""
    by = read_by(req.get_body())
    return json_answer(_shown(await wiring.schedules.resume(await _find(req, wiring), by=by)))


async def _find(req: func.HttpRequest, wiring: Wiring) -> Stored:
    schedule_id = _id(req)
    found = await wiring.schedules.get(schedule_id)
    if found is None:
        raise await _missing(schedule_id, wiring)
    return found


def _id(req: func.HttpRequest) -> str:
    """Return the id that a URL names.

    Raises:
        NotFound: no schedule has such an id.
    """
    try:
        return msgspec.convert(req.route_params["id"], Id)
    except msgspec.ValidationError as exc:
        raise NotFound(_NONE) from exc


async def _missing(schedule_id: str, wiring: Wiring) -> NotFound:
    told = await wiring.schedules.canceled(schedule_id)
    if told is None:
        return NotFound(_NONE)
    by = f" by {told.by}" if told.by is not None else ""
    return NotFound(f"{_NONE}; one with this id was canceled at {told.at:%Y-%m-%dT%H:%M:%SZ}{by}")


def _shown(stored: Stored, *, times: int = _TIMES) -> dict[str, Any]:
    coming = [] if stored.paused else due_times(stored.schedule, now=clock(), count=times)
    return {
        **msgspec.to_builtins(stored.schedule),
        "status": "paused" if stored.paused else "active",
        "created_at": stored.created_at,
        "changed_at": stored.changed and stored.changed.at,
        "changed_by": stored.changed and stored.changed.by,
        "next": coming,
    }
