"""Scheduled notifications, as systems and people define, see and end them."""

import re
import uuid
from http import HTTPStatus
from typing import Annotated, Any, Final

import azure.functions as func
import msgspec
from msgspec import Meta

from shared.documents import convert
from shared.outbound.request import Id
from shared.scheduling.schedule import due_times, read_schedule
from shared.scheduling.schedules import Stored
from shared.web.answers import NotFound, json_answer, with_problems
from shared.web.body import read_body
from shared.wiring import Wiring, clock

_PAGE: Final = 100
_TIMES: Final = 10
_DIGITS: Final = re.compile(r"[0-9]{1,9}")
"""what is read as a number; everything else stays the text that it is, and is refused"""


class _Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=_PAGE)] = _PAGE
    cursor: Annotated[str, Meta(pattern=r"^schedule:[0-9]{1,3}~[A-Za-z0-9._:-]{1,100}$(?!\n)")] | None = None


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
    """Cancel a schedule: nothing more comes of it, and nothing of it is kept but the deliveries it made."""
    await wiring.schedules.delete(await _find(req, wiring))
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)


@with_problems
async def pause(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Let a schedule rest."""
    return json_answer(_shown(await wiring.schedules.pause(await _find(req, wiring))))


@with_problems
async def resume(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Let a schedule go on from now on."""
    return json_answer(_shown(await wiring.schedules.resume(await _find(req, wiring))))


async def _find(req: func.HttpRequest, wiring: Wiring) -> Stored:
    schedule_id = req.route_params["id"]
    try:
        found = await wiring.schedules.get(msgspec.convert(schedule_id, Id))
    except msgspec.ValidationError:
        found = None
    if found is None:
        raise NotFound("there is no schedule with this id, or it is over")
    return found


def _shown(stored: Stored, *, times: int = _TIMES) -> dict[str, Any]:
    coming = [] if stored.paused else due_times(stored.schedule, now=clock(), count=times)
    return {
        **msgspec.to_builtins(stored.schedule),
        "status": "paused" if stored.paused else "active",
        "created_at": stored.created_at,
        "next": coming,
    }
