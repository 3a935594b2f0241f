"""The connections to storage: one pool of them for everything in this process that asks storage for something."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Final
from urllib.request import getproxies

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.pipeline.transport import AioHttpTransport

from shared.sockets import KEEP_ALIVE_SECONDS

_AT_ONCE: Final = 128
"""connections; as many ports as Azure keeps for an instance that goes out without a network of its own:
https://learn.microsoft.com/azure/load-balancer/load-balancer-outbound-connections"""
_NAMES_SECONDS: Final = 60
"""how long the address of a name is believed"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long one call may take, and how often it is made again: what takes longer is better made again.

    The seconds are those until a connection stands, and those between two pieces of an answer. The first repetition
    comes at once, the second after twice `backoff` seconds, each further one after twice as many.
    """

    connect_seconds: float = 3.0
    read_seconds: float = 5.0
    repetitions: int = 2
    backoff: float = 0.4


@dataclass(slots=True)
class Use:
    """The connection of one request; give it to the session's request as `trace_request_ctx`."""

    is_reused: bool = False
    """an earlier request went by it: the server may have closed it before this one arrived"""


def open_session(bounds: Bounds) -> aiohttp.ClientSession:
    """Return a session; make it inside the event loop, close it at the end.

    Whether there is a proxy is asked once, here: where a session may know of one, it looks for it in a thread before
    every request, which costs more than the request.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=_AT_ONCE, ttl_dns_cache=_NAMES_SECONDS, keepalive_timeout=KEEP_ALIVE_SECONDS
        ),
        timeout=aiohttp.ClientTimeout(sock_connect=bounds.connect_seconds, sock_read=bounds.read_seconds),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=not getproxies().keys().isdisjoint({"http", "https"}),
        trace_configs=[_uses()],
    )


def _uses() -> aiohttp.TraceConfig:
    """Return what notes in each request's `Use` by which connection it goes."""

    def note(*, is_reused: bool) -> Callable[[aiohttp.ClientSession, SimpleNamespace, object], Awaitable[None]]:
        async def on_connection(_session: aiohttp.ClientSession, trace: SimpleNamespace, _what: object) -> None:
            # a request of the SDK's has none
            if isinstance(trace.trace_request_ctx, Use):
                trace.trace_request_ctx.is_reused = is_reused

        return on_connection

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(note(is_reused=True))
    tracing.on_connection_create_end.append(note(is_reused=False))
    return tracing


def sdk_transport(session: aiohttp.ClientSession, bounds: Bounds) -> AioHttpTransport:
    """Return what an SDK's client sends by: it asks this for its timeouts, whatever it was given itself."""
    return AioHttpTransport(
        session=session,
        session_owner=False,
        connection_timeout=bounds.connect_seconds,
        read_timeout=bounds.read_seconds,
    )


@contextmanager
def without_urls() -> Iterator[None]:
    """Let no error of the SDK out as it is where no answer came: its text may hold the whole URL, with a signature."""
    try:
        yield
    except HttpResponseError:
        raise
    except AzureError as exc:
        raise type(exc)(f"no answer from storage ({type(exc.inner_exception or exc).__name__})") from None
