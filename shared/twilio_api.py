"""Twilio's REST API: the only importer of twilio.rest. Every call is bounded in time, and is made at most once."""

import base64
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import ClientTimeout, TraceConfig
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from shared.errors import TooLate, TwilioRefused, TwilioUnavailable, TwilioUnclear
from shared.settings import Settings

SEND_SECONDS: Final = 10.0
"""the longest that one request to Twilio takes, from its beginning to the last byte of the answer"""
_CONNECT_SECONDS: Final = 5.0
_CONNECTIONS: Final = 100
_OK: Final = range(200, 300)
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = 500


@dataclass(slots=True)
class _Exchange:
    """One request and its answer: the client library passes neither our deadline in nor the whole answer out."""

    not_after: float
    answer: str = ""


_exchange: ContextVar[_Exchange] = ContextVar("_exchange")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Twilio has it: the SID, Twilio's word for its status, and the whole answer."""

    sid: str
    status: str
    answer: dict[str, Any]


class TwilioApi:
    """A client that keeps its connections; make it inside the event loop, close it at the end."""

    def __init__(self, settings: Settings) -> None:
        self._http = _HttpClient()
        self._account_sid = settings.account_sid
        user, password = settings.account_sid, settings.auth_token
        if settings.api_key_sid and settings.api_key_secret:
            user, password = settings.api_key_sid, settings.api_key_secret
        self._client = Client(user, password.reveal(), settings.account_sid, http_client=self._http)
        self._client.api.base_url = settings.api_base_url

    async def create_message(self, parameters: dict[str, Any], *, not_after: float) -> Accepted:
        """Create a message. `not_after` is the moment (time.monotonic) at which the answer must be in.

        Raises:
            TooLate: so little time was left that nothing was sent.
            TwilioUnavailable: Twilio did not process it.
            TwilioUnclear: Twilio may have it.
            TwilioRefused: Twilio won't do it.
        See https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource.
        """
        return await self._create(self._client.messages.create_async, parameters, not_after)

    async def create_call(self, parameters: dict[str, Any], *, not_after: float) -> Accepted:
        """Create a call; as `create_message`.

        See https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource.
        """
        return await self._create(self._client.calls.create_async, parameters, not_after)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def _create(self, create: Any, parameters: dict[str, Any], not_after: float) -> Accepted:  # noqa: ANN401 - a bound method of either resource
        exchange = _Exchange(not_after)
        token = _exchange.set(exchange)
        try:
            await create(**parameters)
            answer = msgspec.json.decode(exchange.answer)
            return Accepted(sid=answer["sid"], status=answer["status"], answer=answer)
        except (TwilioException, ValueError, TypeError, KeyError) as exc:
            # an answer that said 2xx, and was no resource
            raise TwilioUnclear(
                f"expected a resource in Twilio's answer, got something else ({type(exc).__name__})"
            ) from None
        finally:
            _exchange.reset(token)


class _HttpClient(AsyncHttpClient):  # type: ignore[misc]  # the library carries no types
    """One request, one attempt, a bound on its time, and errors that say whether Twilio can have it.

    The library's own asynchronous client has no bound (its `timeout` is ignored) and logs whole numbers.
    """

    def __init__(self) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        tracing = TraceConfig()
        tracing.on_request_headers_sent.append(_refuse_if_late)
        self._session = aiohttp.ClientSession(
            timeout=ClientTimeout(total=SEND_SECONDS, connect=_CONNECT_SECONDS),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
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
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exc:
            raise TwilioUnavailable(f"no connection to Twilio ({type(exc).__name__})") from exc
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError) as exc:
            raise TwilioUnclear(f"the request left and no answer came ({type(exc).__name__})") from exc
        _raise_for_refusal(answer, text)
        _exchange.get().answer = text
        return Response(answer.status, text, answer.headers)

    async def close(self) -> None:
        await self._session.close()


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def _refuse_if_late(*_trace: object) -> None:
    # runs when a connection stands and just before the first byte is written: a process that froze while it waited
    # for the connection must find itself too late here
    if time.monotonic() + SEND_SECONDS > _exchange.get().not_after:
        raise TooLate(f"less than {SEND_SECONDS:g} s were left of the attempt's time")


def _raise_for_refusal(answer: aiohttp.ClientResponse, text: str) -> None:
    if answer.status in _OK:
        return
    refusal = _read_refusal(text)
    if answer.status == _TOO_MANY_REQUESTS:
        raise TwilioUnavailable(
            "Twilio takes no more requests for now",
            code=refusal.code,
            retry_after=_seconds(answer.headers.get("Retry-After")),
        )
    if answer.status >= _SERVER_ERRORS:
        raise TwilioUnclear(f"Twilio answered HTTP {answer.status}", code=refusal.code)
    raise TwilioRefused(
        status=answer.status,
        code=refusal.code or answer.status,
        explanation=refusal.message or refusal.detail or "",
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
    return float(retry_after) if retry_after and retry_after.isdigit() else None
