"""An app that Twilio calls: a real server that keeps what it was asked, and answers what a test tells it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web
from multidict import CIMultiDictProxy, MultiDict
from twilio.request_validator import RequestValidator

AUTH_TOKEN = "12345"
SAY_HELLO = "<Response><Say>Hello</Say></Response>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    method: str
    path: str
    raw_path: str
    form: MultiDict[str]
    headers: CIMultiDictProxy[str]
    genuine: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    text: str = ""
    content_type: str = "text/xml"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: asyncio.Event | None = None


@dataclass(slots=True)
class Receiver:
    url: str = ""
    received: list[Received] = field(default_factory=list)
    replies: defaultdict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def answers(self, path: str, *replies: Reply) -> str:
        """Queue answers for a path, the last of which is repeated; returns the path's URL."""
        self.replies[path].extend(replies)
        return f"{self.url}{path}"

    def holds(self, path: str, *, until: asyncio.Event, text: str = "") -> str:
        """Answer a path only after an event; returns the path's URL."""
        return self.answers(path, Reply(text=text, after=until))

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    def forms(self, path: str) -> list[MultiDict[str]]:
        return [request.form for request in self.at(path)]

    async def serve(self, request: web.Request) -> web.Response:
        form = MultiDict((name, str(value)) for name, value in (await request.post()).items())
        url, signature = f"{self.url}{request.raw_path}", request.headers.get("X-Twilio-Signature", "")
        self.received.append(
            Received(
                method=request.method,
                path=request.path,
                raw_path=request.raw_path,
                form=form,
                headers=request.headers,
                genuine=bool(RequestValidator(AUTH_TOKEN).validate(url, form, signature)),
            )
        )
        self.asked.set()
        queue = self.replies[request.path]
        reply = queue.popleft() if len(queue) > 1 else queue[0] if queue else Reply(status=204)
        if reply.after is not None:
            await reply.after.wait()
        if reply.status == 204:
            return web.Response(status=204)
        return web.Response(
            status=reply.status, text=reply.text, content_type=reply.content_type, headers=reply.headers
        )

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncIterator[Self]:
        receiver = cls()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", receiver.serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield receiver
        finally:
            await runner.cleanup()
