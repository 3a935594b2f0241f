"""Enqueues one send request from the command line, and shows what becomes of it."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from local import azurite, enqueue, environment, settings_file
from local.errors import LocalError
from local.follow import find_delivery, follow

STANDARD_INPUT = "-"
FROM_FILE = "@"


class RequestError(LocalError):
    """What should be sent is no request: the message says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `send` was asked for: a JSON file (`-` for standard input), or the fields of a request.

    `data` are the values of a flow or a template: JSON, or `@` and the name of a file.
    """

    json_file: str | None
    fields: Mapping[str, str]
    data: str | None
    storage_port: int | None
    follow: bool
    url: str
    key: str | None


def send(wishes: Wishes) -> int:
    """Enqueue the request, print its id, follow it if asked; returns the exit code. Raises LocalError."""
    request = _request(wishes)
    values = settings_file.read() if settings_file.SETTINGS.exists() else {}
    storage = None if wishes.storage_port is None else azurite.connection_string_at(wishes.storage_port)
    with enqueue.open_queue(environment.outbound_queue(values), values=values, connection_string=storage) as queue:
        sent = enqueue.put(queue, request)
    print(sent.request_id, flush=True)
    return _follow(sent, wishes) if wishes.follow else 0


def _request(wishes: Wishes) -> dict[str, Any]:
    data = {} if wishes.data is None else {"data": _data(wishes.data)}
    if wishes.json_file is None:
        request = {**_from_fields(wishes.fields), **data}
    else:
        request = {**_from_file(wishes.json_file, what="request"), **wishes.fields, **data}
    return {"id": enqueue.mint_id(str(request.get("channel", "send"))), **request}


def _from_fields(fields: Mapping[str, str]) -> dict[str, Any]:
    if "to" not in fields or sum(name in fields for name in ("body", "say", "flow")) != 1:
        raise RequestError("Expected --to and one of --body (a text), --say and --flow (a call), or --json FILE.")
    return {"channel": "sms" if "body" in fields else "call", **fields}


def _data(given: str) -> dict[str, Any]:
    if given.startswith(FROM_FILE):
        return _from_file(given.removeprefix(FROM_FILE), what="values")
    return _object(given, where="--data", what="values")


def _from_file(name: str, *, what: str) -> dict[str, Any]:
    where = "standard input" if name == STANDARD_INPUT else name
    try:
        content = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
        return _object(content.decode("utf-8-sig"), where=where, what=what)
    except OSError as fault:
        raise RequestError(f"{where} cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise RequestError(f"{where} is not UTF-8 text.") from fault


def _object(text: str, *, where: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as fault:
        at = f"line {fault.lineno}, column {fault.colno}"
        raise RequestError(f"{where} is no JSON: {at}: {fault.msg}.") from fault
    if not isinstance(value, dict):
        raise RequestError(f"{where} holds no {what}: expected a JSON object.")
    return value


def _follow(sent: enqueue.Sent, wishes: Wishes) -> int:
    find = partial(find_delivery, sent, url=wishes.url, key=wishes.key)
    last = follow({"": find}, show=lambda line: print(line, flush=True))[""]
    if last is not None and last.id != sent.request_id:
        print(f"It was refused, and is on record as {last.id}")
    return 0 if last is not None and last.succeeded else 1
