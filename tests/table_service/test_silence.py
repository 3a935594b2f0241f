"""Where no answer came: the error says so, and nothing of the URL, which may hold a signature."""

from collections.abc import Awaitable, Callable
from typing import Final

import aiohttp
import pytest
from azure.core.exceptions import AzureError, ServiceRequestTimeoutError
from azure.storage.queue.aio import QueueClient

from shared.connections import Bounds
from shared.queues import Queue
from shared.table_service.client import TableClient
from shared.table_service.service import TableService

SIGNATURE: Final = "sv=2019-02-02&sig=SECRET"
URL: Final = f"http://tables.example/t?{SIGNATURE}"
ROW: Final = {"PartitionKey": "p", "RowKey": "r"}


def told(error: BaseException) -> str:
    """Return all that an error and what led to it show."""
    text = ""
    one: BaseException | None = error
    while one is not None:
        text += f"{one} {one!r}"
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return text


def unreachable(monkeypatch: pytest.MonkeyPatch, why: Exception) -> None:
    async def connect(*_given: object, **_more: object) -> object:
        raise why

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", connect)


async def listed(table: TableClient) -> object:
    return [row async for row in table.query("RowKey eq 'r'", {}, page=1)]


@pytest.mark.parametrize(
    "call",
    [lambda table: table.get("p", "r"), lambda table: table.put(ROW), listed, lambda table: table.create()],
    ids=["get", "put", "query", "create"],
)
@pytest.mark.parametrize(
    ("why", "kind"),
    [
        (TimeoutError(), ServiceRequestTimeoutError),
        (aiohttp.ClientOSError(32, f"Can not write request body for {URL}"), AzureError),
        (aiohttp.InvalidURL(URL), AzureError),
    ],
)
async def test_what_did_not_reach_a_table_does_not_show_where_it_should_have_gone(
    monkeypatch: pytest.MonkeyPatch,
    why: Exception,
    kind: type[AzureError],
    call: Callable[[TableClient], Awaitable[object]],
) -> None:
    """aiohttp writes the whole URL into some of its errors: that of a connection that takes too long is one."""
    unreachable(monkeypatch, why)
    text = f"TableEndpoint=http://tables.example;SharedAccessSignature={SIGNATURE}"
    async with TableService.open(text, bounds=Bounds(repetitions=0)) as service:
        with pytest.raises(kind) as caught:
            await call(service.table("t"))
    assert "SECRET" not in told(caught.value)


@pytest.mark.parametrize("call", [lambda queue: queue.put(b"1"), lambda queue: queue.check()], ids=["put", "check"])
async def test_what_did_not_reach_a_queue_does_not_show_where_it_should_have_gone(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[Queue], Awaitable[object]]
) -> None:
    unreachable(monkeypatch, TimeoutError())
    text = f"QueueEndpoint=http://queues.example;SharedAccessSignature={SIGNATURE}"
    async with QueueClient.from_connection_string(text, "q", retry_total=0) as client:
        with pytest.raises(ServiceRequestTimeoutError, match="ConnectionTimeoutError") as caught:
            await call(Queue(lambda: client))
    assert "SECRET" not in told(caught.value)
