"""Who takes texts from whom, as systems and people set and see it."""

import azure.functions as func

from shared.consents.asked import read_search, read_wishes
from shared.web.answers import json_answer, with_problems
from shared.web.body import read_body
from shared.wiring import Wiring, clock


@with_problems
async def record(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Put on record what a recipient agreed to, and show what holds: 422 with its faults. It may be repeated."""
    wishes = read_wishes(read_body(req), settings=wiring.settings, at=clock())
    return json_answer({"consents": [await wiring.consents.record(wish) for wish in wishes]})


@with_problems
async def search(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Show what a recipient agreed to, for one sender or for all that are known: 422 with the faults of the search."""
    wanted = read_search(read_body(req), settings=wiring.settings)
    return json_answer({"consents": await wiring.consents.find(wanted.to, wanted.sender)})
