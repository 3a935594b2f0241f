"""The calls that this app can't avoid, in a loop: the same ones, of the SDKs as they come, without its logic."""

import functools
import pickle
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bench.forms import ACCOUNT, TOKEN
from bench.ways.calls import Called
from bench.ways.sample import Callback, Sample
from bench.ways.way import Job, Place

Versions = dict[tuple[str, str, str], str]
"""the ETag of each row: its table, partition and key"""


class Bare:
    """What was recorded of one message, said again of others."""

    def __init__(self, place: Place) -> None:
        """It is told where the calls are that were recorded."""
        first, calls = pickle.loads(Path(place.told).read_bytes())  # noqa: S301 - bench.ways.record wrote it
        self._first: Sample = first
        self._calls: list[Called] = calls
        self._open = AsyncExitStack()
        self._table = functools.cache(
            lambda name: self._opened(TableClient.from_connection_string(place.storage, name, **self._options()))
        )
        self._queue = functools.cache(
            lambda name: self._opened(QueueClient.from_connection_string(place.storage, name, **self._options()))
        )
        http = AsyncTwilioHttpClient()
        self._open.push_async_callback(http.close)
        self._twilio = Client(ACCOUNT, TOKEN, http_client=http)
        self._twilio.api.base_url = place.twilio
        self._validator = RequestValidator(TOKEN)

    def _options(self) -> dict[str, Any]:
        """Return how Azure's clients are made: as they come."""
        return {}

    async def prepare(self, samples: Sequence[Sample]) -> list[Job]:
        """Write the calls for each message."""
        return [self._job(sample) for sample in samples]

    async def close(self) -> None:
        """Close the connections."""
        await self._open.aclose()

    def _job(self, sample: Sample) -> Job:
        calls = [call.written_for(sample, instead_of=self._first) for call in self._calls]
        return functools.partial(self._do, calls, sample.callbacks())

    async def _do(self, calls: list[Called], callbacks: list[Callback]) -> None:
        versions: Versions = {}
        for call in calls:
            match call.service:
                case "table":
                    await self._store(call, versions)
                case "queue":
                    await self._queue(call.name).send_message(*call.args, **call.kwargs)
                case "twilio":
                    await getattr(self._twilio, call.name).create_async(**call.kwargs)
        for callback in callbacks:
            if not self._validator.validate(callback.url, callback.fields, callback.headers["X-Twilio-Signature"]):
                raise SystemExit("expected a signature that holds, got another")

    async def _store(self, call: Called, versions: Versions) -> None:
        table: TableClient = self._table(call.name)
        if call.method in {"get", "delete"}:
            partition, row = call.args
            key = call.name, partition, row
            if call.method == "get":
                # there is no wish of the recipient on record
                with suppress(ResourceNotFoundError):
                    versions[key] = str((await table.get_entity(partition, row)).metadata["etag"])
                return
            await table.delete_entity(partition, row, etag=versions[key], match_condition=MatchConditions.IfNotModified)
            return
        entity = call.args[0]
        key = call.name, entity["PartitionKey"], entity["RowKey"]
        versions[key] = str((await self._write(table, call.method, entity, versions.get(key)))["etag"])

    @staticmethod
    async def _write(table: TableClient, method: str, entity: Any, version: str | None) -> Any:  # noqa: ANN401 - as the SDK has it
        match method:
            case "insert":
                return await table.create_entity(entity)
            case "put":
                return await table.upsert_entity(entity, mode=UpdateMode.REPLACE)
        mode = UpdateMode.MERGE if method == "merge" else UpdateMode.REPLACE
        return await table.update_entity(entity, mode, etag=version, match_condition=MatchConditions.IfNotModified)

    def _opened(self, client: Any) -> Any:  # noqa: ANN401 - either kind of client
        self._open.push_async_callback(client.close)
        return client


class Spared(Bare):
    """The same, spared what the SDK can be spared: as it comes, it looks for a proxy before each request."""

    def _options(self) -> dict[str, Any]:
        """Return how Azure's clients are made: told that there is no proxy."""
        return {"transport": AioHttpTransport(use_env_settings=False)}
