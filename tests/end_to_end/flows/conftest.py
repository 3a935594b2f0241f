from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from azure.storage.queue.aio import QueueClient

from tests.end_to_end.flows.folder import with_flows
from tests.end_to_end.stage import Stage, new_id

ELSEWHERE = "<Response><Say>This is elsewhere.</Say><Redirect>/end?order={order}</Redirect></Response>"
END = "<Response><Say>Order {order}.</Say></Response>"


@pytest.fixture(scope="session")
async def site() -> AsyncIterator[str]:
    """Somebody else's site, with TwiML of its own."""

    async def elsewhere(request: web.Request) -> web.Response:
        document = ELSEWHERE if request.path == "/twiml" else END
        return web.Response(text=document.format(order=request.query["order"]), content_type="text/xml")

    async def hold(_: web.Request) -> web.Response:
        return web.Response(text="<Response><Play>/hold.mp3</Play></Response>", content_type="text/xml")

    application = web.Application()
    application.add_routes([web.post("/twiml", elsewhere), web.post("/end", elsewhere), web.get("/hold", hold)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture(scope="session")
async def flowing(azurite: str, tmp_path_factory: pytest.TempPathFactory, site: str) -> AsyncIterator[Stage]:
    """A running set whose numbers are answered by the flows of these tests; each has a caller of its own."""
    name = new_id()
    folder = tmp_path_factory.mktemp("app")
    async with QueueClient.from_connection_string(azurite, name) as events:
        await events.create_queue()
        more = {"EVENTS_QUEUE": name, "ALLOWED_COUNTRIES": "US,GB"}
        async with with_flows(azurite, folder, site=site, **more) as everything:
            yield everything
