"""The stub over HTTP, in this process or one of its own: `python -m bench.stub`."""

import asyncio
import collections
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from aiohttp import web

from bench.stub import queues, twilio
from bench.stub.answer import Answer
from bench.stub.tables import TablesStub
from local import azurite
from local.faults.seen import Service, see

HOST: Final = "127.0.0.1"
QUIET: Final = "/stub/"
"""paths that say what the stub does, and are not counted"""
_GOLDEN: Final = (5**0.5 - 1) / 2
"""its multiples are spread evenly between whole numbers, however few there are:
https://en.wikipedia.org/wiki/Low-discrepancy_sequence#Additive_recurrence"""


@dataclass
class Stub:
    """A running stub: one port for each service, so that the wire tells them apart."""

    latency: float = 0.0
    """seconds that Twilio takes on average"""
    tables: TablesStub = field(default_factory=TablesStub)
    counts: collections.Counter[str] = field(default_factory=collections.Counter)
    ports: dict[Service, int] = field(default_factory=dict)
    _places: Iterator[int] = field(default_factory=itertools.count)

    @property
    def connection_string(self) -> str:
        """Where its storage is."""
        urls = {service: f"http://{HOST}:{port}" for service, port in self.ports.items()}
        return azurite.connection_string(blob=urls["queue"], queue=urls["queue"], table=urls["table"])

    @property
    def twilio_url(self) -> str:
        """Where its Twilio is."""
        return f"http://{HOST}:{self.ports['twilio']}"

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls) -> AsyncIterator[Self]:
        """Serve until the block is left."""
        stub = cls()
        async with contextlib.AsyncExitStack() as stack:
            for service in ("table", "queue", "twilio"):
                runner = web.ServerRunner(web.Server(stub._handler(service), access_log=None), shutdown_timeout=0.1)
                await runner.setup()
                stack.push_async_callback(runner.cleanup)
                site = web.TCPSite(runner, HOST, 0)
                await site.start()
                [(_, stub.ports[service])] = runner.addresses
            yield stub

    def _handler(self, service: Service):  # type: ignore[no-untyped-def]  # noqa: ANN202 - aiohttp's own handler
        async def handle(request: web.BaseRequest) -> web.Response:
            body = await request.read()
            if request.path.startswith(QUIET):
                return self._told(request.path.removeprefix(QUIET), body)
            self.counts[see(service, request.method, request.raw_path, request.headers, body).operation] += 1
            if service == "twilio" and self.latency:
                await asyncio.sleep(self._next_latency())
            found = self._answer(service, request, body)
            return web.Response(status=found.status, body=found.content, headers=found.headers)

        return handle

    def _next_latency(self) -> float:
        """Return half of the average to one and a half of it: where all took as long, they would come in one burst."""
        return self.latency * (0.5 + next(self._places) * _GOLDEN % 1)

    def _answer(self, service: Service, request: web.BaseRequest, body: bytes) -> Answer:
        parts = urlsplit(request.raw_path)
        if service == "twilio":
            return twilio.answer(request.method, parts.path.strip("/"), body)
        path = parts.path.strip("/").partition("/")[2]
        if service == "queue":
            return queues.answer(request.method, path)
        return self.tables.answer(request.method, path, parts.query, request.headers, body)

    def _told(self, what: str, body: bytes) -> web.Response:
        """Do what whoever measures asks for over HTTP."""
        match what:
            case "latency":
                self.latency = float(body)
            case "multiply":
                self.tables.multiply(**json.loads(body))
        return web.json_response({"counts": self.counts, "rows_read": self.tables.rows_read})
