import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from shared.errors import MessageTooLarge
from shared.queues import LARGEST, Backlog, Queue
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


@pytest.mark.parametrize(
    ("keep", "seconds"),
    [(None, -1), (timedelta(days=1), 86_400), (timedelta(days=90), 90 * 86_400), (timedelta(days=36_500), 2**31 - 1)],
)
async def test_a_message_that_nobody_takes_lives_as_long_as_its_queue_says(
    pair: Pair, keep: timedelta | None, seconds: int
) -> None:
    lives: list[int | None] = []

    class Listening(QueueClient):
        async def send_message(self, *args: object, time_to_live: int | None = None, **options: object) -> QueueMessage:
            lives.append(time_to_live)
            return await super().send_message(*args, time_to_live=time_to_live, **options)  # type: ignore[arg-type]

    _, client = pair
    await client.create_queue()
    async with Listening(client.url.rsplit("/", 1)[0], client.queue_name, credential=client.credential) as listening:
        await Queue(lambda: listening, keep=keep).put(b"x")
    assert lives == [seconds]
    [there] = await client.peek_messages()
    assert there.inserted_on is not None
    assert there.expires_on is not None
    if seconds > 0:
        assert there.expires_on - there.inserted_on == timedelta(seconds=seconds)


async def test_a_backlog_is_how_many_there_are_and_the_visible_one_at_the_front(pair: Pair) -> None:
    queue, client = pair
    assert await queue.backlog() == Backlog(0), "nor is it a fault that there is no queue"
    await queue.put(b"later", delay=timedelta(hours=1))
    assert await queue.backlog() == Backlog(1), "who waits for its time is in nobody's way"
    first = await queue.put(b"first")
    await queue.put(b"second")
    found = await queue.backlog()
    [there] = await client.peek_messages()
    assert found == Backlog(3, first, there.inserted_on)


async def test_a_delayed_message_does_not_show_itself_yet(pair: Pair) -> None:
    queue, client = pair
    await queue.put(b"later", delay=timedelta(hours=1))
    assert await receive(client) == []
    assert (await client.get_queue_properties()).approximate_message_count == 1


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [(-5, 0), (0, 0), (1.4, 2), (90, 90), (7 * 86_400, 7 * 86_400), (30 * 86_400, 7 * 86_400)],
)
async def test_a_delay_is_brought_within_what_azure_takes(pair: Pair, delay: float, seconds: int) -> None:
    hidden: list[int] = []

    class Listening(QueueClient):
        async def send_message(
            self, *args: object, visibility_timeout: int | None = None, **options: object
        ) -> QueueMessage:
            hidden.append(visibility_timeout or 0)
            return await super().send_message(*args, visibility_timeout=visibility_timeout, **options)  # type: ignore[arg-type]

    _, client = pair
    await client.create_queue()
    listening = Listening(client.url.rsplit("/", 1)[0], client.queue_name, credential=client.credential)
    async with listening:
        await Queue(lambda: listening).put(b"x", delay=timedelta(seconds=delay))
    assert hidden == [seconds]
    assert (await client.get_queue_properties()).approximate_message_count == 1


async def drained(queue: Queue) -> list[bytes]:
    contents = []
    async for message, content in queue.receive(hidden=timedelta(minutes=1)):
        contents.append(content)
        await queue.delete(message)
    return contents


async def test_what_is_received_comes_as_it_was_put_and_is_gone_once_it_is_deleted(pair: Pair) -> None:
    queue, client = pair
    assert await drained(queue) == [], "nor does it matter that there is no queue"
    for message in (b"first", b"\xff\x00"):
        await queue.put(message)
    assert sorted(await drained(queue)) == [b"first", b"\xff\x00"]
    assert (await client.get_queue_properties()).approximate_message_count == 0


async def test_what_is_received_and_not_deleted_shows_itself_again(pair: Pair) -> None:
    queue, client = pair
    await queue.put(b"x")
    assert [content async for _, content in queue.receive(hidden=timedelta(seconds=1))] == [b"x"]
    assert (await client.get_queue_properties()).approximate_message_count == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no base64!", b"no base64!"),
        ("Grüße", "Grüße".encode()),
        ("eA", b"eA"),
        ("eA==", b"x"),
        ("eHh4\n eHh4\r\n", b"xxxxxx"),
        ("{}", b"{}"),
    ],
)
async def test_what_somebody_else_put_there_without_base64_comes_as_it_stands(
    pair: Pair, text: str, expected: bytes
) -> None:
    queue, client = pair
    await client.create_queue()
    await client.send_message(text)
    assert await drained(queue) == [expected]


async def test_the_id_that_azure_gave_a_message_is_returned(pair: Pair) -> None:
    queue, client = pair
    ids = [await queue.put(b"x"), await queue.put(b"x")]
    assert ids == [message.id for message in await receive(client)]


async def test_a_message_of_the_largest_size_is_carried_and_a_larger_one_is_refused_at_once(pair: Pair) -> None:
    queue, client = pair
    await queue.put(b"x" * LARGEST)
    with pytest.raises(MessageTooLarge, match=f"at most {LARGEST} bytes, got {LARGEST + 1}"):
        await queue.put(b"x" * (LARGEST + 1))
    [message] = await receive(client)
    assert len(base64.b64decode(message.content)) == LARGEST
