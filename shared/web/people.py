"""What systems and people ask for, with a function key: documents in, documents out, problem documents (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Final

import azure.functions as func
from azure.core.exceptions import AzureError

from shared.by import read_by
from shared.deliveries import keys, view
from shared.deliveries.asked import read_search
from shared.deliveries.record import Delivery
from shared.logs import about
from shared.outbound.cancel import cancel as cancel_waiting
from shared.outbound.enqueue import prepare
from shared.outbound.erase import erase_with_derived
from shared.web.answers import NotFound, json_answer, problem, with_problems
from shared.web.body import read_body
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)


@with_problems
async def send(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Check a send request and enqueue it: 202 with its id and where it will be found, 422 with its faults.

    `message` is the queue message's id: under it stands what is refused later, as other content under a used id is.
    """
    delivery_id, message = prepare(read_body(req), rules=wiring.rules)
    try:
        message_id = await wiring.outbound.put(message)
    except AzureError as exc:
        # the SDK's text holds URLs
        about(_logger, delivery_id).error("not known whether it was enqueued: %s", type(exc).__name__)
        detail = f"storage did not say whether it has the request; ask again with the id {delivery_id}"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, id=delivery_id)
    location = f"/api/deliveries/{delivery_id}"
    answer = {"id": delivery_id, "location": location, "message": message_id}
    return json_answer(answer, HTTPStatus.ACCEPTED, Location=location)


@with_problems
async def delivery(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show one delivery with its timeline; 404 where there is none, or not yet.

    `rejections` are the ids of rejected messages that named this id, with the delivery and with the 404.
    """
    delivery_id = req.route_params["id"]
    rejections = await wiring.log.rejections_of(delivery_id) if keys.is_id(delivery_id) else []
    try:
        found = await find(req, wiring)
    except NotFound:
        if not rejections:
            raise
        detail = "there is no delivery with this id: the messages that named it were rejected, see `rejections`"
        return problem(HTTPStatus.NOT_FOUND, detail, rejections=rejections)
    return json_answer(view.of_delivery(found, await wiring.log.timeline(found.id), rejections=rejections))


@with_problems
async def search(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show a page of deliveries by address, status, time and more."""
    wanted = read_search(read_body(req), region=wiring.settings.default_region)
    return json_answer(view.of_page(await wiring.search(wanted)))


@with_problems
async def erase(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Erase what a delivery said and to whom, here and at Twilio; its tombstone stays. One that waits is canceled.

    So is all that was derived from it. Who asks for it may be named in the body, or as `by` in the query.
    """
    by = read_by(req.get_body(), query=req.params.get("by"))
    found = await find(req, wiring)
    await erase_with_derived(
        found, derivations=wiring.derivations, log=wiring.log, provider=wiring.provider, now=clock(), by=by
    )
    return func.HttpResponse(status_code=HTTPStatus.NO_CONTENT)


@with_problems
async def cancel(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Cancel a delivery that waits, and show it; 409 where it has left, is being sent, or is over.

    It may be repeated: what is canceled already is shown.
    """
    by = read_by(req.get_body())
    found = await find(req, wiring)
    canceled = await cancel_waiting(found, log=wiring.log, now=clock(), by=by)
    return json_answer(view.of_state(canceled))


async def find(req: func.HttpRequest, wiring: Wiring) -> Delivery:
    """Return the delivery that a URL names.

    Raises:
        NotFound: there is none, or not yet.
    """
    delivery_id = req.route_params["id"]
    found = await wiring.log.get(delivery_id) if keys.is_id(delivery_id) else None
    if found is None:
        raise NotFound("there is no delivery with this id, or it is still on its way from the queue")
    return found


async def health(_req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Say `ok` or `unavailable`, and nothing more: anybody may ask."""
    problems = await wiring.health.problems()
    if problems:
        return func.HttpResponse("unavailable", status_code=HTTPStatus.SERVICE_UNAVAILABLE)
    return func.HttpResponse("ok")


async def health_details(_req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Say what is wrong, how many requests wait, and how much content was deployed."""
    details = await wiring.health.details()
    status = HTTPStatus.SERVICE_UNAVAILABLE if details["problems"] else HTTPStatus.OK
    return json_answer(
        {"status": "unavailable" if details["problems"] else "ok", **details, "content": wiring.content}, status
    )
