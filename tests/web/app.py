"""The real function_app.py, loaded afresh with settings of a test's own, and the two ways to a function."""

import asyncio
import dataclasses
import importlib.util
import io
import json
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import parse_qsl

import aiohttp
import azure.functions as func
from azure.functions.queue import QueueMessage
from azure.functions.timer import TimerRequest
from multidict import CIMultiDict
from yarl import URL

from local.host import Host
from local.host.indexing import Function, index
from local.host.routing import Router
from local.host.timer import Earliness, punctual
from shared.inbound.replies.library import Replies
from shared.voice.flows.library import Flows
from shared.wiring import Wiring

ROOT = Path(__file__).resolve().parents[2]
CONTENT = ROOT / "tests" / "samples" / "app"
"""The templates, flows and rules of the tests. Those at the root belong to the person who runs the app."""
HOST_JSON: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
TOKEN = "a made-up auth token"
SECOND_TOKEN = "another made-up auth token"
PUBLIC_BASE_URL = "https://switchboard.example"
NUMBER = "+15005550006"
NOWHERE = "http://127.0.0.1:1"
"""where nobody listens: what would go to Twilio is put off"""
NEVER = "0 0 0 1 1 *"
"""once a year: a timer that is not part of what is looked at"""
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}


def settings_of(azurite: str, **more: str) -> dict[str, str]:
    """Settings with which the app loads; a queue of its own keeps apps apart."""
    return {
        "AzureWebJobsStorage": azurite,
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_FROM_NUMBER": NUMBER,
        "TWILIO_API_BASE_URL": NOWHERE,
        "PUBLIC_BASE_URL": PUBLIC_BASE_URL,
        "OUTBOUND_QUEUE": f"web-{uuid.uuid4().hex}",
        # the apps of all tests share their tables: only who waits for a timer has one
        "SCHEDULE_CRON": NEVER,
        "HOUSEKEEPING_CRON": NEVER,
        **more,
    }


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process with these settings and no others; Windows needs to know where it is."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return {**kept, **settings}


def lay_out(folder: Path) -> dict[str, str]:
    """Write the app with the content of the tests, for a process of its own; return what makes that process find it.

    `shared` is imported from the root: the copy of function_app.py comes first on the path.
    """
    shutil.copytree(CONTENT, folder, dirs_exist_ok=True)
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, folder)
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whichever way the request went."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0]

    def json(self) -> Any:  # noqa: ANN401 - whatever the document holds
        """The body as JSON."""
        return json.loads(self.body)


class Door(Protocol):
    """A way to the functions; `target` is the raw path and query."""

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a request and return what came back."""


class App:
    """The app's functions, called as the worker calls them, with nothing in between.

    A body is passed on whatever the headers say: with Transfer-Encoding, give none, as Azure does.
    """

    def __init__(self, module: ModuleType, settings: Mapping[str, str], functions: tuple[Function, ...]) -> None:
        self.settings = settings
        self.wiring: Wiring = module.wiring
        self._router = Router(functions, prefix="api")
        self._calls = {function.name: function.call for function in functions}

    @classmethod
    @asynccontextmanager
    async def load(
        cls, settings: Mapping[str, str], *, flows: Path | None = None, replies: Path | None = None
    ) -> AsyncIterator["App"]:
        """Load function_app.py, with flows and replies of a test's own, and close what it opened at the end."""
        module = load(settings, flows=flows, replies=replies)
        yield cls(module, settings, index(module.app, settings=settings))
        await close(module.wiring)

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Call the function that the target leads to, behind a front end with a name and a scheme of its own."""
        match = self._router.match(method=method, path=target.partition("?")[0])
        if match is None:
            return Answer(404, b"")
        req = func.HttpRequest(
            method=method,
            url=f"http://internal.invalid:8080{target}",
            headers=_framed(headers or {}, body),
            route_params=match.parameters,
            params=dict(parse_qsl(target.partition("?")[2])),
            body=body,
        )
        response = await match.function.call(req)
        headers = {**response.headers, "Content-Type": response.mimetype}
        return Answer(response.status_code, response.get_body(), CIMultiDict(headers))

    async def take(self, message: bytes, *, message_id: str | None = None) -> str:
        """Hand a message of the queue to the app, and return its queue id."""
        message_id = message_id or str(uuid.uuid4())
        await self._calls["outbound"](QueueMessage(id=message_id, body=message, dequeue_count=1))  # type: ignore[no-untyped-call]
        return message_id

    async def tick(self, timer: str) -> None:
        """Run a timer."""
        await self._calls[timer](TimerRequest(past_due=False))

    async def delivery(self, delivery_id: str) -> Any:  # noqa: ANN401 - a JSON document
        """The delivery as `GET deliveries/{id}` shows it."""
        answer = await self.request("GET", f"/api/deliveries/{delivery_id}")
        assert answer.status == 200, answer
        return answer.json()


class Served:
    """The same app behind the embedded host, over real HTTP."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        settings: Mapping[str, str],
        *,
        port: int = 0,
        flows: Path | None = None,
        replies: Path | None = None,
        timer_earliness: Earliness = punctual,
    ) -> AsyncIterator["Served"]:
        """Serve the app until the block ends."""
        module = load(settings, flows=flows, replies=replies)
        async with (
            Host.start(
                app=module.app,
                host_json=quick_host_json(),
                settings=settings,
                port=port,
                timer_earliness=timer_earliness,
            ) as host,
            aiohttp.ClientSession() as session,
        ):
            yield cls(host.url, session)
        await close(module.wiring)

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a request over HTTP, with the target as it stands; with Transfer-Encoding, the body goes in chunks."""
        url = URL(self.url + target, encoded=True)
        sent = CIMultiDict(headers or {})
        sent.setdefault("Content-Type", "application/octet-stream")
        data = _chunks(body) if sent.pop("Transfer-Encoding", None) else io.BytesIO(body)
        async with self._session.request(method, url, data=data, headers=sent) as response:
            return Answer(response.status, await response.read(), response.headers)


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    """A body whose length nobody knows before its end."""
    yield body


def _framed(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Headers with the length of the body, unless they say how it was sent."""
    return {**({} if "Transfer-Encoding" in headers else {"Content-Length": str(len(body))}), **headers}


def quick_host_json() -> dict[str, Any]:
    """The app's host.json, but it looks at the queue more often, so that no test waits for it."""
    queues = {**HOST_JSON["extensions"]["queues"], "maxPollingInterval": "00:00:00.2"}
    return {**HOST_JSON, "extensions": {**HOST_JSON["extensions"], "queues": queues}}


def load(settings: Mapping[str, str], *, flows: Path | None = None, replies: Path | None = None) -> ModuleType:
    """Import function_app.py once more: it reads its settings when it is imported, and tells its functions once.

    The module believes that it lies in `CONTENT`, so it loads the content of the tests. With a folder of `flows`, or a
    file of `replies`, those take the place of that content.
    """
    spec = importlib.util.spec_from_file_location(f"function_app_{uuid.uuid4().hex}", ROOT / "function_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(CONTENT / "function_app.py")
    with patch.dict(os.environ, settings, clear=True):
        spec.loader.exec_module(module)
    if flows is not None:
        found = Flows.load(flows, default_zone=module.settings.default_time_zone)
        module.wiring.rules = dataclasses.replace(module.wiring.rules, flows=found)
    if replies is not None:
        templates, taken = module.wiring.rules.templates, module.settings.own_queues
        module.wiring.replies = Replies.load(replies, templates=templates, taken=taken)
    return module


async def close(wiring: Wiring) -> None:
    """Close an app's connections, and let their transports end."""
    await wiring.close()
    await asyncio.sleep(0)
