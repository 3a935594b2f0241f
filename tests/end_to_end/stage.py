"""Everything together on one machine: the app behind the embedded host, the simulated Twilio, real storage."""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from local.harness.ports import free_port
from local.host.timer import Earliness, punctual
from local.twilio import Simulator
from tests.web.app import TOKEN, Answer, Served, settings_of

PATIENCE = 60.0
"""seconds: far more than anything here takes, so that only what never comes is waited for so long"""
BETWEEN_LOOKS = 0.03
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """A running set."""

    settings: Mapping[str, str]
    app: Served
    twilio: Simulator
    session: aiohttp.ClientSession

    async def enqueue(self, request: Mapping[str, Any] | bytes) -> str:
        """Put a request into the queue as any other system would; return the id of its message."""
        content = request if isinstance(request, bytes) else json.dumps(request).encode()
        return await self.enqueue_text(base64.b64encode(content).decode())

    async def enqueue_text(self, text: str) -> str:
        """Put a message into the queue as it stands, without base64."""
        async with self.queue() as queue:
            return str((await queue.send_message(text)).id)

    def queue(self, suffix: str = "") -> QueueClient:
        """The app's queue, or one whose name begins with its name."""
        name = self.settings["OUTBOUND_QUEUE"] + suffix
        return QueueClient.from_connection_string(self.settings["AzureWebJobsStorage"], name)

    async def get(self, delivery_id: str) -> Any:  # noqa: ANN401 - a JSON document
        """The delivery as the app shows it; None as long as it shows none."""
        answer = await self.app.request("GET", f"/api/deliveries/{delivery_id}")
        assert answer.status in {200, 404}, answer
        return answer.json() if answer.status == 200 else None

    async def ended(self, delivery_id: str, *statuses: str) -> Any:  # noqa: ANN401 - a JSON document
        """Wait until a delivery has one of these statuses, and return it."""

        async def look() -> Any:  # noqa: ANN401 - a JSON document
            delivery = await self.get(delivery_id)
            return delivery if delivery is not None and delivery["status"] in statuses else None

        return await eventually(look, lambda: self.get(delivery_id))

    async def told(self, delivery_id: str, *statuses: str) -> Any:  # noqa: ANN401 - a JSON document
        """Wait until a delivery has as many events as these and the last of them as its status, and return it.

        A callback may come before the answer that it follows is on record.
        """

        async def look() -> Any:  # noqa: ANN401 - a JSON document
            delivery = await self.get(delivery_id)
            is_all = delivery is not None and len(delivery["events"]) >= len(statuses)
            return delivery if is_all and delivery["status"] == statuses[-1] else None

        delivery = await eventually(look, lambda: self.get(delivery_id))
        assert [event["status"] for event in delivery["events"]] == list(statuses)
        return delivery

    async def queue_is_empty(self) -> None:
        """Wait until every message was taken and dealt with."""

        async def look() -> bool:
            async with self.queue() as queue:
                return (await queue.get_queue_properties()).approximate_message_count == 0

        await eventually(look)

    async def queue_shows_nothing(self) -> None:
        """Wait until every message was taken; some may be under way, or put off."""

        async def look() -> bool:
            async with self.queue() as queue:
                return not await queue.peek_messages(1)

        await eventually(look)

    async def search(self, **wanted: Any) -> list[Any]:  # noqa: ANN401 - JSON documents
        """The deliveries of the first page of a search."""
        answer = await self.app.request("POST", "/api/deliveries/search", json.dumps(wanted).encode())
        assert answer.status == 200, answer
        found: list[Any] = answer.json()["deliveries"]
        return found

    async def simulate(self, what: str, **fields: Any) -> Any:  # noqa: ANN401 - JSON documents
        """Have the simulator do something that only the outside world does."""
        async with self.session.post(f"{self.twilio.url}/simulator/{what}", json=fields) as response:
            assert response.status in {200, 201}, await response.text()
            return await response.json()

    async def request(self, method: str, target: str, document: Mapping[str, Any]) -> Answer:
        """Ask the app for something as a person would."""
        return await self.app.request(method, target, json.dumps(document).encode())


@asynccontextmanager
async def stage(
    azurite: str, replies: Path | None = None, timer_earliness: Earliness = punctual, /, **more: str
) -> AsyncIterator[Stage]:
    """Start everything, perhaps with replies of a test's own; Twilio's delays are a tenth of what is plausible."""
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    account = "AC" + "0" * 32
    async with Simulator.start(
        account_sid=account,
        auth_token=TOKEN,
        api_key_sid=more.get("TWILIO_API_KEY_SID"),
        api_key_secret=more.get("TWILIO_API_KEY_SECRET"),
        pace=0.1,
        webhooks=public,
    ) as twilio:
        settings = settings_of(azurite, TWILIO_API_BASE_URL=twilio.url, PUBLIC_BASE_URL=public, **more)
        queue = QueueClient.from_connection_string(azurite, settings["OUTBOUND_QUEUE"])
        async with queue:
            await queue.create_queue()
        async with (
            Served.start(settings, port=port, replies=replies, timer_earliness=timer_earliness) as app,
            aiohttp.ClientSession() as session,
        ):
            yield Stage(settings=settings, app=app, twilio=twilio, session=session)
            await twilio.settled()


async def eventually(look: Callable[[], Awaitable[T]], show: Callable[[], Awaitable[object]] | None = None) -> T:
    """Look until there is something to see, and return it; what is seen instead goes into the failure."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := await look()):
        assert time.monotonic() < deadline, await (show or look)()
        await asyncio.sleep(BETWEEN_LOOKS)
    return seen


async def poisoned(stage: Stage) -> list[str]:
    """What is in the poison queue."""
    async with stage.queue("-poison") as queue:
        try:
            return [message.content for message in await queue.peek_messages(32)]
        except ResourceNotFoundError:
            return []


def new_id() -> str:
    """A request id that nobody used."""
    return f"e2e-{uuid.uuid4().hex}"
