from collections.abc import AsyncIterator

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError

from shared.connections import Bounds
from shared.errors import Changed
from shared.table_service.service import TableService
from shared.tables import Table
from tests.storage import open_table


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[Table]:
    async with open_table(azurite) as made:
        yield made


def row(key: str, **properties: object) -> dict[str, object]:
    return {"PartitionKey": "p", "RowKey": key, **properties}


async def test_reading_a_table_that_is_not_there_finds_nothing(table: Table) -> None:
    assert await table.get("p", "r") is None
    assert [found async for found in table.query("PartitionKey eq @p", p="p")] == []
    await table.delete("p", "r")
    await table.check()


async def test_the_first_insert_makes_the_table(table: Table) -> None:
    assert await table.insert(row("r", Value=1))
    found = await table.get("p", "r")
    assert found is not None
    assert found["Value"] == 1


async def test_the_first_put_makes_the_table(table: Table) -> None:
    await table.put(row("r", Value=1))
    assert await table.get("p", "r")


async def test_a_second_insert_returns_nothing_and_changes_nothing(table: Table) -> None:
    await table.insert(row("r", Value=1))
    assert await table.insert(row("r", Value=2)) is None
    found = await table.get("p", "r")
    assert found is not None
    assert found["Value"] == 1


async def test_a_put_replaces_the_whole_row(table: Table) -> None:
    await table.put(row("r", Old=1))
    await table.put(row("r", New=1))
    found = await table.get("p", "r")
    assert found is not None
    assert set(found) == {"PartitionKey", "RowKey", "New"}


async def test_a_merge_changes_only_what_it_names_and_returns_the_next_version(table: Table) -> None:
    version = await table.insert(row("r", Kept=1, Changed=1))
    assert version is not None
    following = await table.merge(row("r", Changed=2), version=version)
    found = await table.get("p", "r")
    assert found is not None
    assert (found["Kept"], found["Changed"]) == (1, 2)
    assert found.metadata["etag"] == following != version


async def test_a_merge_of_an_older_version_is_refused_and_changes_nothing(table: Table) -> None:
    version = await table.insert(row("r", Value=1))
    assert version is not None
    await table.merge(row("r", Value=2), version=version)
    with pytest.raises(Changed):
        await table.merge(row("r", Value=3), version=version)
    found = await table.get("p", "r")
    assert found is not None
    assert found["Value"] == 2


async def test_a_merge_of_a_row_that_is_gone_is_refused(table: Table) -> None:
    version = await table.insert(row("r"))
    assert version is not None
    await table.delete("p", "r")
    with pytest.raises(Changed):
        await table.merge(row("r", Value=1), version=version)


async def test_another_fault_of_a_merge_is_storages_own(table: Table) -> None:
    version = await table.insert(row("r"))
    assert version is not None
    with pytest.raises(HttpResponseError) as caught:
        await table.merge(row("r", Value="x"), version="no ETag")
    assert not isinstance(caught.value, Changed)


async def test_a_deleted_row_is_gone_and_may_be_deleted_again(table: Table) -> None:
    await table.insert(row("r"))
    await table.delete("p", "r")
    await table.delete("p", "r")
    assert await table.get("p", "r") is None


async def test_a_row_that_was_written_again_is_not_deleted_with_its_older_version(table: Table) -> None:
    older = await table.insert(row("r", Value=1))
    assert older is not None
    newer = await table.merge(row("r", Value=2), version=older)
    with pytest.raises(Changed):
        await table.delete("p", "r", version=older)
    assert await table.get("p", "r") is not None
    for _ in range(2):
        await table.delete("p", "r", version=newer)
    assert await table.get("p", "r") is None


async def test_a_query_yields_rows_in_the_order_of_their_keys_up_to_its_limit(table: Table) -> None:
    for key in ("c", "a", "b", "d"):
        await table.insert(row(key))
    found = [entity["RowKey"] async for entity in table.query("PartitionKey eq @p and RowKey lt @end", p="p", end="d")]
    assert found == ["a", "b", "c"]
    assert [entity["RowKey"] async for entity in table.query("PartitionKey eq @p", limit=2, p="p")] == ["a", "b"]


async def test_a_query_goes_on_over_the_pages_of_storage(table: Table) -> None:
    for key in "abcde":
        await table.insert(row(key))
    # a page of storage is as long as the limit: what is yielded from one page after the other is bounded all the same
    assert [entity["RowKey"] async for entity in table.query("PartitionKey eq @p", limit=4, p="p")] == list("abcd")


@pytest.mark.parametrize("value", ["it's", "' or PartitionKey ge '", "@p", "a b", "%27", "é ✓"])
async def test_a_value_of_a_query_is_never_part_of_its_text(table: Table, value: str) -> None:
    await table.insert({"PartitionKey": "p", "RowKey": "other"})
    await table.insert({"PartitionKey": value, "RowKey": "its own"})
    found = [entity["RowKey"] async for entity in table.query("PartitionKey eq @name", name=value)]
    assert found == ["its own"]


async def test_a_storage_that_does_not_answer_is_no_empty_table() -> None:
    nowhere = (
        "AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a"  # nobody listens on the first port there is
    )
    async with TableService.open(nowhere, bounds=Bounds(repetitions=0)) as service:
        away = Table(service.table("t"))
        for call in (away.get("p", "r"), away.check(), away.insert(row("r"))):
            with pytest.raises(ServiceRequestError):
                await call
