"""A request is sent once, on any number of machines, however often it is enqueued."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from azure.storage.queue.aio import QueueClient

from local.child import Child
from local.harness.ports import free_port
from local.host.settings import read_local_settings
from local.twilio import Simulator
from tests.end_to_end.stage import Stage, new_id, stage
from tests.web.app import ROOT, TOKEN, App, Served, environment, lay_out, settings_of

COPIES = 5


def _texts(count: int, *, area: str) -> list[dict[str, Any]]:
    return [
        {"id": new_id(), "channel": "sms", "to": f"+1{area}5554{number:03}", "body": "Only once"}
        for number in range(count)
    ]


@asynccontextmanager
async def _host(settings: Mapping[str, str], *, port: int, log: Path) -> AsyncIterator[str]:
    """Run a host as a process of its own: `python -m local.host`."""
    folder = log.with_suffix("")
    lay_out(folder)
    # a developer's own local.settings.json must add nothing
    blank = dict.fromkeys(read_local_settings(ROOT), "")
    command = [sys.executable, "-m", "local.leash", "local.host", "--port", str(port), "--app", str(folder)]
    child = Child("A host", command, ready=r"^Functions host on (\S+)", env=environment({**blank, **settings}), log=log)
    try:
        [url] = await asyncio.to_thread(child.wait_ready)
        yield url
    finally:
        await asyncio.to_thread(child.stop)


@asynccontextmanager
async def _two_hosts(azurite: str, twilio: Simulator, *, port: int, folder: Path) -> AsyncIterator[Stage]:
    """Run two hosts on one queue; at the end, both finish what they are at."""
    public = f"http://127.0.0.1:{port}"
    settings = settings_of(azurite, TWILIO_API_BASE_URL=twilio.url, PUBLIC_BASE_URL=public)
    async with AsyncExitStack() as stack:
        queue = QueueClient.from_connection_string(azurite, settings["OUTBOUND_QUEUE"])
        await (await stack.enter_async_context(queue)).create_queue()
        hosts = [_host(settings, port=number, log=folder / f"{number}.log") for number in (port, 0)]
        url, _ = await asyncio.gather(*(stack.enter_async_context(host) for host in hosts))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Stage(settings=settings, app=Served(url, session), twilio=twilio, session=session)


async def test_five_copies_of_each_text_to_two_hosts_at_once_make_one_text_each(azurite: str, tmp_path: Path) -> None:
    texts = _texts(10, area="212")
    async with Simulator.start(account_sid="AC" + "0" * 32, auth_token=TOKEN, pace=0.1) as twilio:
        async with _two_hosts(azurite, twilio, port=free_port(), folder=tmp_path) as everything:
            for _ in range(COPIES):
                await asyncio.gather(*(everything.enqueue(text) for text in texts))
            await everything.queue_shows_nothing()
            for text in texts:
                delivery = await everything.ended(text["id"], "delivered")
                assert delivery["attempts"] == 1
        sent = Counter(message.to for message in twilio.messages)
    assert sent == dict.fromkeys((text["to"] for text in texts), 1)


async def test_copies_that_are_taken_in_the_same_moment_make_one_text_and_one_call(azurite: str) -> None:
    texts = _texts(4, area="213")
    calls = [{**text, "id": new_id(), "channel": "call", "body": None, "say": "Once"} for text in _texts(2, area="214")]
    async with stage(azurite) as everything, AsyncExitStack() as stack:
        settings = {**everything.settings, "OUTBOUND_QUEUE": everything.settings["OUTBOUND_QUEUE"] + "-late"}
        machines = [await stack.enter_async_context(App.load(settings)) for _ in range(2)]
        messages = [json.dumps(request).encode() for request in (*texts, *calls)]
        await asyncio.gather(*(app.take(message) for message in messages * COPIES for app in machines))
        for request in (*texts, *calls):
            await everything.ended(request["id"], "delivered", "completed")
        sent = Counter(record.to for record in (*everything.twilio.messages, *everything.twilio.calls))
    assert sent == dict.fromkeys((request["to"] for request in (*texts, *calls)), 1)


async def test_two_contents_that_race_for_one_id_make_one_text_and_one_conflict(azurite: str) -> None:
    async with stage(azurite) as everything:
        [text] = _texts(1, area="215")
        contents = [{**text, "body": body} for body in ("This", "or that")]
        message_ids = await asyncio.gather(*(everything.enqueue(content) for content in contents))
        await everything.ended(text["id"], "delivered")
        await everything.queue_is_empty()
        [message] = everything.twilio.messages
        found = [await everything.get(message_id) for message_id in message_ids]
    [conflict] = [delivery for delivery in found if delivery is not None]
    bodies = {message.body, json.loads(conflict["request"])["body"]}
    assert (conflict["status"], bodies) == ("rejected", {"This", "or that"})


async def test_a_copy_that_comes_after_the_end_changes_nothing(everything: Stage) -> None:
    [text] = _texts(1, area="216")
    await everything.enqueue(text)
    before = await everything.told(text["id"], "queued", "sent", "delivered")
    message_id = await everything.enqueue(text)
    await everything.queue_is_empty()
    assert await everything.get(text["id"]) == before
    assert await everything.get(message_id) is None
    assert len([message for message in everything.twilio.messages if message.to == text["to"]]) == 1
