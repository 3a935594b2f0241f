"""One Azure table, reduced to what this app does with it; a table that isn't there yet is made by the first write."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableEntity, TableErrorCode, UpdateMode
from azure.data.tables.aio import TableClient

from shared.errors import Changed

Entity = Mapping[str, Any]


class Table:
    """Every call is one storage transaction, bounded in time by the client; its errors are azure.core's own."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    async def get(self, partition: str, row: str) -> TableEntity | None:
        """Return the row, or None where there is none."""
        try:
            return await self._client.get_entity(partition, row)
        except ResourceNotFoundError:
            return None

    async def insert(self, entity: Entity) -> str | None:
        """Insert a row and return its ETag, or None where a row with its key exists.

        The SDK repeats an insert whose answer was lost, and then meets its own row: None does not mean that somebody
        else inserted it. Where that matters, read the row and compare.
        """
        try:
            return await self._write(self._client.create_entity, entity)
        except ResourceExistsError as exc:
            # a table that is being deleted answers 409, too; the SDK leaves the code in the text of this error
            if TableErrorCode.ENTITY_ALREADY_EXISTS.value not in str(exc):
                raise
            return None

    async def put(self, entity: Entity) -> None:
        """Insert a row, or replace the one with its key."""
        await self._write(self._client.upsert_entity, entity, mode=UpdateMode.REPLACE)

    async def merge(self, entity: Entity, *, version: str) -> str:
        """Change the given properties of a row and return its new ETag.

        Raises:
            Changed: the row isn't any more the one that `version` names.
        """
        return await self._update(entity, UpdateMode.MERGE, version)

    async def replace(self, entity: Entity, *, version: str) -> str:
        """Put a row in the place of the one that `version` names, and return its new ETag.

        Raises:
            Changed: the row isn't any more that one.
        """
        return await self._update(entity, UpdateMode.REPLACE, version)

    async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
        """Delete a row, if it is there; with `version`, only the one that this names.

        Raises:
            Changed: the row isn't any more that one.
        """
        condition = MatchConditions.Unconditionally if version is None else MatchConditions.IfNotModified
        try:
            await self._client.delete_entity(partition, row, etag=version, match_condition=condition)
        except HttpResponseError as exc:
            if exc.status_code == HTTPStatus.PRECONDITION_FAILED:
                raise Changed("the row was changed since it was read") from exc
            raise

    async def query(
        self, text: str, *, limit: int | None = None, select: str | None = None, **parameters: object
    ) -> AsyncIterator[TableEntity]:
        """Yield rows in the order of their keys; the values come in as parameters, and never as parts of `text`."""
        found = self._client.query_entities(
            text, parameters=parameters, results_per_page=min(limit or 1000, 1000), select=select
        )
        count = 0
        try:
            async for entity in found:
                yield entity
                count += 1
                if count == limit:
                    return
        except ResourceNotFoundError:
            return

    async def check(self) -> None:
        """Make sure that the table service answers; a table that isn't there yet is no fault."""
        await self.get("health", "health")

    async def _update(self, entity: Entity, mode: UpdateMode, version: str) -> str:
        try:
            answer = await self._client.update_entity(
                entity, mode=mode, etag=version, match_condition=MatchConditions.IfNotModified
            )
        except HttpResponseError as exc:
            if exc.status_code in {404, 412}:
                raise Changed("the row was changed since it was read") from exc
            raise
        return str(answer["etag"])

    async def _write(self, operation: Any, entity: Entity, **options: Any) -> str:  # noqa: ANN401 - the SDK's own types
        try:
            answer = await operation(entity, **options)
        except ResourceNotFoundError:
            # neither an insert nor an upsert needs a row: what is missing is the table
            await self._create()
            answer = await operation(entity, **options)
        return str(answer["etag"])

    async def _create(self) -> None:
        try:
            await self._client.create_table()
        except ResourceExistsError:
            return
