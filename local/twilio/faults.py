"""Faults on demand: what can go wrong with a request to the REST API. Which request meets which is in fault_plan.py.

| fault | the request is | and |
|---|---|---|
| drop-after | processed | the connection is closed without an answer |
| 500-after | processed | answered 500 (20500) |
| garbage | processed | answered 201 or 200, with a body that is no JSON |
| slow | processed | answered after `seconds` |
| never-after | processed | never answered, until the client gives up |
| never-before | not processed | never answered, until the client gives up |
| 500-before, 503-before | not processed | answered 500 (20500), 503 (20503) |
| 429 | not processed | answered 429 (20429), with `Retry-After` where `retry_after` is given |
| 401, suspended | not processed | answered 401 (20003), 403 (30002) |
| refuse | not processed | the connection is closed |
| proxy-after | processed | answered by a proxy in Twilio's place (stand_ins.py) |
| proxy-before | not processed | answered likewise |
| loop | processed | answered, where it is a list, with a `next_page_uri` that leads back to the first page |
A proxy's answer has the `status`, `body`, `retry_after`, `retry_after_date` and `location` that are given, and the rest
at random. Where a request met one of the first five faults, or a proxy, nothing but a look at Twilio's list tells a
client whether it was processed.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec
from aiohttp import web
from msgspec.structs import replace

from local.twilio.connections import drop, given_up
from local.twilio.errors import RestError
from local.twilio.stand_ins import ELSEWHERE, REDIRECTIONS, Body, Status, stand_in

FaultName = Literal[
    "drop-after",
    "500-after",
    "garbage",
    "slow",
    "never-after",
    "never-before",
    "500-before",
    "503-before",
    "429",
    "401",
    "suspended",
    "refuse",
    "proxy-after",
    "proxy-before",
    "loop",
]
Proceed = Callable[[], Awaitable[web.StreamResponse]]
GARBAGE = "<html><body><h1>It works!</h1></body></html>"


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What some faults need to know; `retry_after` and `seconds` are seconds, the rest is a proxy's (stand_ins.py)."""

    retry_after: int | None = None
    seconds: float = 1.0
    status: Status | None = None
    body: Body | None = None
    retry_after_date: bool | None = None
    location: str | None = None


class Met(NamedTuple):
    """A request that meets a fault: `proceed` processes it, `draws` decides what `figures` leave open."""

    request: web.Request
    proceed: Proceed
    figures: Figures
    draws: Random


Fault = Callable[[Met], Awaitable[web.StreamResponse]]


def _error(code: int, **headers: str) -> web.Response:
    error = RestError(code)
    return web.json_response(error.body(), status=error.status, headers=headers)


async def _drop_after(met: Met) -> web.StreamResponse:
    await met.proceed()
    return drop(met.request)


async def _error_after(met: Met) -> web.StreamResponse:
    await met.proceed()
    return _error(20500)


async def _garbage(met: Met) -> web.StreamResponse:
    answer = await met.proceed()
    return web.Response(status=answer.status, text=GARBAGE, content_type="text/html")


async def _slow(met: Met) -> web.StreamResponse:
    answer = await met.proceed()
    await asyncio.sleep(met.figures.seconds)
    return answer


async def _never_after(met: Met) -> web.StreamResponse:
    await met.proceed()
    return await _never_before(met)


async def _never_before(met: Met) -> web.StreamResponse:
    await given_up(met.request)
    return drop(met.request)


async def _too_many(met: Met) -> web.StreamResponse:
    if met.figures.retry_after is None:
        return _error(20429)
    return _error(20429, **{"Retry-After": str(met.figures.retry_after)})


async def _refuse(met: Met) -> web.StreamResponse:
    return drop(met.request)


async def _proxy_after(met: Met) -> web.StreamResponse:
    await met.proceed()
    return await _proxy_before(met)


async def _proxy_before(met: Met) -> web.StreamResponse:
    figures = met.figures
    page = stand_in(met.draws, status=figures.status, body=figures.body, retry_after=figures.retry_after)
    as_date = page.retry_after_date if figures.retry_after_date is None else figures.retry_after_date
    elsewhere = f"{met.request.url.origin()}{ELSEWHERE}" if page.status in REDIRECTIONS else None
    return replace(page, retry_after_date=as_date, location=figures.location or elsewhere).answer()


async def _loop(met: Met) -> web.StreamResponse:
    answer = await met.proceed()
    page = json.loads(answer.text or "{}") if isinstance(answer, web.Response) else {}
    if "next_page_uri" not in page:
        return answer
    return web.json_response(page | {"next_page_uri": page["first_page_uri"]})


def _before(code: int) -> Fault:
    async def fault(_met: Met) -> web.StreamResponse:
        return _error(code)

    return fault


FAULTS: Mapping[FaultName, Fault] = MappingProxyType(
    {
        "drop-after": _drop_after,
        "500-after": _error_after,
        "garbage": _garbage,
        "slow": _slow,
        "never-after": _never_after,
        "never-before": _never_before,
        "500-before": _before(20500),
        "503-before": _before(20503),
        "429": _too_many,
        "401": _before(20003),
        "suspended": _before(30002),
        "refuse": _refuse,
        "proxy-after": _proxy_after,
        "proxy-before": _proxy_before,
        "loop": _loop,
    }
)
