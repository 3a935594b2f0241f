"""Access tokens for browsers, as somebody who knows who signed in asks for them."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

import azure.functions as func
import msgspec
from msgspec import Meta

from shared.documents import convert
from shared.errors import NotConfigured
from shared.text.numbers import IDENTITY
from shared.voice.flows.turn import whole_number
from shared.voice.tokens import LONGEST, mint
from shared.web.answers import json_answer, problem, with_problems
from shared.wiring import Wiring, clock

_KEPT_BY_NOBODY: Final = {"Cache-Control": "no-store"}
_SHORTEST: Final = 60
_LONGEST: Final = int(LONGEST.total_seconds())


class _Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    identity: Annotated[str, Meta(pattern=rf"^{IDENTITY.pattern}$(?!\n)")]
    ttl: Annotated[int, Meta(ge=_SHORTEST, le=_LONGEST)] = _LONGEST
    """seconds"""


@with_problems
async def token(req: func.HttpRequest, wiring: Wiring) -> func.HttpResponse:
    """Make a token for an identity: 422 where that is none, 501 where a setting for it is missing.

    Whoever has the function key gets a token for any name: it is a server's to ask, for who is signed in there.
    """
    query: dict[str, Any] = dict(req.params)
    seconds = whole_number(query.get("ttl"))
    if seconds is not None:
        query["ttl"] = seconds
    query.pop("code", None)
    wanted = convert(query, _Wanted)
    try:
        made = mint(wiring.settings, identity=wanted.identity, lasts=timedelta(seconds=wanted.ttl), now=clock())
    except NotConfigured as exc:
        return problem(HTTPStatus.NOT_IMPLEMENTED, str(exc), settings=exc.names)
    answer = {"token": made.text, "identity": wanted.identity, "expires_at": made.expires_at}
    return json_answer(answer, HTTPStatus.OK, **_KEPT_BY_NOBODY)
