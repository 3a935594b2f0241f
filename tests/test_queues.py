import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from shared.queues import LARGEST, Queue
from tests.storage import open_queue

Pair = tuple[Queue, QueueClient]


@pytest.fixture
async def pair(azurite: str) -> AsyncIterator[Pair]:
    async with open_queue(azurite) as made:
        yield made


async def receive(client: QueueClient) -> list[QueueMessage]:
    return [message async for message in client.receive_messages(max_messages=10)]


async def test_a_queue_is_not_there_before_its_first_message(pair: Pair) -> None:
    queue, client = pair
    await queue.check()
    with pytest.raises(ResourceNotFoundError):
        await client.get_queue_properties()


async def test_the_first_message_makes_the_queue(pair: Pair) -> None:
    queue, client = pair
    await queue.put(b"first")
    await queue.put(b"second")
    assert len(await receive(client)) == 2
    await queue.check()


@pytest.mark.parametrize("message", [b"", b'{"id":"1"}', b"\xff\x00\xfe", bytes(range(256)) * (LARGEST // 256)])
async def test_a_message_is_base64_as_the_queue_trigger_reads_it(pair: Pair, message: bytes) -> None:
    queue, client = pair
    await queue.put(message)
    (received,) = await receive(client)
    assert base64.b64decode(received.content, validate=True) == message


async def test_a_message_stays_until_it_is_taken(pair: Pair) -> None:
    queue, client = pair
    await queue.put(b"x")
    (received,) = await receive(client)
    assert received.expires_on is not None
    assert received.expires_on - datetime.now(UTC) > timedelta(days=365)


async def test_a_delayed_message_does_not_show_itself_yet(pair: Pair) -> None:
    queue, client = pair
    await queue.put(b"later", delay=timedelta(hours=1))
    assert await receive(client) == []
    assert (await client.get_queue_properties()).approximate_message_count == 1


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [(-5, 0), (0, 0), (1.4, 1), (90, 90), (7 * 86_400, 7 * 86_400), (30 * 86_400, 7 * 86_400)],
)
async def test_a_delay_is_brought_within_what_azure_takes(pair: Pair, delay: float, seconds: int) -> None:
    hidden: list[int] = []

    class Listening(QueueClient):
        async def send_message(self, *args: object, visibility_timeout: int | None = None, **options: object) -> None:  # type: ignore[override]
            hidden.append(visibility_timeout or 0)
            await super().send_message(*args, visibility_timeout=visibility_timeout, **options)  # type: ignore[arg-type]

    _, client = pair
    await client.create_queue()
    listening = Listening(client.url.rsplit("/", 1)[0], client.queue_name, credential=client.credential)
    async with listening:
        await Queue(listening).put(b"x", delay=timedelta(seconds=delay))
    assert hidden == [seconds]
    assert (await client.get_queue_properties()).approximate_message_count == 1
