"""The tables of one account: requests, made again where that helps, and their answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Final, Self
from wsgiref.handlers import format_date_time

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from yarl import URL

from shared.connections import Bounds, Use, open_session
from shared.table_service import connection, faults
from shared.table_service.access import Access, Bearer
from shared.table_service.client import Request, TableClient
from shared.table_service.lists import Lists

_HEADERS: Final = {
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
    # the first that takes tokens:
    # https://learn.microsoft.com/azure/storage/tables/authorize-access-azure-active-directory
    "x-ms-version": "2020-12-06",
}
_OK: Final = range(200, 300)
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
_PASSING_FOR_ALL: Final = frozenset({500, 503, 504})
_HARMLESS: Final = frozenset({"GET", "PUT", "DELETE"})
"""who repeats these changes nothing further"""
_LONGEST_WAIT: Final = 5.0
"""seconds, whatever storage asks for: who waits here has a caller"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


class TableService:
    """One account; its tables share a session, and what lets them in."""

    def __init__(
        self, url: str, access: Access, lists: Lists, *, session: aiohttp.ClientSession, bounds: Bounds
    ) -> None:
        parts = URL(url)
        self._lists = lists
        self._origin = str(parts.origin())
        self._path = parts.raw_path.rstrip("/")
        self._access = access
        self._session = session
        self._bounds = bounds

    @classmethod
    def from_connection_string(cls, text: str, *, session: aiohttp.ClientSession, bounds: Bounds | None = None) -> Self:
        """Return the service that a connection string leads to; ValueError where it leads nowhere."""
        url, access = connection.read(text)
        bounds = bounds or Bounds()
        lists = Lists.from_connection_string(text, session=session, bounds=bounds)
        return cls(url, access, lists, session=session, bounds=bounds)

    @classmethod
    def with_identity(
        cls,
        url: str,
        credential: AsyncTokenCredential,
        *,
        session: aiohttp.ClientSession,
        bounds: Bounds | None = None,
    ) -> Self:
        """Return the service at a URL, which the app's own identity opens; ValueError where a token could be read."""
        if not url.lower().startswith("https://"):
            raise ValueError("expected https:// where the app's identity opens the tables: a token would be seen")
        bounds = bounds or Bounds()
        lists = Lists.with_identity(url, credential, session=session, bounds=bounds)
        return cls(url, Bearer(credential), lists, session=session, bounds=bounds)

    @classmethod
    @asynccontextmanager
    async def open(cls, text: str, *, bounds: Bounds | None = None) -> AsyncIterator[Self]:
        """Open a service with a session of its own, until the block is left."""
        bounds = bounds or Bounds()
        async with open_session(bounds) as session:
            yield cls.from_connection_string(text, session=session, bounds=bounds)

    def table(self, name: str) -> TableClient:
        """Return one of its tables, whether it is there or not."""
        return TableClient(self, self._lists, name)

    async def ask(self, request: Request) -> Answer:
        """Make a request and return its answer, which is a good one.

        It is made again where it failed in passing, if to repeat it does no harm; an insert or a merge only where the
        service says that it failed, or where a connection that had been idle ended without an answer. An insert or a
        merge that took effect all the same then meets its own row (ResourceExistsError), or its own new ETag
        (ResourceModifiedError).

        Raises:
            azure.core.exceptions.AzureError: there was no answer, or none that says yes.
        """
        for failures in range(1, self._bounds.repetitions + 2):
            answer = await self._tried(request)
            wait: float | None = None
            if not isinstance(answer, Answer):
                error: AzureError = faults.silence(answer)
                again = request.method in _HARMLESS
            elif answer.status in _OK:
                return answer
            else:
                error = faults.refusal(answer.status, answer.headers, answer.content)
                wait = _asked_for(answer)
                again = _is_passing(request.method, answer.status, asked=wait is not None)
            if not again or failures > self._bounds.repetitions:
                break
            await asyncio.sleep(self._backoff(failures) if wait is None else wait)
        raise error

    async def _tried(self, request: Request) -> Answer | Exception:
        """Return why there is no answer, rather than raise it: the texts of several hold the whole URL.

        What is raised while nothing is being handled keeps nothing of it, as a cause or otherwise.
        """
        try:
            return await self._admitted(request)
        except (aiohttp.ClientError, TimeoutError) as exc:
            return exc

    async def _admitted(self, request: Request) -> Answer:
        answer = await self._send(request)
        if answer.status == HTTPStatus.UNAUTHORIZED and await self._access.renew(
            answer.headers.get("WWW-Authenticate", "")
        ):
            return await self._send(request)
        return answer

    async def _send(self, request: Request) -> Answer:
        path = self._path + request.path
        date = _date(int(time.time()))
        headers = {**_HEADERS, **request.headers, "x-ms-date": date, **await self._access.headers(path, date)}
        query = "&".join(part for part in (request.query, self._access.query) if part)
        url = URL(f"{self._origin}{path}?{query}" if query else self._origin + path, encoded=True)
        return await self._exchange(request, url, headers)

    async def _exchange(self, request: Request, url: URL, headers: Mapping[str, str]) -> Answer:
        """Send a request; once more by another connection where one that had been idle ends without an answer.

        A server may close several idle connections at once: each try uses one of them up, and a new one ends this.
        """
        while True:
            use = Use()
            try:
                async with self._session.request(
                    request.method,
                    url,
                    data=request.body,
                    headers=headers,
                    allow_redirects=False,
                    trace_request_ctx=use,
                ) as answer:
                    return Answer(answer.status, answer.headers, await answer.read())
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                if not use.is_reused:
                    raise

    def _backoff(self, failures: int) -> float:
        return 0.0 if failures == 1 else self._bounds.backoff * 2 ** (failures - 1)


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return format_date_time(second)


def _asked_for(answer: Answer) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WAIT) if text.isdecimal() else None


def _is_passing(method: str, status: int, *, asked: bool) -> bool:
    return status in (_PASSING if asked or method in _HARMLESS else _PASSING_FOR_ALL)
