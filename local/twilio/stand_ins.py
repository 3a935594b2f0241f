"""Answers in Twilio's place: the pages of proxies, gateways, firewalls and login portals.

Only a JSON object with an integer `code` is Twilio's own error (https://www.twilio.com/docs/usage/twilios-response).
Nothing here is one, whatever its status. RFC 9110 lets any server on the way answer:
https://www.rfc-editor.org/rfc/rfc9110#section-3.7
"""

from datetime import timedelta
from email.utils import format_datetime
from random import Random
from typing import Annotated, Literal, get_args

import msgspec
from aiohttp import web

from local.twilio.dates import now

STATUSES = (200, 302, 307, 400, 401, 403, 404, 407, 408, 413, 425, 429, 451, 500, 502, 503, 504)
Status = Annotated[int, msgspec.Meta(ge=200, le=599)]
Body = Literal["html", "empty", "no-code", "text-code", "list"]
BODIES: tuple[Body, ...] = get_args(Body)
REDIRECTIONS = range(300, 400)
ELSEWHERE = "/elsewhere"
"""where a redirection leads, unless it is told otherwise: the simulator keeps who follows it"""
A_RETRY_AFTER = 0.3
MOST_SECONDS = 2


class StandIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One such answer.

    `body` is html, empty, or JSON: an object without a code (no-code) or whose code is a word (text-code), or a list.
    `retry_after` is in seconds, and told as an HTTP date where `retry_after_date` is true. `location` is where a
    redirection leads.
    """

    status: Status = 502
    body: Body = "html"
    retry_after: int | None = None
    retry_after_date: bool = False
    location: str | None = None

    def answer(self) -> web.Response:
        """Make the answer."""
        headers = {"Location": self.location} if self.location else {}
        if self.retry_after is not None:
            headers["Retry-After"] = self._retry_after(self.retry_after)
        text, kind = self._content()
        return web.Response(status=self.status, text=text, content_type=kind, headers=headers)

    def _content(self) -> tuple[str | None, str | None]:
        match self.body:
            case "html":
                return f"<html><body><h1>{self.status}: a page of a proxy</h1></body></html>", "text/html"
            case "empty":
                return None, None
            case "no-code":
                answer: object = {"status": self.status, "message": "A gateway answers"}
            case "text-code":
                answer = {"code": "GatewayAnswers", "message": "A gateway answers"}
            case "list":
                answer = [{"error": "A gateway answers"}]
        return msgspec.json.encode(answer).decode(), "application/json"

    def _retry_after(self, seconds: int) -> str:
        if not self.retry_after_date:
            return str(seconds)
        return format_datetime(now() + timedelta(seconds=seconds), usegmt=True)


def stand_in(draws: Random, *, status: Status | None, body: Body | None, retry_after: int | None) -> StandIn:
    """Return an answer as far as it is given, and the rest of it at random."""
    told = draws.random() < A_RETRY_AFTER
    seconds, as_date = draws.randint(1, MOST_SECONDS), draws.random() < A_RETRY_AFTER
    return StandIn(
        status=draws.choice(STATUSES) if status is None else status,
        body=draws.choice(BODIES) if body is None else body,
        retry_after=retry_after if retry_after is not None else seconds if told else None,
        retry_after_date=as_date,
    )
