"""Azurite, unchanged SDKs, and a proxy between them."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from local.faults import DROP, NEVER, Action, Answer, Do, Proxy, endpoint, through
from tests.local.faults.hooks import Recorder

ONCE: dict[str, Any] = {"retry_total": 0, "read_timeout": 5}
ROW = {"PartitionKey": "a:1 üé'", "RowKey": "event:%25 +", "Status": "queued"}
KEY = {name: ROW[name] for name in ("PartitionKey", "RowKey")}


@asynccontextmanager
async def proxied(azurite: str, hook: Recorder) -> AsyncIterator[str]:
    """A connection string that leads to Azurite's tables and queues through proxies."""
    async with (
        Proxy.start(target=endpoint(azurite, "table"), service="table", hook=hook) as table,
        Proxy.start(target=endpoint(azurite, "queue"), service="queue", hook=hook) as queue,
    ):
        yield through(azurite, table=table.port, queue=queue.port)


def code_of(error: HttpResponseError) -> str:
    response: Any = error.response
    return str(response.headers["x-ms-error-code"])


@pytest.fixture
def hook() -> Recorder:
    return Recorder()


@pytest.fixture
async def table(azurite: str, hook: Recorder) -> AsyncIterator[TableClient]:
    """A table that is there, seen through a proxy, with nothing seen yet."""
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(proxied(azurite, hook))
        name = f"T{uuid.uuid4().hex}"
        table = await stack.enter_async_context(TableClient.from_connection_string(storage, name, **ONCE))
        await table.create_table()
        hook.seen.clear()
        hook.answered.clear()
        yield table


@pytest.fixture
async def queue(azurite: str, hook: Recorder) -> AsyncIterator[QueueClient]:
    """A queue that is there, likewise."""
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(proxied(azurite, hook))
        name = f"q{uuid.uuid4().hex}"
        queue = await stack.enter_async_context(QueueClient.from_connection_string(storage, name, **ONCE))
        await queue.create_queue()
        hook.seen.clear()
        hook.answered.clear()
        yield queue


async def test_tables_are_used_through_a_proxy_and_every_operation_has_its_words(
    table: TableClient, hook: Recorder
) -> None:
    inserted = await table.create_entity(ROW)
    with pytest.raises(ResourceExistsError):
        await table.create_entity(ROW)
    await table.update_entity(
        KEY | {"Status": "sent"},
        mode=UpdateMode.MERGE,
        etag=inserted["etag"],
        match_condition=MatchConditions.IfNotModified,
    )
    with pytest.raises(ResourceModifiedError):
        await table.update_entity(
            KEY, mode=UpdateMode.MERGE, etag=inserted["etag"], match_condition=MatchConditions.IfNotModified
        )
    await table.update_entity(KEY | {"Status": "read"}, mode=UpdateMode.REPLACE)
    await table.upsert_entity(KEY | {"Status": "x"}, mode=UpdateMode.REPLACE)
    await table.upsert_entity(KEY | {"More": "y"}, mode=UpdateMode.MERGE)
    found = await table.get_entity(partition_key=KEY["PartitionKey"], row_key=KEY["RowKey"])
    listed = [row async for row in table.query_entities("Status eq @s", parameters={"s": "x"})]
    await table.submit_transaction([("create", KEY | {"RowKey": f"batched {number}"}) for number in range(3)])
    rows = [row async for row in table.list_entities(results_per_page=2)]
    await table.delete_entity(KEY)
    await table.delete_table()

    assert (found["Status"], found["More"]) == ("x", "y")
    assert listed == [found]
    assert len(rows) == 4
    verbs = ["insert", "insert", "merge", "merge", "replace", "upsert", "upsert", "get", "query", "batch"]
    verbs += ["query", "query", "delete"]
    name = table.table_name
    assert hook.operations == [*(f"table {verb} {name}" for verb in verbs), f"table drop {name}"]
    assert [status for _, status in hook.answered[:4]] == [201, 409, 204, 412]


async def test_queues_are_used_through_a_proxy_and_every_operation_has_its_words(
    queue: QueueClient, hook: Recorder
) -> None:
    await queue.send_message("Hëllo <&> + %", visibility_timeout=0)
    peeked = await queue.peek_messages()
    got = await queue.receive_message(visibility_timeout=30)
    assert got is not None
    updated = await queue.update_message(got, content="later", visibility_timeout=30)
    await queue.delete_message(updated)
    properties = await queue.get_queue_properties()
    await queue.clear_messages()
    await queue.delete_queue()

    assert [message.content for message in (*peeked, got)] == ["Hëllo <&> + %"] * 2
    assert properties.approximate_message_count == 0
    verbs = ["put", "peek", "get", "update", "delete", "look at", "clear", "drop"]
    assert hook.operations == [f"queue {verb} {queue.queue_name}" for verb in verbs]


@pytest.mark.parametrize(
    ("action", "error", "status", "code"),
    [
        (Answer(500), HttpResponseError, 500, "InternalError"),
        (Answer(503), HttpResponseError, 503, "ServerBusy"),
        (Answer(409), ResourceExistsError, 409, "EntityAlreadyExists"),
        (Answer(412), HttpResponseError, 412, "UpdateConditionNotSatisfied"),
        (Answer(404), ResourceNotFoundError, 404, "ResourceNotFound"),
        (Answer(409, code="TableBeingDeleted"), HttpResponseError, 409, "TableBeingDeleted"),
    ],
)
async def test_a_table_answers_what_is_asked_for_instead_of_doing_it(
    table: TableClient,
    hook: Recorder,
    *,
    action: Action,
    error: type[HttpResponseError],
    status: int,
    code: str,
) -> None:
    hook.do_before(f"table insert {table.table_name}", action)
    with pytest.raises(error) as raised:
        await table.create_entity(ROW)

    assert (raised.value.status_code, code_of(raised.value)) == (status, code)
    assert f'"code": "{code}"' in str(raised.value)
    assert [row async for row in table.list_entities()] == []


async def test_a_table_answers_what_is_asked_for_after_doing_it(table: TableClient, hook: Recorder) -> None:
    hook.do_after(f"table insert {table.table_name}", Answer(500))
    with pytest.raises(HttpResponseError) as raised:
        await table.create_entity(ROW)

    assert raised.value.status_code == 500
    assert [row["Status"] async for row in table.list_entities()] == ["queued"]


@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "ServerBusy"), (404, "QueueNotFound")])
async def test_a_queue_answers_what_is_asked_for(queue: QueueClient, hook: Recorder, *, status: int, code: str) -> None:
    hook.do_before(f"queue put {queue.queue_name}", Answer(status))
    hook.do_after(f"queue put {queue.queue_name}", Answer(status))
    for expected in (0, 1):
        with pytest.raises(HttpResponseError) as raised:
            await queue.send_message("Hello")
        assert (raised.value.status_code, code_of(raised.value)) == (status, code)
        assert len(await queue.peek_messages(max_messages=5)) == expected


@pytest.mark.parametrize("action", [DROP, Do(lambda: None)])
async def test_a_dropped_connection_is_one_with_the_effect_or_without(
    table: TableClient, hook: Recorder, action: Action
) -> None:
    hook.do_before(f"table insert {table.table_name}", action)
    with pytest.raises(AzureError):
        await table.create_entity(ROW)
    assert [row async for row in table.list_entities()] == []

    hook.do_after(f"table insert {table.table_name}", action)
    with pytest.raises(AzureError):
        await table.create_entity(ROW)
    assert len([row async for row in table.list_entities()]) == 1


async def test_what_is_never_answered_ends_where_the_client_gives_up(table: TableClient, hook: Recorder) -> None:
    hook.do_after(f"table insert {table.table_name}", NEVER)
    with pytest.raises((AzureError, TimeoutError)):
        await table.create_entity(ROW, read_timeout=0.2)

    assert len([row async for row in table.list_entities()]) == 1


async def test_the_sdk_that_repeats_an_insert_which_took_effect_meets_itself(azurite: str, hook: Recorder) -> None:
    async with proxied(azurite, hook) as storage:
        name = f"T{uuid.uuid4().hex}"
        async with TableClient.from_connection_string(storage, name, retry_total=2, retry_backoff_factor=0) as table:
            await table.create_table()
            hook.do_after(f"table insert {name}", Answer(500))
            with pytest.raises(ResourceExistsError):
                await table.create_entity(ROW)

    assert [status for operation, status in hook.answered if "insert" in operation] == [201, 409]
