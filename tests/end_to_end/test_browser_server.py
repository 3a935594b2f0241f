"""The server of docs/browser-phone, for which Node.js is enough: what it serves, passes on, and survives."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from local.azurite import find_node
from tests.servers import serve
from tests.web.app import ROOT, environment

PHONE = ROOT / "docs" / "browser-phone"
TOKEN = "/api/voice/token"


@dataclass
class App:
    """A Switchboard that gives tokens, and keeps what it was asked."""

    asked: list[tuple[str, str | None]] = field(default_factory=list)
    breaks_off: bool = False

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Give a token, or break off in its midst."""
        self.asked.append((request.path_qs, request.headers.get("x-functions-key")))
        if not self.breaks_off:
            return web.json_response({"token": "a.b.c"}, status=200 if request.query else 422)
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response


@pytest.fixture
async def app() -> AsyncIterator[tuple[App, str]]:
    """The app, and where it is."""
    app = App()
    async with serve(app.answer) as url:
        yield app, url


@pytest.fixture
async def served(app: tuple[App, str]) -> AsyncIterator[str]:
    """The page's server; a slash too many at the end of the app's address does no harm."""
    node = find_node()
    assert node is not None
    env = environment({"SWITCHBOARD": f"{app[1]}/", "PORT": "0"})
    server = await asyncio.create_subprocess_exec(
        str(node), "serve.mjs", cwd=PHONE, env=env, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    [url] = [word for word in (await server.stdout.readline()).decode().split() if word.endswith(",")]
    yield url.rstrip(",")
    assert server.returncode is None, "it is up to the end"
    server.terminate()
    await server.wait()


async def got(url: str, *, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """What a URL answers; it goes out as it is written."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, URL(url, encoded=True), headers=headers) as it,
    ):
        return it.status, await it.read()


async def test_a_token_is_asked_for_with_the_query_and_the_key_and_nothing_else(
    served: str, app: tuple[App, str]
) -> None:
    more = {"x-functions-key": "k", "Cookie": "a=b"}
    assert await got(f"{served}{TOKEN}?identity=anna&ttl=60?", **more) == (200, b'{"token": "a.b.c"}')
    assert (await got(f"{served}{TOKEN}"))[0] == 422
    assert app[0].asked == [(f"{TOKEN}?identity=anna&ttl=60?", "k"), (TOKEN, None)]


async def test_the_page_is_served_and_no_other_file_nor_way_to_the_app(served: str, app: tuple[App, str]) -> None:
    assert await got(f"{served}/?from=there") == (200, (PHONE / "index.html").read_bytes())
    assert await got(f"{served}/phone.js") == (200, (PHONE / "phone.js").read_bytes())
    for target in (
        "/serve.mjs",
        "/package.json",
        "/api/deliveries/1",
        "/constructor",
        f"{TOKEN}/../health",
        f"{TOKEN}/",
    ):
        assert (await got(served + target))[0] == 404, target
    assert (await got(served + TOKEN, method="POST"))[0] == 404
    assert app[0].asked == []


@pytest.mark.parametrize("target", ["//", "///[", "/%", "http://[/", "*"])
async def test_a_target_that_is_no_url_does_not_end_it(served: str, target: str) -> None:
    where = URL(served)
    reader, writer = await asyncio.open_connection(where.host, where.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {where.host}\r\nConnection: close\r\n\r\n".encode())
    assert (await reader.read()).split(b"\r\n")[0].split()[1] in {b"404", b"400"}
    writer.close()
    assert (await got(f"{served}/"))[0] == 200


async def test_an_app_that_breaks_off_or_is_away_does_not_end_it(served: str, app: tuple[App, str]) -> None:
    app[0].breaks_off = True
    assert await got(f"{served}{TOKEN}?identity=anna") == (502, b"")
    app[0].breaks_off = False
    assert (await got(f"{served}{TOKEN}?identity=anna"))[0] == 200
