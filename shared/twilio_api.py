"""Twilio's REST API: the only importer of twilio.rest. Every call is bounded in time, and is made at most once."""

import asyncio
import base64
import functools
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import ClientTimeout, TraceConfig
from aiohttp.connector import Connection
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.outbound.claim import ticks
from shared.outbound.provider import Resource
from shared.settings import Settings
from shared.sockets import bounded

_CONNECT_SECONDS: Final = 5.0
_CONNECTIONS: Final = 100
_PAGE: Final = 100
_PAGES: Final = 20
"""a look goes through so many pages; a recipient with more in its time was not looked through"""
_OK: Final = range(200, 300)
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = 500
_NOT_FOUND: Final = 404


@dataclass(slots=True)
class _Exchange:
    """One request and its answer: the client library passes neither our deadline in nor the whole answer out."""

    not_after: float
    """when (claim.ticks) the answer must be in"""
    began: bool = False
    """the first byte may have left"""
    transport: asyncio.Transport | None = None
    """the connection that it left by"""
    answer: str = ""

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

    def __init__(self, settings: Settings) -> None:
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
        return _resource(await self._ask(lambda: self._client.messages.create_async(**parameters), not_after))

    async def create_call(self, parameters: dict[str, Any], *, not_after: float) -> Resource:
        """Create a call; as `create_message`.

        See https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource.
        """
        return _resource(await self._ask(lambda: self._client.calls.create_async(**parameters), not_after))

    async def messages_to(self, to: str, *, since: datetime) -> list[Resource]:
        """List the messages to a recipient that Twilio made at `since` or later.

        Asked for by recipient alone: what is still queued has no DateSent, and a Messaging Service picks From later.
        See https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources.
        """
        pages = self._pages(lambda: self._client.messages.page_async(to=to, page_size=_PAGE), "messages")
        return await _newer(pages, since)

    async def calls_to(self, to: str, *, since: datetime) -> list[Resource]:
        """List the calls to a recipient that Twilio made at `since` or later; as `messages_to`.

        See https://www.twilio.com/docs/voice/api/call-resource#read-multiple-call-resources.
        """
        pages = self._pages(lambda: self._client.calls.page_async(to=to, page_size=_PAGE), "calls")
        return await _newer(pages, since)

    async def message(self, sid: str) -> Resource | None:
        """Fetch a message; None where Twilio has none with this SID."""
        return await self._fetch(lambda: self._client.messages(sid).fetch_async())

    async def call(self, sid: str) -> Resource | None:
        """Fetch a call; None where Twilio has none with this SID."""
        return await self._fetch(lambda: self._client.calls(sid).fetch_async())

    async def check_account(self) -> None:
        """Ask for as little as there is, to see whether Twilio takes this account's requests.

        A list, as the account itself is not shown to a standard API key:
        https://www.twilio.com/docs/iam/api-keys#key-types.
        """
        await self._ask(lambda: self._client.messages.page_async(page_size=1))

    async def erase_message(self, sid: str) -> None:
        """Remove a message, with its text and media, at Twilio; one that is gone is no fault.

        See https://www.twilio.com/docs/messaging/api/message-resource#delete-a-message-resource.
        """
        await self._delete(lambda: self._client.messages(sid).delete_async())

    async def erase_recordings(self, call_sid: str) -> None:
        """Remove the recordings of a call at Twilio.

        See https://www.twilio.com/docs/voice/api/recording#delete-a-recording-resource.
        """
        pages = self._pages(
            lambda: self._client.recordings.page_async(call_sid=call_sid, page_size=_PAGE), "recordings"
        )
        # all are known before the first is gone: then the pages begin elsewhere
        for sid in [recording["sid"] async for page in pages for recording in page]:
            await self._delete(lambda sid=sid: self._client.recordings(sid).delete_async())  # type: ignore[misc]  # the library carries no types

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _fetch(self, fetch: Callable[[], Awaitable[object]]) -> Resource | None:
        try:
            return _resource(await self._ask(fetch))
        except TwilioRefused as exc:
            if exc.status == _NOT_FOUND:
                return None
            raise

    async def _delete(self, delete: Callable[[], Awaitable[object]]) -> None:
        try:
            await self._ask(delete, wants_answer=False)
        except TwilioRefused as exc:
            if exc.status != _NOT_FOUND:
                raise

    async def _pages(self, first: Callable[[], Awaitable[Any]], name: str) -> AsyncIterator[list[dict[str, Any]]]:
        answer = await self._ask(first)
        for _ in range(_PAGES):
            yield answer[name]
            following = answer.get("next_page_uri")
            if not following:
                return
            answer = await self._ask(functools.partial(self._next, f"{self._client.api.base_url}{following}"))
        raise TwilioUnclear(f"more than {_PAGES} pages: it was not looked through")

    async def _next(self, url: str) -> None:
        await self._client.request_async("GET", url)

    async def _ask(
        self, ask: Callable[[], Awaitable[object]], not_after: float = math.inf, *, wants_answer: bool = True
    ) -> dict[str, Any]:
        exchange = _Exchange(not_after)
        token = _exchange.set(exchange)
        try:
            await ask()
            answer = msgspec.json.decode(exchange.answer) if wants_answer else {}
        except (TwilioException, ValueError, TypeError, KeyError) as exc:
            if not exchange.began:
                raise TwilioUnavailable(f"no request could be made ({type(exc).__name__})") from None
            # an answer that said 2xx, and was no resource
            raise _unusable(exc) from None
        finally:
            _exchange.reset(token)
        if not isinstance(answer, dict):
            raise _unusable(TypeError())
        return answer


def _unusable(error: Exception) -> TwilioUnclear:
    return TwilioUnclear(f"expected a resource in Twilio's answer, got something else ({type(error).__name__})")


def _resource(answer: dict[str, Any]) -> Resource:
    try:
        return Resource(
            sid=answer["sid"],
            status=answer["status"],
            from_=answer.get("from"),
            service=answer.get("messaging_service_sid"),
            body=answer.get("body"),
            direction=answer.get("direction"),
            created_at=_moment(answer.get("date_created")),
            error_code=answer.get("error_code"),
            error_message=answer.get("error_message"),
            answer=answer,
        )
    except (KeyError, TypeError) as exc:
        raise _unusable(exc) from exc


def _moment(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


async def _newer(pages: AsyncIterator[list[dict[str, Any]]], since: datetime) -> list[Resource]:
    found: list[Resource] = []
    async for page in pages:
        for answer in page:
            resource = _resource(answer)
            if resource.created_at is not None and resource.created_at < since:
                return found
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
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, socket_factory=bounded(bound)),
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
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError) as exc:
            if not _exchange.get().began:
                raise TwilioUnavailable(f"no connection to Twilio ({type(exc).__name__})") from exc
            raise TwilioUnclear(f"the request left and no answer came ({type(exc).__name__})") from exc
        finally:
            _exchange.get().cut()
        _raise_for_refusal(answer, text)
        _exchange.get().answer = text
        return Response(answer.status, text, answer.headers)

    async def close(self) -> None:
        await self._session.close()

    async def _refuse_if_late(self, *_trace: object) -> None:
        # runs when a connection stands and just before the first byte is written: a process that froze while it
        # waited for the connection must find itself too late here
        exchange = _exchange.get()
        if ticks() + self._bound > exchange.not_after:
            raise TooLate(f"less than {self._bound:g} s were left of the attempt's time")
        exchange.began = True


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _raise_for_refusal(answer: aiohttp.ClientResponse, text: str) -> None:
    if answer.status in _OK:
        return
    refusal = _read_refusal(text)
    if answer.status == _TOO_MANY_REQUESTS:
        retry_after = _seconds(answer.headers.get("Retry-After"))
        raise TwilioUnavailable("Twilio takes no more requests for now", code=refusal.code, retry_after=retry_after)
    if answer.status >= _SERVER_ERRORS:
        raise TwilioUnclear(f"Twilio answered HTTP {answer.status}", code=refusal.code)
    raise TwilioRefused(
        status=answer.status, code=refusal.code or answer.status, explanation=refusal.message or refusal.detail or ""
    )


class _Refusal(msgspec.Struct, frozen=True):
    """Twilio's error body, of old (`message`) or as a problem document (`detail`)."""

    code: int | None = None
    message: str | None = None
    detail: str | None = None


def _read_refusal(text: str) -> _Refusal:
    try:
        return msgspec.json.decode(text, type=_Refusal)
    except msgspec.DecodeError:
        return _Refusal()


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdecimal() else None
