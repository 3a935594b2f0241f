"""What systems and people ask for, with a function key: documents in, documents out, problem documents (RFC 9457)."""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func
import msgspec
from azure.core.exceptions import AzureError

from shared.deliveries import keys, view
from shared.deliveries.search import Search
from shared.documents import read_document
from shared.errors import Changed, RequestInvalid
from shared.outbound.enqueue import enqueue
from shared.text.numbers import searchable
from shared.wiring import Wiring

_logger: Final = logging.getLogger(__name__)
_LONGEST_SEARCH: Final = 10_000
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
        except (AzureError, Changed) as exc:
            _logger.error("storage did not answer: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "storage does not answer now; try again")

    return answer


@_with_problems
async def send(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Check a send request and enqueue it: 202 with its id and where it will be found, 400 or 422 with its faults."""
    delivery_id = await enqueue(req.get_body(), settings=wiring.settings, queue=wiring.outbound)
    location = f"/api/deliveries/{delivery_id}"
    return _json({"id": delivery_id, "location": location}, HTTPStatus.ACCEPTED, Location=location)


@_with_problems
async def delivery(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show one delivery with its timeline; 404 where there is none, or not yet."""
    delivery_id = req.route_params["id"]
    found = await wiring.log.get(delivery_id) if keys.is_id(delivery_id) else None
    if found is None:
        return _problem(
            HTTPStatus.NOT_FOUND, "there is no delivery with this id, or it was not taken from the queue yet"
        )
    return _json(view.of_delivery(found, await wiring.log.timeline(delivery_id)))


@_with_problems
async def search(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show a page of deliveries by recipient, status and time."""
    wanted = read_document(req.get_body() or b"{}", Search, longest=_LONGEST_SEARCH)
    if wanted.to is not None:
        region = wiring.settings.default_region
        wanted = msgspec.structs.replace(wanted, to=searchable(wanted.to, region=region))
    return _json(view.of_page(await wiring.search(wanted)))


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


def _problem(status: HTTPStatus, detail: str, *, errors: list[dict[str, str]] | None = None) -> func.HttpResponse:
    """Answer with a problem document: https://www.rfc-editor.org/rfc/rfc9457."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status,
        "detail": detail,
    }
    if errors is not None:
        content["errors"] = errors
    return func.HttpResponse(msgspec.json.encode(content), status_code=status, mimetype="application/problem+json")
