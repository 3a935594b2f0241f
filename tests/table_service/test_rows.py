"""What is written here reads the same with Azure's SDK, and the other way round."""

import json
import math
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from azure.data.tables import EdmType, EntityProperty, UpdateMode
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from shared.table_service import rows
from tests.table_service.conftest import Both

quick = settings(max_examples=60)
NOW = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
values = st.one_of(
    st.text(max_size=50),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.floats(),
    st.datetimes(datetime(1601, 1, 3), datetime(9999, 12, 29), timezones=offsets),  # noqa: DTZ001 - hypothesis adds it
    st.binary(max_size=50),
    st.none(),
)
entities = st.dictionaries(st.text(string.ascii_letters, min_size=1, max_size=9).map("P{}".format), values, max_size=8)
# https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
keys = st.text(st.characters(exclude_characters="/\\#?", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30)


def comparable(entity: dict[str, Any]) -> dict[str, Any]:
    """NaN is no other NaN, and the SDK's moments are of a kind of their own."""

    def one(value: Any) -> Any:  # noqa: ANN401 - any value
        if isinstance(value, float) and math.isnan(value):
            return "NaN"
        if isinstance(value, datetime):
            return value.isoformat()
        return value

    return {
        name: (type(value).__name__.removeprefix("TablesEntity").lower(), one(value)) for name, value in entity.items()
    }


OF_KEY = "PartitionKey eq @key"


@quick
@given(properties=entities)
async def test_rows_read_the_same_whoever_wrote_them_and_whoever_reads_them(
    both: Both, properties: dict[str, Any]
) -> None:
    key = {"PartitionKey": uuid4().hex, "RowKey": "ours"}
    await both.ours.put({**key, **properties})
    await both.sdk.upsert_entity({**key, **properties, "RowKey": "sdk"}, mode=UpdateMode.REPLACE)
    seen = [
        comparable({**found, "RowKey": ""})
        for row in ("ours", "sdk")
        for found in (
            await both.ours.get(key["PartitionKey"], row),
            await both.sdk.get_entity(key["PartitionKey"], row),
        )
    ]
    queried = [
        comparable({**row, "RowKey": ""})
        async for row in both.ours.query(OF_KEY, {"key": key["PartitionKey"]}, page=10)
    ]
    assert all(one == seen[0] for one in seen + queried)
    assert len(queried) == 2
    written = {name: value for name, value in properties.items() if value is not None}
    utc = {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in written.items()}
    assert seen[0] == comparable({**key, "RowKey": "", **utc})


async def test_the_metadata_of_a_row_are_those_that_the_sdk_reads(both: Both) -> None:
    key = {"PartitionKey": uuid4().hex, "RowKey": "r"}
    etag = await both.ours.insert(key)
    ours, sdk = await both.ours.get(key["PartitionKey"], "r"), await both.sdk.get_entity(key["PartitionKey"], "r")
    assert ours.metadata["etag"] == sdk.metadata["etag"] == etag
    assert sdk.metadata["timestamp"] is not None
    assert ours.metadata["timestamp"].isoformat() == sdk.metadata["timestamp"].isoformat()
    [queried] = [row async for row in both.ours.query(OF_KEY, {"key": key["PartitionKey"]}, page=1)]
    assert queried.metadata == ours.metadata
    assert dict(queried) == dict(ours) == key


@pytest.mark.parametrize("text", ["plain", 'a "quoted" \\ one\n', "Grüße", "😀", "\ud83d"])
def test_a_row_goes_out_in_ascii_whatever_it_says(text: str) -> None:
    body = rows.encode({"T": text})
    assert body.isascii()
    assert json.loads(body) == {"T": text}


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**63 - 1, -(2**63)])
async def test_a_large_number_is_a_long_one_as_the_sdk_has_it(both: Both, number: int) -> None:
    partition = uuid4().hex
    await both.ours.insert({"PartitionKey": partition, "RowKey": "ours", "N": number})
    long = EntityProperty(number, EdmType.INT64)
    await both.sdk.create_entity({"PartitionKey": partition, "RowKey": "sdk", "N": long})
    for row in ("ours", "sdk"):
        assert (await both.ours.get(partition, row))["N"] == number
        assert (await both.sdk.get_entity(partition, row))["N"] == long


async def test_an_identifier_that_another_tool_wrote_is_read(both: Both) -> None:
    partition, value = uuid4().hex, UUID(int=7)
    await both.sdk.create_entity({"PartitionKey": partition, "RowKey": "r", "G": value})
    assert (await both.ours.get(partition, "r"))["G"] == value


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, [1], {"a": 1}, NOW.date(), object()])
def test_what_a_row_can_not_hold_is_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match=f"^Wrong: .*{type(value).__name__}"):
        rows.encode({"PartitionKey": "p", "RowKey": "r", "Wrong": value})


@quick
@given(partition=keys, row=keys)
async def test_any_key_names_the_same_row_here_and_for_the_sdk(both: Both, partition: str, row: str) -> None:
    partition = uuid4().hex + partition
    etag = await both.ours.insert({"PartitionKey": partition, "RowKey": row, "By": "us"})
    assert dict(await both.sdk.get_entity(partition, row)) == dict(await both.ours.get(partition, row))
    etag = await both.ours.merge({"PartitionKey": partition, "RowKey": row, "More": 1}, version=etag)
    await both.sdk.upsert_entity({"PartitionKey": partition, "RowKey": row, "By": "them"}, mode=UpdateMode.MERGE)
    found = await both.ours.get(partition, row)
    assert (found["By"], found["More"], found["RowKey"]) == ("them", 1, row)
    [queried] = [one async for one in both.ours.query(OF_KEY, {"key": partition}, page=5)]
    assert queried == found
    await both.ours.delete(partition, row)
    assert [one async for one in both.ours.query(OF_KEY, {"key": partition}, page=5)] == []


@given(partition=st.text(), row=st.text())
def test_a_key_stands_in_the_url_as_the_sdk_and_aiohttp_write_it(partition: str, row: str) -> None:
    one, other = (quote(key.replace("'", "''"), safe="") for key in (partition, row))
    assert rows.address(partition, row) == URL(f"http://h/(PartitionKey='{one}',RowKey='{other}')").raw_path[1:]
