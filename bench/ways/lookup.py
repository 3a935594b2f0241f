"""Looking deliveries up: by id, by recipient, by status, by time; and what the housekeeping timer looks at."""

import json
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func

from bench.ways.ours import Ours
from bench.ways.sample import TO, Sample
from bench.ways.way import Job, Place

SEARCHES: Final = {"recipient": {"to": TO}, "status": {"status": "undelivered"}, "time": {}}
"""a page of each, as people ask for it"""


class Lookup(Ours):
    """One kind of looking, again and again."""

    def __init__(self, place: Place) -> None:
        """It is told `id:ID`, one of SEARCHES, or `housekeeping`."""
        super().__init__(place)
        self._what = place.told

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Look as often as there are samples."""
        return [self._look() for _ in samples]

    def _look(self) -> Job:
        what, _, delivery_id = self._what.partition(":")
        if what == "housekeeping":
            return lambda: self._app.housekeeping(None)
        if what == "id":
            return _asking(self._app.delivery, _request("GET", f"deliveries/{delivery_id}", id=delivery_id))
        body = json.dumps({**SEARCHES[what], "limit": 20}).encode()
        return _asking(self._app.search_deliveries, _request("POST", "deliveries/search", body))


def _asking(function: Callable[[func.HttpRequest], Awaitable[Any]], request: func.HttpRequest) -> Job:
    async def job() -> None:
        answer = await function(request)
        if answer.status_code != HTTPStatus.OK:
            raise SystemExit(f"expected 200 to a lookup, got {answer.status_code}")

    return job


def _request(method: str, path: str, body: bytes = b"", **route: str) -> func.HttpRequest:
    url = f"http://127.0.0.1/api/{path}"
    return func.HttpRequest(method=method, url=url, headers={}, params={}, route_params=route, body=body)
