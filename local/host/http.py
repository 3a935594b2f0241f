"""HTTP triggers: from a request to a function's HttpRequest, and back from its HttpResponse."""

import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import azure.functions as func
from aiohttp import web
from azure.functions.http import HttpRequest
from multidict import CIMultiDict

from local.host.errors import HostError
from local.host.invocation import FunctionFailedError, Invoker
from local.host.routing import Router

logger = logging.getLogger(__name__)

MOST_BODY_BYTES: Final = 104_857_600
_LONGEST_REQUEST_LINE: Final = 8 * 1024
_LONGEST_HEADERS: Final = 32 * 1024
# How long the rest of a body that nobody wants is read, so that the client sees the answer.
_LINGERING_SECONDS: Final = 1.0
_SHORTEST_GRACE_SECONDS: Final = 0.001
_CONTROL: Final = re.compile(r"[^\t\x20-\x7e\x80-\U0010ffff]")
# aiohttp frames the body by itself.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection"})


class HttpServer:
    """Serves the HTTP functions on 127.0.0.1."""

    def __init__(self, *, router: Router, invoker: Invoker, grace_seconds: float) -> None:
        self._router = router
        self._invoker = invoker
        server = web.Server(
            self._handle,
            access_log=None,
            auto_decompress=False,
            lingering_time=_LINGERING_SECONDS,
            max_line_size=_LONGEST_REQUEST_LINE,
            max_field_size=_LONGEST_HEADERS,
        )
        # aiohttp waits twice: before and after it tells a handler that no more of the body will come. 0 is for ever.
        self._runner = web.ServerRunner(server, shutdown_timeout=max(grace_seconds / 2, _SHORTEST_GRACE_SECONDS))
        self._host = ""

    async def start(self, port: int) -> int:
        """Listen, on a free port where `port` is 0; return the port. Raises HostError if it is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", port).start()
        except OSError as exc:
            await self._runner.cleanup()
            raise HostError(f"port {port} of 127.0.0.1 cannot be listened on: {exc.strerror or exc}") from exc
        bound: int = self._runner.addresses[0][1]
        self._host = f"127.0.0.1:{bound}"
        return bound

    async def stop(self) -> None:
        """Take no new requests, and wait for the running ones as long as the grace time allows."""
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        target = _origin_form(request.raw_path)
        if (fault := _fault(request, target)) is not None:
            return web.Response(status=fault)
        path, _, query = target.partition("?")
        match = self._router.match(method=request.method, path=path)
        # The route of a disabled function still hides the routes behind it, as on Azure.
        if match is None or match.function.disabled:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        value = HttpRequest(
            method=request.method,
            url=f"http://{request.headers.get('Host') or self._host}{target}",
            headers=_joined(request.headers.items()),
            params=_params(query),
            route_params=match.parameters,
            body_type="bytes",
            body=await _read(request),
        )
        try:
            return _response(await self._invoker.call(match.function, value))
        except FunctionFailedError:
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        except (TypeError, ValueError):
            logger.exception("%s returned what cannot be sent", match.function.name)
            return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _fault(request: web.BaseRequest, target: str) -> int | None:
    if not target.isascii() or not all(_is_utf8(value) for value in request.headers.values()):
        return HTTPStatus.BAD_REQUEST
    if (request.content_length or 0) > MOST_BODY_BYTES:
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return None


async def _read(request: web.BaseRequest) -> bytes:
    """Return as many bytes as were announced, none of a chunked body."""
    length = request.content_length
    if not length:
        return b""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # So that a fault from here on is still answered as one.
        request.writer.output_size = 0
    return await request.content.readexactly(length)


def _origin_form(target: str) -> str:
    """Cut scheme and host from a target that a client sent as to a proxy."""
    scheme, _, rest = target.partition("://")
    return "/" + rest.partition("/")[2] if rest and scheme.isalpha() else target


def _is_utf8(text: str) -> bool:
    """Tell whether aiohttp could decode it: what it could not stands there as surrogates."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of equal names by commas, without regard to case; the first spelling of a name stays."""
    spelling: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, value in pairs:
        first = spelling.setdefault(name.lower(), name)
        values[first] = f"{values[first]},{value}" if first in values else value
    return values


def _params(query: str) -> dict[str, str]:
    """Return the query's fields as the host hands them on: joined, and without blank ones."""
    joined = _joined(parse_qsl(query, keep_blank_values=True))
    return {name: value for name, value in joined.items() if value}


def _response(result: object) -> web.Response:
    """Turn a function's result into a response; raises TypeError for what no HTTP function may return."""
    if result is None:
        return web.Response(status=204)
    if isinstance(result, str):
        return web.Response(text=result)
    if not isinstance(result, func.HttpResponse):
        raise TypeError(f"expected an HttpResponse or a string, got {type(result).__name__}")
    headers: CIMultiDict[str] = CIMultiDict()
    for name, value in result.headers.items():
        # The worker hands on a header once, the last one, except for cookies.
        if _CONTROL.search(value):
            raise ValueError(f"the header {name} holds a control character")
        if name.lower() == "set-cookie":
            headers.add(name, value)
        elif name.lower() not in _FRAMING:
            headers[name] = value
    if "content-type" not in headers:
        text = result.mimetype.startswith("text/")
        headers["content-type"] = f"{result.mimetype}; charset={result.charset}" if text else result.mimetype
    return web.Response(status=result.status_code, headers=headers, body=result.get_body())
