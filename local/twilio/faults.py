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
A client can tell the first five from what was not processed by nothing but a look at Twilio's list.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec
from aiohttp import web

from local.twilio.connections import drop, given_up
from local.twilio.errors import RestError

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
]
Proceed = Callable[[], Awaitable[web.StreamResponse]]
GARBAGE = "<html><body><h1>It works!</h1></body></html>"


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What some faults need to know: both are seconds."""

    retry_after: int | None = None
    seconds: float = 1.0


Fault = Callable[[web.Request, Proceed, Figures], Awaitable[web.StreamResponse]]


def _error(code: int, **headers: str) -> web.Response:
    error = RestError(code)
    return web.json_response(error.body(), status=error.status, headers=headers)


async def _drop_after(request: web.Request, proceed: Proceed, _figures: Figures) -> web.StreamResponse:
    await proceed()
    return drop(request)


async def _error_after(_request: web.Request, proceed: Proceed, _figures: Figures) -> web.StreamResponse:
    await proceed()
    return _error(20500)


async def _garbage(_request: web.Request, proceed: Proceed, _figures: Figures) -> web.StreamResponse:
    answer = await proceed()
    return web.Response(status=answer.status, text=GARBAGE, content_type="text/html")


async def _slow(_request: web.Request, proceed: Proceed, figures: Figures) -> web.StreamResponse:
    answer = await proceed()
    await asyncio.sleep(figures.seconds)
    return answer


async def _never_after(request: web.Request, proceed: Proceed, _figures: Figures) -> web.StreamResponse:
    await proceed()
    await given_up(request)
    return drop(request)


async def _never_before(request: web.Request, _proceed: Proceed, _figures: Figures) -> web.StreamResponse:
    await given_up(request)
    return drop(request)


async def _too_many(_request: web.Request, _proceed: Proceed, figures: Figures) -> web.StreamResponse:
    if figures.retry_after is None:
        return _error(20429)
    return _error(20429, **{"Retry-After": str(figures.retry_after)})


async def _refuse(request: web.Request, _proceed: Proceed, _figures: Figures) -> web.StreamResponse:
    return drop(request)


def _before(code: int) -> Fault:
    async def fault(_request: web.Request, _proceed: Proceed, _figures: Figures) -> web.StreamResponse:
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
    }
)
