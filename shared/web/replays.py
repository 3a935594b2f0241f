"""Replays over HTTP: one delivery by its id, or a page of a search, which can be seen before anything is sent."""

import logging
from functools import partial
from http import HTTPStatus
from typing import Final

import azure.functions as func
import msgspec
from azure.core.exceptions import AzureError

from shared.by import By
from shared.deliveries.asked import read_search
from shared.deliveries.record import Delivery
from shared.documents import read_document
from shared.errors import Changed, RequestInvalid
from shared.outbound.replay import NotReplayable, check, replay
from shared.outbound.replays import Included, Reason, Replays, counts, left_out, read_replays
from shared.web.answers import json_answer, problem, with_problems
from shared.web.body import read_body
from shared.web.people import find
from shared.wiring import Wiring, clock

_logger: Final = logging.getLogger(__name__)
_LONGEST: Final = 10_000


class _One(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    include: tuple[Included, ...] = ()
    by: By | None = None


@with_problems
async def one(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Send a rejected or failed delivery again, or one that was left for a person, who asks for it having looked."""
    asked = read_document(req.get_body() or b"{}", _One, longest=_LONGEST)
    found = await find(req, wiring)
    await replay(
        found,
        rules=wiring.rules,
        log=wiring.log,
        queue=wiring.outbound,
        now=clock(),
        looked=True,
        opted_out="opted-out" in asked.include,
        by=asked.by,
    )
    return json_answer({"id": found.id}, HTTPStatus.ACCEPTED)


@with_problems
async def page(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Send a page of rejected or failed deliveries again; say which, which not and why, and where the search goes on.

    With `dry_run`, say the same of what would be sent, and send nothing. Everything at once is never replayed (422).
    Where storage fails on the way, 503 says which are sent again all the same.
    """
    region = wiring.settings.default_region
    wanted = read_replays(read_body(req), read_search=partial(read_search, region=region))
    at = clock()
    found = await wiring.search(wanted.search)
    sent: list[Delivery] = []
    others: dict[Reason, list[str]] = {}
    try:
        for delivery in found.deliveries:
            reason = await _take(delivery, wanted, wiring)
            if reason is None:
                sent.append(delivery)
            else:
                others.setdefault(reason, []).append(delivery.id)
    except AzureError as exc:
        _logger.error("storage did not answer: %s", type(exc).__name__)  # noqa: TRY400 - SDK text holds URLs
        detail = "storage does not answer now; `replayed` are sent again, ask once more for the others"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, replayed=[] if wanted.dry_run else _ids(sent))
    told = {"left_out": others, "cursor": found.cursor}
    if wanted.dry_run:
        return json_answer({"would_replay": _ids(sent), "counts": counts(sent), "at": at, **told})
    return json_answer({"replayed": _ids(sent), **told}, HTTPStatus.ACCEPTED)


async def _take(delivery: Delivery, wanted: Replays, wiring: Wiring) -> Reason | None:
    """Replay a delivery, or see whether it could be; return why it is not."""
    rules, log = wiring.rules, wiring.log
    try:
        # a search may find what went well, and what came in: they are not replayable, whatever else is true of them
        await check(delivery, rules=rules, log=log, opted_out=True)
        reason = left_out(delivery, wanted, is_opted_out=await _is_opted_out(delivery, wiring))
        if reason is None and not wanted.dry_run:
            await replay(
                delivery,
                rules=rules,
                log=log,
                queue=wiring.outbound,
                now=clock(),
                opted_out=wanted.opted_out,
                by=wanted.by,
            )
    except NotReplayable:
        return "replayed" if delivery.is_replayed_message else "not replayable"
    except RequestInvalid:
        return "not usable"
    except Changed:
        return "changed"
    return reason


async def _is_opted_out(delivery: Delivery, wiring: Wiring) -> bool:
    if delivery.channel != "sms" or not delivery.to or not delivery.from_:
        return False
    return await wiring.consents.is_opted_out(delivery.to, delivery.from_)


def _ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.id for delivery in deliveries]
