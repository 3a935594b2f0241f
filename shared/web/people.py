"""What systems and people ask for, with a function key: documents in, documents out, problem documents (RFC 9457)."""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
import msgspec
from azure.core.exceptions import AzureError

from shared.deliveries import erasure, keys, view
from shared.deliveries.erasure import NotErasable
from shared.deliveries.record import Delivery
from shared.deliveries.search import Search
from shared.documents import read_document
from shared.errors import (
    Changed,
    RequestInvalid,
    SwitchboardError,
    TwilioRefused,
    TwilioUnavailable,
    TwilioUnclear,
)
from shared.outbound.enqueue import prepare
from shared.outbound.replay import NotReplayable, replay
from shared.text.numbers import searchable
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)
_LONGEST_SEARCH: Final = 10_000
_MEANWHILE: Final = "something else happened to it in the same moment: see what it is now, and ask again"


class NotFound(SwitchboardError):
    """There is nothing under this name."""


Handler = Callable[[func.HttpRequest, Wiring], Awaitable[func.HttpResponse]]


def _with_problems(handler: Handler) -> Handler:
    """Turn what goes wrong in a handler into a problem document."""

    @wraps(handler)
    async def answer(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
        try:
            return await handler(req, wiring)
        except RequestInvalid as exc:
            errors = [{"field": fault.field, "detail": fault.problem} for fault in exc.faults]
            return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(exc), errors=errors)
        except NotFound as exc:
            return _problem(HTTPStatus.NOT_FOUND, str(exc))
        except (NotErasable, NotReplayable, Changed) as exc:
            return _problem(HTTPStatus.CONFLICT, _MEANWHILE if isinstance(exc, Changed) else str(exc))
        except (TwilioRefused, TwilioUnavailable, TwilioUnclear) as exc:
            return _problem(HTTPStatus.BAD_GATEWAY, f"Twilio did not do its part: {exc}")
        except AzureError as exc:
            _logger.error("storage did not answer: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "storage does not answer now; try again")

    return answer


@_with_problems
async def send(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Check a send request and enqueue it: 202 with its id and where it will be found, 422 with its faults."""
    delivery_id, message = prepare(req.get_body(), settings=wiring.settings)
    try:
        await wiring.outbound.put(message)
    except AzureError as exc:
        _logger.error("not known whether it was enqueued: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
        detail = f"storage did not say whether it has the request; ask again with the id {delivery_id}"
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, id=delivery_id)
    location = f"/api/deliveries/{delivery_id}"
    return _json({"id": delivery_id, "location": location}, HTTPStatus.ACCEPTED, Location=location)


@_with_problems
async def delivery(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show one delivery with its timeline; 404 where there is none, or not yet."""
    found = await _find(req, wiring)
    return _json(view.of_delivery(found, await wiring.log.timeline(found.id)))


@_with_problems
async def search(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show a page of deliveries by recipient, status and time."""
    return _json(view.of_page(await wiring.search(_wanted(req, wiring))))


@_with_problems
async def erase(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Erase what a delivery said and to whom, here and at Twilio; its tombstone stays."""
    found = await _find(req, wiring)
    await erasure.erase(found, log=wiring.log, provider=wiring.provider, now=clock())
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)


@_with_problems
async def replay_one(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Send a rejected or failed delivery again, or one that was left for a person, who asks for it having looked."""
    found = await _find(req, wiring)
    await replay(found, settings=wiring.settings, log=wiring.log, queue=wiring.outbound, now=clock(), looked=True)
    return _json({"id": found.id}, HTTPStatus.ACCEPTED)


@_with_problems
async def replay_found(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Send a page of rejected or failed deliveries again, and say which, and where the search goes on.

    Where storage fails on the way, 503 says which are sent again all the same.
    """
    page = await wiring.search(_wanted(req, wiring))
    replayed: list[str] = []
    try:
        for found in page.deliveries:
            with contextlib.suppress(NotReplayable, RequestInvalid, Changed):
                await replay(found, settings=wiring.settings, log=wiring.log, queue=wiring.outbound, now=clock())
                replayed.append(found.id)
    except AzureError as exc:
        _logger.error("storage did not answer: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
        detail = "storage does not answer now; `replayed` are sent again, ask once more for the others"
        return _problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, replayed=replayed)
    return _json({"replayed": replayed, "cursor": page.cursor}, HTTPStatus.ACCEPTED)


async def _find(req: func.HttpRequest, wiring: Wiring) -> Delivery:
    delivery_id = req.route_params["id"]
    found = await wiring.log.get(delivery_id) if keys.is_id(delivery_id) else None
    if found is None:
        raise NotFound("there is no delivery with this id, or it is still on its way from the queue")
    return found


def _wanted(req: func.HttpRequest, wiring: Wiring) -> Search:
    wanted = read_document(req.get_body() or b"{}", Search, longest=_LONGEST_SEARCH)
    if wanted.to is None:
        return wanted
    return msgspec.structs.replace(wanted, to=searchable(wanted.to, region=wiring.settings.default_region))


async def health(_req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Say `ok` or `unavailable`, and nothing more: anybody may ask."""
    problems = await wiring.health.problems()
    if problems:
        return func.HttpResponse("unavailable", status_code=HTTPStatus.SERVICE_UNAVAILABLE)
    return func.HttpResponse("ok")


async def health_details(_req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Say what is wrong."""
    problems = await wiring.health.problems()
    status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    return _json({"status": "unavailable" if problems else "ok", "problems": problems}, status)


def _json(content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK, **headers: str) -> func.HttpResponse:
    return func.HttpResponse(
        msgspec.json.encode(content), status_code=status, headers=headers, mimetype="application/json"
    )


def _problem(status: HTTPStatus, detail: str, **members: object) -> func.HttpResponse:
    """Answer with a problem document: https://www.rfc-editor.org/rfc/rfc9457."""
    content = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, **members}
    return func.HttpResponse(msgspec.json.encode(content), status_code=status, mimetype="application/problem+json")
