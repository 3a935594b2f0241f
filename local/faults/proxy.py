"""A reverse proxy on 127.0.0.1 that passes on what it gets, byte for byte, and asks a hook what to spoil.

The signature of Azure's Shared Key stays valid, as path, query, body and the values of headers stay what they are;
the Host is the one that the client asked for, which Azurite does not mind as long as it is an IP address.
"""

import asyncio
import contextlib
import inspect
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, Self

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, hdrs, web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from local.faults.actions import Action, Answer, Do, Never, Pass
from local.faults.answers import answer_of
from local.faults.seen import Seen, Service, see
from local.faults.storage import HOST
from local.twilio.connections import drop, given_up
from local.twilio.stand_ins import StandIn

MAX_BODY = 64 * 1024 * 1024
# Node.js closes idle connections after 5 s: shorter, so that none is closed while it is taken up again.
IDLE_SECONDS = 4
LOOK_EVERY = 0.1
LAST_WAIT = 0.1
OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade", "expect"}
)
ADDED_BY_CLIENTS = frozenset({hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE, hdrs.USER_AGENT})


class Hook(Protocol):
    """Who says what happens to requests. An exception closes the connection, and is raised where the proxy ends."""

    async def before(self, request: Seen) -> Action:
        """Say what happens to a request that the service has not got yet."""

    async def after(self, request: Seen, status: int) -> Action:
        """Say what happens to an answer; the request took effect, as far as its status says so.

        It is not asked where the service gave no answer, or the client is gone.
        """


class Proxy:
    """A running proxy: `port` on 127.0.0.1, `url` without a path."""

    def __init__(self, *, target: str, service: Service, hook: Hook, session: aiohttp.ClientSession) -> None:
        self.port = 0
        self._target = str(URL(target).origin())
        self._service = service
        self._hook = hook
        self._session = session
        self._errors: list[Exception] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.port}"

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls, *, target: str, service: Service, hook: Hook, port: int = 0) -> AsyncIterator[Self]:
        """Serve until the block is left; raises what a hook raised meanwhile.

        `target` is a URL of the service, whose path does not matter. `port` 0 takes any free one; with a port of
        its own a proxy can be ended and started again, and in between connections are refused.
        """
        async with contextlib.AsyncExitStack() as stack:
            session = await stack.enter_async_context(_open_session())
            proxy = cls(target=target, service=service, hook=hook, session=session)
            listener = stack.enter_context(socket.create_server((HOST, port)))
            proxy.port = listener.getsockname()[1]
            app = web.Application(client_max_size=MAX_BODY)
            app.router.add_route("*", "/{path:.*}", proxy.serve)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=LAST_WAIT, auto_decompress=False)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listener).start()
            yield proxy
        for error in proxy._errors:
            raise error

    async def serve(self, request: web.Request) -> web.Response:
        """Pass a request on and its answer back, as far as the hook lets them."""
        seen = see(self._service, request.method, request.raw_path, request.headers, await request.read())
        try:
            instead = await self._do(await self._hook.before(seen), request)
            if instead is not None:
                return instead
            answer = await _while_wanted(request, lambda: self._forward(request, seen.body))
            if answer is None:
                return drop(request)
            return await self._do(await self._hook.after(seen, answer.status), request) or answer
        except Exception as error:  # noqa: BLE001 - whatever a hook raises is kept, and raised where the proxy ends
            self._errors.append(error)
            return drop(request)

    async def _do(self, action: Action, request: web.Request) -> web.Response | None:
        match action:
            case Pass():
                return None
            case Answer():
                return answer_of(self._service, action)
            case StandIn():
                return action.answer()
            case Never():
                await given_up(request)
            case Do(act):
                done = act()
                if inspect.isawaitable(done):
                    await done
        return drop(request)

    async def _forward(self, request: web.Request, body: bytes) -> web.Response | None:
        """Have the service answer; None where it gave no answer."""
        try:
            async with self._session.request(
                request.method,
                URL(self._target + request.raw_path, encoded=True),
                headers=_passed_on(request.headers),
                data=body or None,
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
                return web.Response(status=answer.status, headers=_passed_on(answer.headers), body=content)
        except (aiohttp.ClientError, _NoAnswer):
            return None


class _NoAnswer(Exception):
    """The connection broke."""


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from making a GET, PUT or DELETE again where a connection that it had kept breaks."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise _NoAnswer from exc


def _open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=ADDED_BY_CLIENTS,
        auto_decompress=False,
        middlewares=(_once,),
    )


def _passed_on(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in OF_THE_CONNECTION)


async def _while_wanted(
    request: web.Request, work: Callable[[], Awaitable[web.Response | None]]
) -> web.Response | None:
    """Do it, but not beyond the moment at which the client gives up."""
    task = asyncio.ensure_future(work())
    try:
        while not task.done() and request.transport is not None:
            await asyncio.wait({task}, timeout=LOOK_EVERY)
        return task.result() if task.done() else None
    finally:
        task.cancel()
