"""Rows as the table service writes them in JSON, and back; keys as URLs have them. Pure.

https://learn.microsoft.com/rest/api/storageservices/payload-format-for-table-service-operations
"""

import base64
import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from shared.table_service import limits

Entity = Mapping[str, Any]

_TYPE: Final = "@odata.type"
_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)
_UNQUOTED: Final = "!$&'()*,:;=@"
"""in a path: as the SDK's URLs are, after aiohttp has made them canonical"""


class Row(dict[str, Any]):
    """A row's properties, and as `metadata` its `etag` and the `timestamp` of its last change."""

    __slots__ = ("metadata",)

    def __init__(self, properties: Entity, *, etag: str | None, timestamp: datetime | None = None) -> None:
        super().__init__(properties)
        self.metadata: Mapping[str, Any] = {"etag": etag, "timestamp": timestamp}


def encode(entity: Entity) -> bytes:
    """Return a row as JSON; what is None is left out.

    Raises:
        TypeError: a value is of a kind that a row can't hold; a number too large is one, too.
        ValueError: the row exceeds a limit of Azure's, see `limits.check`.
    """
    limits.check(entity)
    properties: dict[str, Any] = {}
    for name, value in entity.items():
        if value is None:
            continue
        kind, content = (None, value) if type(value) in {str, bool} else _typed(name, value)
        properties[name] = content
        if kind is not None:
            properties[name + _TYPE] = kind
    return _in_ascii(properties)


def decode(properties: Mapping[str, Any]) -> Row:
    """Return the row that a JSON object of the service holds."""
    found: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    etag: str | None = None
    for name, value in properties.items():
        if name.endswith(_TYPE):
            kinds[name.removesuffix(_TYPE)] = value
        elif name == "odata.etag":
            etag = value
        elif not name.startswith("odata."):
            found[name] = value
    for name, kind in kinds.items():
        if name in found and kind in _READ:
            found[name] = _READ[kind](found[name])
    timestamp = found.pop("Timestamp", None)
    if isinstance(timestamp, str):  # it may come without its type
        timestamp = _moment(timestamp)
    return Row(found, etag=etag, timestamp=timestamp)


def address(partition: str, row: str) -> str:
    """Return what names a row in a URL, behind its table."""
    return f"(PartitionKey='{_in_path(partition)}',RowKey='{_in_path(row)}')"


def plain(entity: Any) -> Row:  # noqa: ANN401 - the SDK's entity, which is not imported here
    """Return the row that an entity of the SDK is, without the SDK's own kinds of moments and of large numbers."""
    found = {name: _plain(value) for name, value in entity.items()}
    stamp = entity.metadata.get("timestamp")
    return Row(found, etag=entity.metadata.get("etag"), timestamp=stamp and _plain(stamp))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a row holds
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.time(), value.tzinfo).astimezone(UTC)
    # https://learn.microsoft.com/python/api/azure-data-tables/azure.data.tables.entityproperty
    return value[0] if isinstance(value, tuple) else value


def _in_ascii(properties: dict[str, Any]) -> bytes:
    """Azurite breaks other characters where a long body comes in pieces; most rows hold none."""
    with suppress(UnicodeEncodeError):  # half a character: JSON has a way to write it, UTF-8 has none
        body = msgspec.json.encode(properties)
        if body.isascii():
            return body
    return json.dumps(properties).encode()


def _typed(name: str, value: object) -> tuple[str | None, object]:
    match value:
        case int() if value in _INT32:
            return None, value
        case int() if value in _INT64:
            return "Edm.Int64", str(value)
        case float():
            return "Edm.Double", value if math.isfinite(value) else _NOT_FINITE[str(value)]
        case datetime():
            return "Edm.DateTime", _text(value)
        case bytes():
            return "Edm.Binary", base64.b64encode(value).decode()
    raise TypeError(f"{name}: expected a value that a row can hold, got one of type {type(value).__name__}")


_NOT_FINITE: Final = MappingProxyType({"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"})


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_READ: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "Edm.Int64": int,
        "Edm.Double": float,
        "Edm.DateTime": _moment,
        "Edm.Binary": base64.b64decode,
        "Edm.Guid": UUID,
    }
)


def _in_path(key: str) -> str:
    return quote(key.replace("'", "''"), safe=_UNQUOTED)
