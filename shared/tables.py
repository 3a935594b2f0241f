"""One Azure table, reduced to what this app does with it; a table that isn't there yet is made by the first write."""

from collections.abc import AsyncIterator, Awaitable, Callable

from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

from shared.errors import Changed
from shared.table_service import rows
from shared.table_service.client import TableClient
from shared.table_service.lists import MOST

Entity = rows.Entity
Row = rows.Row


class Table:
    """Every call is one storage transaction, bounded in time by the client; its errors are azure.core's own."""

    def __init__(self, client: TableClient) -> None:
        self._client = client

    @property
    def name(self) -> str:
        """The table's name."""
        return self._client.name

    async def get(self, partition: str, row: str) -> Row | None:
        """Return the row, or None where there is none."""
        try:
            return await self._client.get(partition, row)
        except ResourceNotFoundError:
            return None

    async def insert(self, entity: Entity) -> str | None:
        """Insert a row and return its ETag, or None where a row with its key exists.

        An insert that storage says failed, or whose idle connection ended without an answer, is made again. If it took
        effect all the same, it meets its own row: None does not mean that somebody else inserted it. Where that
        matters, read the row and compare.
        """
        try:
            return await self._write(self._client.insert, entity)
        except ResourceExistsError:
            return None

    async def put(self, entity: Entity) -> None:
        """Insert a row, or replace the one with its key."""
        await self._write(self._client.put, entity)

    async def merge(self, entity: Entity, *, version: str) -> str:
        """Change the given properties of a row and return its new ETag.

        Raises:
            Changed: the row isn't any more the one that `version` names; a merge that is made again, as an insert is,
                may have changed it itself.
        """
        return await self._update(self._client.merge, entity, version)

    async def replace(self, entity: Entity, *, version: str) -> str:
        """Put a row in the place of the one that `version` names, and return its new ETag.

        Raises:
            Changed: the row isn't any more that one.
        """
        return await self._update(self._client.put, entity, version)

    async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
        """Delete a row, if it is there; with `version`, only the one that this names.

        Raises:
            Changed: the row isn't any more that one.
        """
        try:
            await self._client.delete(partition, row, version=version)
        except ResourceNotFoundError:
            return
        except ResourceModifiedError as exc:
            raise Changed("the row was changed since it was read") from exc

    async def query(
        self, text: str, *, limit: int | None = None, select: str | None = None, **parameters: object
    ) -> AsyncIterator[Row]:
        """Yield rows in the order of their keys; the values come in as parameters, and never as parts of `text`."""
        found = self._client.query(text, parameters, page=min(limit or MOST, MOST), select=select)
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

    async def _update(self, operation: Callable[..., Awaitable[str]], entity: Entity, version: str) -> str:
        try:
            return await operation(entity, version=version)
        except (ResourceNotFoundError, ResourceModifiedError) as exc:
            raise Changed("the row was changed since it was read") from exc

    async def _write(self, operation: Callable[[Entity], Awaitable[str]], entity: Entity) -> str:
        try:
            return await operation(entity)
        except ResourceNotFoundError:
            # neither an insert nor a put needs a row: what is missing is the table
            await self._create()
            return await operation(entity)

    async def _create(self) -> None:
        try:
            await self._client.create()
        except ResourceExistsError:
            return
