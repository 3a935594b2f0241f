"""One table: each method is one request, a query one for each page."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec

from shared.table_service import faults, rows
from shared.table_service.lists import Lists
from shared.table_service.rows import Entity, Row

_JSON: Final = MappingProxyType({"Content-Type": "application/json"})
_SILENT: Final = MappingProxyType({**_JSON, "Prefer": "return-no-content"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of the service: `path` and `query` are percent-encoded, below the account."""

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)


class Answered(Protocol):
    """A good answer."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers; their names count in any case."""

    @property
    def content(self) -> bytes:
        """Its body."""


class Service(Protocol):
    """What takes requests; its errors are azure.core's."""

    async def ask(self, request: Request) -> Answered:
        """Return the answer, if that is a good one."""


class TableClient:
    """A table, whether it is there or not; `version` is a row's ETag, and without one any will do."""

    def __init__(self, service: Service, lists: Lists, name: str) -> None:
        self._service = service
        self._lists = lists
        self._name = name

    @property
    def name(self) -> str:
        """The table's name."""
        return self._name

    async def create(self) -> None:
        """Make the table; ResourceExistsError where it is there."""
        await self._lists.create(self._name)

    async def get(self, partition: str, row: str) -> Row:
        """Return a row; ResourceNotFoundError where there is none."""
        answer = await self._service.ask(Request(method="GET", path=self._path(partition, row)))
        return rows.decode(_read(answer))

    async def insert(self, entity: Entity) -> str:
        """Insert a row and return its ETag; ResourceExistsError where there is one."""
        return await self._write("POST", f"/{self._name}", _SILENT, entity)

    async def put(self, entity: Entity, *, version: str | None = None) -> str:
        """Put a row in the place of another one and return its ETag; without `version`, there need be none."""
        return await self._write("PUT", self._path_of(entity), _if_match(version), entity)

    async def merge(self, entity: Entity, *, version: str) -> str:
        """Change the given properties of a row and return its ETag."""
        return await self._write("PATCH", self._path_of(entity), _if_match(version), entity)

    async def delete(self, partition: str, row: str, *, version: str | None = None) -> None:
        """Delete a row; ResourceNotFoundError where there is none."""
        headers = {"If-Match": version or "*"}
        await self._service.ask(Request(method="DELETE", path=self._path(partition, row), headers=headers))

    def query(
        self, text: str, parameters: Mapping[str, object], *, page: int, select: str | None = None
    ) -> AsyncIterator[Row]:
        """Yield the rows that a filter finds; as `Lists.query`."""
        return self._lists.query(self._name, text, parameters, page=page, select=select)

    def _path(self, partition: str, row: str) -> str:
        return f"/{self._name}{rows.address(partition, row)}"

    def _path_of(self, entity: Entity) -> str:
        return self._path(entity["PartitionKey"], entity["RowKey"])

    async def _write(self, method: str, path: str, headers: Mapping[str, str], entity: Entity) -> str:
        body = rows.encode(entity)
        answer = await self._service.ask(Request(method=method, path=path, headers=headers, body=body))
        etag = answer.headers.get("ETag")
        if etag is None:
            raise faults.unreadable("an ETag")
        return etag


def _if_match(version: str | None) -> Mapping[str, str]:
    return _JSON if version is None else {**_JSON, "If-Match": version}


def _read(answer: Answered) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        raise faults.unreadable("a row in JSON") from None
