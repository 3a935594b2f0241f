"""Erasures of persons, as systems and people ask for them and see how far they are."""

import re
from http import HTTPStatus
from typing import Annotated, Any, Final

import azure.functions as func
import msgspec
from msgspec import Meta

from shared.by import By
from shared.documents import read_document
from shared.erasures.erasing import OwnAddress
from shared.erasures.person import addresses
from shared.erasures.receipt import as_shown
from shared.errors import Fault, RequestInvalid
from shared.text.numbers import NumberInvalid, mask
from shared.web.answers import NotFound, json_answer, with_problems
from shared.web.body import read_body
from shared.wiring import Wiring

_LONGEST: Final = 10_000
_ID: Final = re.compile(r"[0-9a-f]{32}")
_WHY: Final = "consents stay: without them an opted-out recipient would get texts again"


class _Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    to: Annotated[str, Meta(min_length=1, max_length=150)]
    dry_run: bool = False
    by: By | None = None
    cursor: str | None = None


@with_problems
async def ask(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Erase a person: 202 with a receipt; with `dry_run`, 200 with the counts of what would be erased."""
    wish = read_document(read_body(req), _Wish, longest=_LONGEST)
    try:
        whose = addresses(wish.to, region=wiring.settings.default_region)
        if wish.dry_run:
            return json_answer(await _preview(wish, whose, wiring))
        if wish.cursor is not None:
            raise RequestInvalid("it can't be used", [Fault("cursor", "expected it with dry_run only")])
        receipt = await wiring.erasures.ask(whose, by=wish.by)
    except (NumberInvalid, OwnAddress) as exc:
        raise RequestInvalid("it can't be erased", [Fault("to", f"{exc}, got {mask(wish.to)}")]) from exc
    location = f"/api/erasures/{receipt.id}"
    return json_answer({"location": location, **_told(as_shown(receipt))}, HTTPStatus.ACCEPTED, Location=location)


@with_problems
async def show(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show how far an erasure is."""
    erasure_id = req.route_params["id"]
    receipt = await wiring.erasures.get(erasure_id) if _ID.fullmatch(erasure_id) else None
    if receipt is None:
        raise NotFound("there is no erasure with this id")
    return json_answer(_told(as_shown(receipt)))


async def _preview(wish: _Wish, whose: tuple[str, ...], wiring: Wiring) -> dict[str, Any]:
    found = await wiring.erasures.preview(whose, cursor=wish.cursor)
    counts = {"counts": found.counts, "total": sum(found.counts.values()), "cursor": found.cursor}
    return _told({"dry_run": True, **counts, "stays": {"consents": found.consents}})


def _told(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "stays": {**document["stays"], "reason": _WHY}}
