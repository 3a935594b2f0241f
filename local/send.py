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


class RequestError(LocalError):
    """What should be sent is no request: the message says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `send` was asked for: a JSON file (`-` for standard input), or the fields of a request."""

    json_file: str | None
    fields: Mapping[str, str]
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
    if wishes.json_file is None:
        request = _from_fields(wishes.fields)
    else:
        request = {**_from_json(wishes.json_file), **wishes.fields}
    return {"id": enqueue.mint_id(str(request.get("channel", "send"))), **request}


def _from_fields(fields: Mapping[str, str]) -> dict[str, Any]:
    if "to" not in fields or ("body" in fields) == ("say" in fields):
        raise RequestError("Expected --to and either --body (a text) or --say (a call), or --json FILE.")
    return {"channel": "sms" if "body" in fields else "call", **fields}


def _from_json(name: str) -> dict[str, Any]:
    where = "standard input" if name == STANDARD_INPUT else name
    try:
        text = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
        request = json.loads(text.decode("utf-8-sig"))
    except OSError as fault:
        raise RequestError(f"{where} cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise RequestError(f"{where} is not UTF-8 text.") from fault
    except json.JSONDecodeError as fault:
        at = f"line {fault.lineno}, column {fault.colno}"
        raise RequestError(f"{where} is no JSON: {at}: {fault.msg}.") from fault
    if not isinstance(request, dict):
        raise RequestError(f"{where} holds no request: expected a JSON object.")
    return request


def _follow(sent: enqueue.Sent, wishes: Wishes) -> int:
    find = partial(find_delivery, sent, url=wishes.url, key=wishes.key)
    last = follow({"": find}, show=lambda line: print(line, flush=True))[""]
    if last is not None and last.id != sent.request_id:
        print(f"It was refused, and is on record as {last.id}")
    return 0 if last is not None and last.succeeded else 1
