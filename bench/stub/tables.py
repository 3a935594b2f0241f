"""Tables in memory, as far as the app uses them: each row has an ETag, and a query reads a range of keys.

https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
"""

import bisect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec

from bench.stub.answer import Answer

_ENTITY: Final = re.compile(
    r"(?P<table>\w+)(?:\(PartitionKey='(?P<partition>.*)',RowKey='(?P<row>.*)'\)|\(\))?", re.DOTALL
)
_COMPARISON: Final = re.compile(r"(\w+) (eq|ge|gt|le|lt) (?:datetime)?'((?:[^']|'')*)'")
_LONGEST_PAGE: Final = 1000
_HEADERS: Final = {"Content-Type": "application/json;odata=minimalmetadata"}
Key = tuple[str, str]


@dataclass(slots=True)
class Row:
    """What was posted, and which version of it this is."""

    properties: dict[str, Any]
    etag: str


@dataclass
class TableStub:
    """One table: rows by key, and the keys in their order."""

    rows: dict[Key, Row] = field(default_factory=dict)
    order: list[Key] = field(default_factory=list)

    def put(self, key: Key, row: Row) -> None:
        """Insert or replace."""
        if key not in self.rows:
            bisect.insort(self.order, key)
        self.rows[key] = row

    def remove(self, key: Key) -> None:
        """Take a row out."""
        del self.rows[key]
        del self.order[bisect.bisect_left(self.order, key)]

    def between(self, first: Key) -> Iterator[Key]:
        """Yield keys from this one on."""
        for place in range(bisect.bisect_left(self.order, first), len(self.order)):
            yield self.order[place]


@dataclass
class TablesStub:
    """All tables of an account; one that nobody made is there all the same."""

    tables: dict[str, TableStub] = field(default_factory=dict)
    rows_read: int = 0
    """by queries: rows that were looked at, whether they were wanted or not"""
    _version: int = 0

    def table(self, name: str) -> TableStub:
        """Return a table."""
        return self.tables.setdefault(name, TableStub())

    def multiply(self, names: list[str], count: int) -> None:
        """Copy every row that holds one of these names so often, each time with other names in their place."""
        for table in self.tables.values():
            for key, row in list(table.rows.items()):
                text = msgspec.json.encode([key, row.properties]).decode()
                if not any(name in text for name in names):
                    continue
                for number in range(count):
                    copied = text
                    for name in names:
                        copied = copied.replace(name, _renamed(name, number))
                    other, properties = msgspec.json.decode(copied)
                    table.rows[*other,] = Row(properties, row.etag)
            table.order = sorted(table.rows)

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request; `path` is what follows the account."""
        resource = unquote(path)
        if resource.startswith("Tables"):
            return Answer(HTTPStatus.NO_CONTENT)
        named = _ENTITY.fullmatch(resource)
        if named is None:
            return _failed(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented")
        table = self.table(named["table"])
        if named["partition"] is None:
            return self._insert(table, body) if method == "POST" else self._query(table, query)
        key = named["partition"].replace("''", "'"), named["row"].replace("''", "'")
        if method == "GET":
            row = table.rows.get(key)
            return _not_there() if row is None else _one(row)
        return self._change(table, key, method, headers.get("If-Match"), body)

    def _insert(self, table: TableStub, body: bytes) -> Answer:
        properties = msgspec.json.decode(body)
        key = properties["PartitionKey"], properties["RowKey"]
        if key in table.rows:
            return _failed(HTTPStatus.CONFLICT, "EntityAlreadyExists")
        return self._written(table, key, properties)

    def _change(self, table: TableStub, key: Key, method: str, version: str | None, body: bytes) -> Answer:
        row = table.rows.get(key)
        if row is None and (version is not None or method == "DELETE"):
            return _not_there()
        if row is not None and version not in {None, "*", row.etag}:
            return _failed(HTTPStatus.PRECONDITION_FAILED, "UpdateConditionNotSatisfied")
        if method == "DELETE":
            table.remove(key)
            return Answer(HTTPStatus.NO_CONTENT)
        properties = msgspec.json.decode(body)
        if method in {"MERGE", "PATCH"} and row is not None:
            properties = {**row.properties, **properties}
        return self._written(table, key, properties)

    def _written(self, table: TableStub, key: Key, properties: dict[str, Any]) -> Answer:
        self._version += 1
        etag = f"W/\"datetime'{self._version}'\""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        table.put(key, Row({**properties, "PartitionKey": key[0], "RowKey": key[1], "Timestamp": stamp}, etag))
        return Answer(HTTPStatus.NO_CONTENT, headers={"ETag": etag})

    def _query(self, table: TableStub, query: str) -> Answer:
        options = parse_qs(query)
        wanted = [found.groups() for found in _COMPARISON.finditer(options.get("$filter", [""])[0])]
        most = int(options.get("$top", [str(_LONGEST_PAGE)])[0])
        rows: list[dict[str, Any]] = []
        begin = options.get("NextPartitionKey", [""])[0], options.get("NextRowKey", [""])[0]
        for key in table.between(max(begin, _first(wanted))):
            if len(rows) == most:
                return _page(
                    rows, {"x-ms-continuation-NextPartitionKey": key[0], "x-ms-continuation-NextRowKey": key[1]}
                )
            if _is_beyond(key, wanted):
                break
            self.rows_read += 1
            row = table.rows[key]
            if all(_holds(str(row.properties.get(name, "")), *rest) for name, *rest in wanted):
                rows.append({**row.properties, "odata.etag": row.etag})
        return _page(rows, {})


def _renamed(name: str, number: int) -> str:
    """Return another name of the same length, so that a SID stays one."""
    return f"{name[:2]}{number:0{len(name) - 2}x}"


def _first(wanted: list[tuple[str | Any, ...]]) -> Key:
    least = {name: value for name, operator, value in wanted if operator in {"eq", "ge", "gt"}}
    partition = least.get("PartitionKey", "")
    is_one = ("PartitionKey", "eq", partition) in wanted
    return partition, least.get("RowKey", "") if is_one else ""


def _is_beyond(key: Key, wanted: list[tuple[str | Any, ...]]) -> bool:
    partition = next((value for name, operator, value in wanted if (name, operator) == ("PartitionKey", "eq")), None)
    if partition is None:
        return any(
            name == "PartitionKey" and operator in {"le", "lt"} and key[0] > value for name, operator, value in wanted
        )
    most = [value for name, operator, value in wanted if name == "RowKey" and operator in {"eq", "le", "lt"}]
    return key[0] > partition or any(key[1] > value for value in most)


def _holds(value: str, operator: str, other: str) -> bool:
    other = other.replace("''", "'")
    match operator:
        case "eq":
            return value == other
        case "ge":
            return value >= other
        case "gt":
            return value > other
        case "le":
            return value <= other
    return value < other


def _one(row: Row) -> Answer:
    content = msgspec.json.encode({**row.properties, "odata.etag": row.etag})
    return Answer(HTTPStatus.OK, content, {**_HEADERS, "ETag": row.etag})


def _page(rows: list[dict[str, Any]], headers: dict[str, str]) -> Answer:
    return Answer(HTTPStatus.OK, msgspec.json.encode({"value": rows}), {**_HEADERS, **headers})


def _not_there() -> Answer:
    return _failed(HTTPStatus.NOT_FOUND, "ResourceNotFound")


def _failed(status: HTTPStatus, code: str) -> Answer:
    error = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": code}}}
    return Answer(status, msgspec.json.encode(error), {**_HEADERS, "x-ms-error-code": code})
