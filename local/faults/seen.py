"""Requests, named by what they do: the same words in every run, whatever ports, keys and ids it has.

https://learn.microsoft.com/rest/api/storageservices/table-service-rest-api
https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

Service = Literal["table", "queue", "twilio"]
ENTITY = re.compile(r"(?P<table>\w+)(?P<key>\(.*\))?", re.DOTALL)
TABLE_NAME = re.compile(rb'"TableName"\s*:\s*"(\w+)"')
BATCHED = re.compile(rb"^(?:POST|PUT|PATCH|MERGE|DELETE|GET) \S*?/(\w+)(?:\([^/]*)? HTTP/1\.1", re.MULTILINE)
SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
ON_MESSAGES: Mapping[str, str] = MappingProxyType({"POST": "put", "GET": "get", "DELETE": "clear"})
ON_MESSAGE: Mapping[str, str] = MappingProxyType({"PUT": "update", "DELETE": "delete"})
ON_QUEUE: Mapping[str, str] = MappingProxyType({"PUT": "create", "DELETE": "drop", "GET": "look at", "HEAD": "look at"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request: which service it goes to, what it does there, and all of it; `target` is the path and query."""

    service: Service
    operation: str
    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def see(service: Service, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Seen:
    """Name a request; what has no name is shown by its method and path."""
    parts = urlsplit(target)
    words = _NAMES[service](method, unquote(parts.path).strip("/"), parts.query, headers, body)
    return Seen(
        service=service,
        operation=f"{service} {words or f'{method} {parts.path}'}",
        method=method,
        target=target,
        headers=headers,
        body=body,
    )


def _table(method: str, path: str, _query: str, headers: Mapping[str, str], body: bytes) -> str | None:
    # The first part is the account, as in every URL of Azurite; a key may hold further slashes.
    resource = path.partition("/")[2]
    if resource == "$batch":
        batched = BATCHED.search(body)
        return f"batch {batched[1].decode()}" if batched else None
    entity = ENTITY.fullmatch(resource)
    if entity is None:
        return None
    table, key = entity["table"], entity["key"] or "()"
    if table == "Tables":
        return _on_tables(method, key, body)
    if key == "()":
        verb = {"POST": "insert", "GET": "query"}.get(method)
    else:
        changed = "If-Match" in headers
        changing = {"PUT": "replace" if changed else "upsert", "PATCH": "merge" if changed else "upsert"}
        changing["MERGE"] = changing["PATCH"]
        verb = (changing | {"GET": "get", "DELETE": "delete"}).get(method)
    return f"{verb} {table}" if verb else None


def _on_tables(method: str, key: str, body: bytes) -> str | None:
    if method == "POST":
        name = TABLE_NAME.search(body)
        return f"create {name[1].decode()}" if name else None
    if method == "DELETE":
        return "drop " + key.strip("()'")
    return "list" if method == "GET" else None


def _queue(method: str, path: str, query: str, _headers: Mapping[str, str], _body: bytes) -> str | None:
    match path.split("/"):
        case [_, queue, "messages"]:
            peeks = method == "GET" and parse_qs(query).get("peekonly") == ["true"]
            verb = "peek" if peeks else ON_MESSAGES.get(method)
        case [_, queue, "messages", _]:
            verb = ON_MESSAGE.get(method)
        case [_, queue] if queue:
            verb = ON_QUEUE.get(method)
        case _:
            return "list" if method == "GET" else None
    return f"{verb} {queue}" if verb else None


def _twilio(method: str, path: str, _query: str, _headers: Mapping[str, str], _body: bytes) -> str | None:
    match path.removesuffix(".json").split("/"):
        case [_, "Accounts", _]:
            return f"{method} Account"
        case [_, "Accounts", _, *resource]:
            return f"{method} {'/'.join(SID.sub('SID', part) for part in resource)}"
    return None


_NAMES = MappingProxyType({"table": _table, "queue": _queue, "twilio": _twilio})
