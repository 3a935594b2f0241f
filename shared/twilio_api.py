"""Twilio's REST API: the only importer of twilio.rest. Every call is bounded in time, and is made at most once."""

import asyncio
import base64
import functools
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from aiohttp import ClientTimeout, TraceConfig
from aiohttp.connector import Connection
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from shared import twilio_answers
from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.claim import ticks
from shared.outbound.provider import Resource
from shared.settings import Settings
from shared.sockets import KEEP_ALIVE_SECONDS, bounded
from shared.twilio_answers import CALLS, LARGEST, MESSAGES

_CONNECT_SECONDS: Final = 5.0
_CONNECTIONS: Final = 100
_PAGE: Final = 1000
"""the most that a page may hold: https://www.twilio.com/docs/usage/twilios-response#pagination"""
_LIST_SECONDS: Final = 120.0
"""the time in which a list is read; the page that is on its way then is the last"""
_NOT_FOUND: Final = (404, 20404)
"""the status and the code with which Twilio says that it has no such resource: a proxy has a 404 of its own.
https://www.twilio.com/docs/api/errors/20404"""
_UNREAD: Final = '{"unread": []}'
"""the answer that the library gets to read: it fails in many ways on one that is not as it expects"""


@dataclass(slots=True)
class _Exchange:
    """One request and its answer: the client library passes neither our deadline in nor the whole answer out."""

    not_after: float
    """when (claim.ticks) the answer must be in"""
    began: bool = False
    """the first byte may have left"""
    transport: asyncio.Transport | None = None
    """the connection that it left by"""
    status: int = 0
    answer: bytes = b""

    def cut(self) -> None:
        """Let nothing more leave by a connection that was given up: to close it alone would first send the rest."""
        if self.transport is not None and self.transport.is_closing():
            self.transport.abort()


_exchange: ContextVar[_Exchange] = ContextVar("_exchange")


class TwilioApi:
    """A client that keeps its connections; make it inside the event loop, close it at the end.

    Its methods raise
        TooLate: so little time was left that nothing was sent.
        TwilioUnavailable: Twilio did not process it.
        TwilioUnclear: Twilio may have it.
        TwilioRefused: Twilio won't do it.
    """

    def __init__(self, settings: Settings, *, list_seconds: float = _LIST_SECONDS) -> None:
        self._list_seconds = list_seconds
        self._http = _HttpClient(bound=settings.twilio_timeout_seconds)
        user, password = settings.account_sid, settings.auth_token
        if settings.api_key_sid and settings.api_key_secret:
            user, password = settings.api_key_sid, settings.api_key_secret
        self._client = Client(user, password.reveal(), settings.account_sid, http_client=self._http)
        self._client.api.base_url = settings.api_base_url

    async def create_message(self, parameters: dict[str, Any], *, not_after: float) -> Resource:
        """Create a message. `not_after` is the moment (claim.ticks) at which the answer must be in.

        See https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource.
        """
        answer = await self._ask(lambda: self._client.messages.create_async(**parameters), not_after)
        return twilio_answers.resource(answer, kinds=MESSAGES)

    async def create_call(self, parameters: dict[str, Any], *, not_after: float) -> Resource:
        """Create a call; as `create_message`.

        See https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource.
        """
        answer = await self._ask(lambda: self._client.calls.create_async(**parameters), not_after)
        return twilio_answers.resource(answer, kinds=CALLS)

    async def messages_to(self, to: str, *, since: datetime, until: datetime | None = None) -> list[Resource]:
        """List the messages to a recipient that Twilio created between `since` and `until`; in no order.

        The list is filtered by recipient alone: a queued message has no DateSent, and a Messaging Service sets From
        later. Every page is read: Twilio sorts messages by DateSent, so an old message may come before a new one.
        A message without a readable date_created is listed too.
        See https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources.

        Raises:
            TwilioUnclear: also where the list broke off, or could not be read to its end in time.
        """
        return await _created_between(self._pages("messages", To=to), since, until, kinds=MESSAGES)

    async def calls_to(self, to: str, *, since: datetime, until: datetime | None = None) -> list[Resource]:
        """List the calls to a recipient, as `messages_to`; for calls Twilio documents no order.

        See https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources.
        """
        return await _created_between(self._pages("calls", To=to), since, until, kinds=CALLS)

    async def message(self, sid: str) -> Resource | None:
        """Fetch a message; None where Twilio has none with this SID."""
        answer = await self._fetch(lambda: self._client.messages(sid).fetch_async())
        return None if answer is None else twilio_answers.resource(answer, kinds=MESSAGES, sid=sid)

    async def call(self, sid: str) -> Resource | None:
        """Fetch a call; None where Twilio has none with this SID."""
        answer = await self._fetch(lambda: self._client.calls(sid).fetch_async())
        return None if answer is None else twilio_answers.resource(answer, kinds=CALLS, sid=sid)

    async def check_account(self) -> None:
        """Ask for as little as there is, to see whether Twilio takes this account's requests.

        A list, as the account itself is not shown to a standard API key:
        https://www.twilio.com/docs/iam/api-keys#key-types.
        """
        answer = await self._ask(lambda: self._client.messages.page_async(page_size=1))
        twilio_answers.page(answer, "messages")

    async def erase_message(self, sid: str) -> None:
        """Remove a message, with its text and media, at Twilio; one that is gone is no fault.

        See https://www.twilio.com/docs/messaging/api/message-resource#delete-a-message-resource.
        """
        await self._delete(lambda: self._client.messages(sid).delete_async())

    async def erase_recordings(self, call_sid: str) -> None:
        """Remove the recordings of a call at Twilio.

        See https://www.twilio.com/docs/voice/api/recording#delete-a-recording-resource.
        """
        pages = self._pages("recordings", CallSid=call_sid)
        # all are known before the first is gone: then the pages begin elsewhere
        found = [twilio_answers.recording_sid(item, call_sid=call_sid) async for page in pages for item in page]
        for sid in found:
            await self._delete(lambda sid=sid: self._client.recordings(sid).delete_async())  # type: ignore[misc]  # the library carries no types

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _fetch(self, fetch: Callable[[], Awaitable[object]]) -> dict[str, Any] | None:
        try:
            return await self._ask(fetch)
        except TwilioRefused as exc:
            if (exc.status, exc.code) == _NOT_FOUND:
                return None
            raise

    async def _delete(self, delete: Callable[[], Awaitable[object]]) -> None:
        try:
            twilio_answers.check_deleted((await self._perform(delete)).status)
        except TwilioRefused as exc:
            if (exc.status, exc.code) != _NOT_FOUND:
                raise

    async def _pages(self, name: str, **query: str) -> AsyncIterator[list[object]]:
        """Yield every page of a list. A list that can't be read to its end raises: half a list proves nothing.

        See https://www.twilio.com/docs/usage/twilios-response#pagination.
        """
        ends = ticks() + self._list_seconds
        path = f"/2010-04-01/Accounts/{self._client.account_sid}/{name.capitalize()}.json"
        following: str | None = f"{path}?{urlencode({**query, 'PageSize': _PAGE})}"
        read: set[str] = set()
        while following is not None:
            # the credentials go with the request: a link of another form could send them to another host
            if not following.startswith(f"{path}?") or following in read:
                raise TwilioUnclear(f"expected a link to the next page of {name}, got one that leads elsewhere")
            if read and ticks() >= ends:
                raise TwilioUnclear(f"there are more {name} at Twilio than could be read in {self._list_seconds:g} s")
            read.add(following)
            answer = await self._ask(functools.partial(self._get, f"{self._client.api.base_url}{following}"))
            items, following = twilio_answers.page(answer, name)
            yield items

    async def _get(self, url: str) -> None:
        # not by the library's own pages, which hold the whole page twice and fail in many ways on a strange one
        await self._client.request_async("GET", url)

    async def _ask(self, ask: Callable[[], Awaitable[object]], not_after: float = math.inf) -> dict[str, Any]:
        return twilio_answers.document((await self._perform(ask, not_after)).answer)

    async def _perform(self, ask: Callable[[], Awaitable[object]], not_after: float = math.inf) -> _Exchange:
        exchange = _Exchange(not_after)
        token = _exchange.set(exchange)
        try:
            await ask()
        except (TwilioException, ValueError, TypeError, LookupError, AttributeError) as exc:
            what = type(exc).__name__
            if not exchange.began:
                raise TwilioUnavailable(f"no request could be made ({what})") from None
            raise TwilioUnclear(f"expected a resource in Twilio's answer, got something else ({what})") from None
        finally:
            _exchange.reset(token)
        return exchange


async def _created_between(
    pages: AsyncIterator[list[object]], since: datetime, until: datetime | None, *, kinds: frozenset[str]
) -> list[Resource]:
    """Return what may have been created in this time: what is no candidate is dropped page by page."""
    found: list[Resource] = []
    async for page in pages:
        for item in page:
            resource = twilio_answers.resource(item, kinds=kinds)
            created = resource.created_at
            if created is None or (since <= created and (until is None or created <= until)):
                found.append(resource)
    return found


class _Request(aiohttp.ClientRequest):
    """A request that says which connection it leaves by."""

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        _exchange.get().transport = conn.transport
        return await super().send(conn)


class _HttpClient(AsyncHttpClient):  # type: ignore[misc]  # the library carries no types
    """One request, one attempt, a bound on its time, and errors that say whether Twilio can have it.

    The library's own asynchronous client has no bound (its `timeout` is ignored) and logs whole numbers.
    """

    def __init__(self, *, bound: float) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._bound = bound
        tracing = TraceConfig()
        tracing.on_request_headers_sent.append(self._refuse_if_late)
        self._session = aiohttp.ClientSession(
            timeout=ClientTimeout(total=bound, connect=min(_CONNECT_SECONDS, bound)),
            connector=aiohttp.TCPConnector(
                limit=_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS, socket_factory=bounded(bound)
            ),
            request_class=_Request,
            trace_configs=[tracing],
        )

    async def request(  # noqa: PLR0917 - the library passes some by position
        self,
        method: str,
        uri: str,
        params: dict[str, str] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 - the library's signature; the session's bound holds
        allow_redirects: bool = False,  # noqa: FBT001, FBT002, ARG002 - a create is never sent on to somewhere else
    ) -> Response:
        """Make one request, at most once."""
        try:
            async with self._session.request(
                method,
                uri,
                params=params,
                data=data,
                headers={**(headers or {}), **(_basic(*auth) if auth else {})},
                allow_redirects=False,
            ) as answer:
                content = await _read(answer)
        except (aiohttp.ClientError, TimeoutError) as exc:
            if not _exchange.get().began:
                raise TwilioUnavailable(f"no connection to Twilio ({type(exc).__name__})") from exc
            raise TwilioUnclear(f"the request left and no answer came ({type(exc).__name__})") from exc
        finally:
            _exchange.get().cut()
        twilio_answers.raise_for_status(answer.status, answer.headers, content, now=datetime.now(UTC))
        exchange = _exchange.get()
        exchange.status, exchange.answer = answer.status, content
        return Response(answer.status, _UNREAD, answer.headers)

    async def close(self) -> None:
        await self._session.close()

    async def _refuse_if_late(self, *_trace: object) -> None:
        # runs when a connection stands and just before the first byte is written: a process that froze while it
        # waited for the connection must find itself too late here
        exchange = _exchange.get()
        if ticks() + self._bound > exchange.not_after:
            raise TooLate(f"less than {self._bound:g} s were left of the attempt's time")
        if exchange.transport is not None and exchange.transport.is_closing():
            # the server closed it meanwhile, and nothing was written yet
            raise aiohttp.ClientConnectionResetError("the connection was closed before the request left")
        exchange.began = True


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in answer.content.iter_any():
        content += piece
        if len(content) > LARGEST:
            raise TwilioUnclear(f"expected an answer of {LARGEST} bytes at most from Twilio, got a longer one")
    return bytes(content)
