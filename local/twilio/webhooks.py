"""Requests to the app under test: signed, bounded in time, tried again as the URL's fragment says.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

import asyncio
import base64
import uuid
from collections import deque
from urllib.parse import SplitResult, unquote, urlencode, urljoin, urlsplit

import aiohttp
import msgspec
from multidict import MultiDict
from twilio.request_validator import RequestValidator
from yarl import URL

from local.twilio.forms import is_url
from local.twilio.overrides import Options

MAX_BODY = 64 * 1024
MAX_REDIRECTS = 10
AT_ONCE = 64
LOG_LENGTH = 20_000
BACKOFF_SECONDS = 0.2
# Shorter than what servers keep idle connections for, so that none is closed while it is taken up again.
IDLE_SECONDS = 4
Fields = tuple[tuple[str, str], ...]


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """One request that Twilio makes to the app; `voice` says that it belongs to a call."""

    url: str
    fields: Fields
    method: str = "POST"
    voice: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the app answered, and the URL that answered in the end."""

    url: str
    status: int
    content_type: str
    body: bytes


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    """How one try went: the fault is None, or as retry policies name it: ct, rt, 4xx, 5xx."""

    fault: str | None
    detail: str = ""
    answer: Answer | None = None


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log: what was requested, how often, and the last answer's status or the fault."""

    url: str
    method: str
    fields: Fields
    attempts: int
    status: int | None
    fault: str | None


class HookError(Exception):
    """A webhook that got no good answer: Twilio's code, and what was seen."""

    def __init__(self, code: int, detail: str) -> None:
        self.code = code
        super().__init__(detail)


class Webhooks:
    """The way to the app: one pool of connections, and a log of the newest 20,000 requests."""

    def __init__(self, session: aiohttp.ClientSession, *, auth_token: str, pace: float) -> None:
        self._session = session
        self._validator = RequestValidator(auth_token)
        self._pace = pace
        self._places = asyncio.Semaphore(AT_ONCE)
        self.log: deque[Posted] = deque(maxlen=LOG_LENGTH)

    async def send(self, hook: Hook) -> Answer:
        """Request, with retries; returns the good answer.

        Raises HookError: 11100 for what is no URL, 11205 where nobody could be reached, 11200 for an answer
        that is an error or came too late, 11750 for one that is too large.
        """
        if not is_url(hook.url):
            raise HookError(11100, "expected an absolute http or https URL")
        async with self._places:
            return await self._send(hook, Options.of(hook.url))

    async def _send(self, hook: Hook, options: Options) -> Answer:
        token = str(uuid.uuid4())
        attempts, last = 0, Attempted(fault="rt", detail="no answer within the total time")
        try:
            async with asyncio.timeout(options.total):
                while attempts == 0 or (attempts <= options.retries and options.retry(last.fault)):
                    await asyncio.sleep(BACKOFF_SECONDS * (2**attempts - 1) * self._pace)
                    attempts += 1
                    last = await self._try(hook, options, token)
        except TimeoutError:
            pass  # the last fault stands
        self._record(hook, attempts, last)
        return _good(last)

    def _record(self, hook: Hook, attempts: int, last: Attempted) -> None:
        self.log.append(
            Posted(
                url=hook.url,
                method=hook.method,
                fields=hook.fields,
                attempts=attempts,
                status=last.answer.status if last.answer else None,
                fault=last.fault,
            )
        )

    async def _try(self, hook: Hook, options: Options, token: str) -> Attempted:
        limits = aiohttp.ClientTimeout(sock_connect=options.connect, sock_read=options.read)
        try:
            answer = await self._follow(hook, limits, token)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exc:
            return Attempted(fault="ct", detail=type(exc).__name__)
        except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
            return Attempted(fault="rt", detail=type(exc).__name__)
        good = answer.status < 400  # noqa: PLR2004 - where HTTP's errors begin
        return Attempted(fault=None if good else f"{answer.status // 100}xx", answer=answer)

    async def _follow(self, hook: Hook, limits: aiohttp.ClientTimeout, token: str) -> Answer:
        """Request and follow redirections, each signed for its own URL; Digits are sent but once."""
        answer, place = await self._request(hook, limits, token)
        for _ in range(MAX_REDIRECTS):
            if not place:
                break
            fields = tuple(pair for pair in hook.fields if pair[0] != "Digits")
            method = hook.method if answer.status in {307, 308} else "GET"
            hook = Hook(url=urljoin(answer.url, place), fields=fields, method=method, voice=hook.voice)
            answer, place = await self._request(hook, limits, token)
        return answer

    async def _request(self, hook: Hook, limits: aiohttp.ClientTimeout, token: str) -> tuple[Answer, str | None]:
        parts, headers = _without_userinfo(urlsplit(hook.url)._replace(fragment=""))
        data = None
        if hook.method == "GET":
            query = "&".join(text for text in (parts.query, urlencode(hook.fields)) if text)
            parts = parts._replace(query=query)
        else:
            data = urlencode(hook.fields).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        posted = MultiDict(hook.fields if data is not None else ())
        headers["X-Twilio-Signature"] = self._validator.compute_signature(
            signed_url(parts.geturl(), voice=hook.voice), posted
        )
        headers["I-Twilio-Idempotency-Token"] = token
        async with self._session.request(
            hook.method,
            URL(parts.geturl(), encoded=True),
            data=data,
            headers=headers,
            timeout=limits,
            allow_redirects=False,
        ) as response:
            answer = Answer(
                url=hook.url,
                status=response.status,
                content_type=response.content_type,
                body=await response.read(),
            )
            moved = 300 <= response.status < 400  # noqa: PLR2004 - HTTP's redirections
            return answer, response.headers.get("Location") if moved else None


def open_session() -> aiohttp.ClientSession:
    """The pool of connections to the app."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def signed_url(url: str, *, voice: bool) -> str:
    """What of a URL is signed: no fragment, no userinfo, and no port for calls over https (it is kept otherwise).

    https://www.twilio.com/docs/usage/webhooks/webhooks-security#a-few-notes
    """
    parts, _ = _without_userinfo(urlsplit(url)._replace(fragment=""))
    if voice and parts.scheme.lower() == "https" and parts.port is not None:
        parts = parts._replace(netloc=parts.netloc.rpartition(":")[0])
    return parts.geturl()


def _without_userinfo(parts: SplitResult) -> tuple[SplitResult, dict[str, str]]:
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return parts, {}
    credentials = base64.b64encode(unquote(userinfo).encode()).decode()
    return parts._replace(netloc=host), {"Authorization": f"Basic {credentials}"}


def _good(last: Attempted) -> Answer:
    if last.answer is None:
        raise HookError(11205 if last.fault == "ct" else 11200, last.detail)
    if last.fault is not None:
        raise HookError(11200, f"the answer was {last.answer.status}")
    if len(last.answer.body) > MAX_BODY:
        raise HookError(11750, f"the answer has {len(last.answer.body)} bytes, more than {MAX_BODY}")
    return last.answer
