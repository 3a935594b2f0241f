"""Connections that idle: a server closes them when it wants to, and a request that meets that goes by another."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from local.faults import DROP, NEVER, Proxy, endpoint, through
from shared.connections import Bounds
from shared.deliveries.log import DeliveryLog
from shared.outbound.checks import Rules
from shared.table_service.client import TableClient
from shared.table_service.service import TableService
from shared.tables import Table
from shared.wiring import Wiring
from tests.deliveries.samples import a_delivery
from tests.fakes import make_settings
from tests.local.faults.hooks import Recorder
from tests.storage import a_name
from tests.table_service.test_silence import SIGNATURE
from tests.web.storage import connection_to

ROW = {"PartitionKey": "p", "RowKey": "r", "Status": "queued"}
ONCE = Bounds(repetitions=0)
CALLS: dict[str, Callable[[TableClient], Awaitable[object]]] = {
    "get": lambda table: table.get("p", "r"),
    "insert": lambda table: table.insert(ROW),
    "put": lambda table: table.put(ROW),
    "replace": lambda table: table.put(ROW, version="e"),
    "merge": lambda table: table.merge(ROW, version="e"),
    "delete": lambda table: table.delete("p", "r", version="e"),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
WRITES = ("insert", "merge")
BODY = b'{"odata.etag": "e"}'
ANSWER = b"HTTP/1.1 200 OK\r\nETag: e\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


@dataclass
class Closing:
    """A table service that closes a connection without an answer, once it has read a request that is one too many."""

    answers: int
    """of one connection"""
    requests: Counter[int] = field(default_factory=Counter)
    """of each connection, in the order in which these were made"""
    together: int = 1
    """so many connections are answered at the same time: the client needs them all"""
    answer: bytes = ANSWER
    waiting: list[asyncio.Event] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = len(self.requests)
        self.requests[mine] = 0
        while await self._read(reader):
            self.requests[mine] += 1
            if self.requests[mine] > self.answers:
                break
            await self._meet()
            writer.write(self.answer)
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> bool:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        length = re.search(rb"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        return True

    async def _meet(self) -> None:
        self.waiting.append(asyncio.Event())
        if len(self.waiting) < self.together:
            await self.waiting[-1].wait()
        for event in self.waiting:
            event.set()


@asynccontextmanager
async def a_table(closing: Closing) -> AsyncIterator[TableClient]:
    async with await asyncio.start_server(closing.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        text = f"TableEndpoint=http://127.0.0.1:{port};SharedAccessSignature={SIGNATURE}"
        async with TableService.open(text, bounds=ONCE) as service:
            yield service.table("t")


@every_call
async def test_what_meets_a_connection_that_the_server_just_closes_goes_by_another_at_once(
    call: Callable[[TableClient], Awaitable[object]],
) -> None:
    closing = Closing(answers=1)
    async with a_table(closing) as table:
        await table.put(ROW)
        await call(table)
    assert closing.requests == {0: 2, 1: 1}


@every_call
async def test_of_many_connections_that_are_closed_at_once_none_costs_a_repetition(
    call: Callable[[TableClient], Awaitable[object]],
) -> None:
    closing = Closing(answers=1, together=5)
    async with a_table(closing) as table:
        await asyncio.gather(*(table.put(ROW) for _ in range(5)))
        assert closing.requests == dict.fromkeys(range(5), 1)
        await call(table)
    assert closing.requests.total() <= 5 + 5 + 1
    assert closing.requests[5] == 1, "the first answer comes by a new one"


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_by_a_new_connection_that_gets_no_answer_is_not_made_again(name: str) -> None:
    closing = Closing(answers=0)
    async with a_table(closing) as table:
        with pytest.raises(ServiceResponseError):
            await CALLS[name](table)
    assert closing.requests == {0: 1}


QUEUED = b"""<?xml version="1.0" encoding="utf-8"?>
<QueueMessagesList><QueueMessage>
<MessageId>1</MessageId><PopReceipt>x</PopReceipt>
<InsertionTime>Mon, 02 Mar 2026 12:00:00 GMT</InsertionTime>
<ExpirationTime>Fri, 31 Dec 9999 23:59:59 GMT</ExpirationTime>
<TimeNextVisible>Mon, 02 Mar 2026 12:00:00 GMT</TimeNextVisible>
</QueueMessage></QueueMessagesList>"""


async def test_a_message_that_meets_a_connection_that_the_server_just_closes_is_put_by_another() -> None:
    """The queue's client is the SDK's, which repeats a put whose answer was lost."""
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n" % len(QUEUED)
    closing = Closing(answers=1, answer=head + QUEUED)
    async with await asyncio.start_server(closing.serve, "127.0.0.1", 0) as server:
        storage = connection_to(server.sockets[0].getsockname()[1])
        wiring = Wiring(Rules(make_settings(AzureWebJobsStorage=storage)))
        for _ in range(2):
            assert await wiring.outbound.put(b"{}") == "1"
        await wiring.close()
    assert closing.requests == {0: 2, 1: 1}


@asynccontextmanager
async def behind(azurite: str, hook: Recorder, bounds: Bounds = ONCE) -> AsyncIterator[TableService]:
    """Azurite, seen through a proxy."""
    async with (
        Proxy.start(target=endpoint(azurite, "table"), service="table", hook=hook) as proxy,
        TableService.open(through(azurite, table=proxy.port), bounds=bounds) as service,
    ):
        yield service


async def test_a_write_that_took_effect_before_its_connection_ended_meets_itself(azurite: str) -> None:
    """Whoever inserts or merges must not take that for somebody else's: it is so where storage answers 500, too."""
    hook = Recorder()
    async with behind(azurite, hook) as service:
        table = service.table(a_name())
        await table.create()
        hook.do_after(f"table insert {table.name}", DROP)
        with pytest.raises(ResourceExistsError):
            await table.insert(ROW)
        before = await table.get("p", "r")
        hook.do_after(f"table merge {table.name}", DROP)
        with pytest.raises(ResourceModifiedError):
            await table.merge(ROW | {"Status": "sent"}, version=before.metadata["etag"])
        assert (await table.get("p", "r"))["Status"] == "sent"


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_that_a_silent_server_may_still_be_at_is_not_made_again(azurite: str, name: str) -> None:
    hook = Recorder()
    async with behind(azurite, hook, Bounds(repetitions=0, read_seconds=0.2)) as service:
        table = service.table(a_name())
        await table.create()
        hook.seen.clear()
        hook.do_before(f"table {name} {table.name}", NEVER)
        with pytest.raises(ServiceResponseTimeoutError):
            await CALLS[name](table)
        assert len(hook.seen) == 1


async def test_a_claim_whose_connection_ended_is_the_claimers_at_once(azurite: str) -> None:
    """The token tells: nobody waits until the queue brings the message again."""
    hook = Recorder()
    async with behind(azurite, hook) as service:
        deliveries, lookups = Table(service.table(a_name())), Table(service.table(a_name()))
        log = DeliveryLog(deliveries, lookups)
        assert await log.claim(a_delivery(id="order-0", attempt="token-0")) is not None
        hook.do_after(f"table insert {deliveries.name}", DROP)
        claimed = await log.claim(a_delivery(attempt="token-1"))
        assert claimed is not None
        assert claimed.attempt == "token-1"
        assert claimed.version is not None
        assert await log.claim(a_delivery(attempt="token-2")) is None
