"""A storage account that does what a test wants: it counts, answers that nothing is there, refuses, or says nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from local.harness.ports import free_port
from shared.settings_storage import DEVELOPMENT_STORAGE

_KEY = DEVELOPMENT_STORAGE.partition("AccountKey=")[2].partition(";")[0]


@dataclass(slots=True)
class Storage:
    """Queues and tables at one address, none of which exist; 404 is what a healthy account says then."""

    connection: str = ""
    status: int = 404
    speaks: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    @classmethod
    @asynccontextmanager
    async def start(cls) -> AsyncIterator["Storage"]:
        """Serve on 127.0.0.1 until the block ends."""
        storage = cls()
        storage.speaks.set()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", storage.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        storage.connection = connection_to(runner.addresses[0][1])
        yield storage
        await runner.cleanup()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer as it was told to."""
        self.asked += 1
        await self.speaks.wait()
        code = {404: "QueueNotFound" if "comp" in request.query else "TableNotFound"}.get(self.status, "Forbidden")
        return web.json_response(
            {"odata.error": {"code": code, "message": {"lang": "en", "value": "secret words of the service"}}},
            status=self.status,
            headers={"x-ms-error-code": code},
        )


def connection_to(port: int) -> str:
    """The connection string of a storage account at a port."""
    services = "".join(f"{name}Endpoint=http://127.0.0.1:{port}/account;" for name in ("Blob", "Queue", "Table"))
    return f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={_KEY};{services}"


def nobody() -> str:
    """The connection string of a storage account that does not answer."""
    return connection_to(free_port())
