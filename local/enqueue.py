"""Puts a send request into the queue, as any other system would."""

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from local.environment import STORAGE
from local.errors import LocalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was enqueued: the request's own id, and the one that the queue gave its message."""

    request_id: str
    message_id: str
    request: Mapping[str, object]


class EnqueueError(LocalError):
    """The queue could not be reached, or did not take the message."""


def open_queue(name: str, *, values: Mapping[str, str], connection_string: str | None = None) -> QueueClient:
    """The queue of this name, at `connection_string`, else where the environment says, else `values`.

    Messages are encoded in base64, as Azure's queue trigger expects them by default. Raises EnqueueError.
    """
    # No second try: a person waits at the console.
    options: dict[str, Any] = {"message_encode_policy": TextBase64EncodePolicy(), "retry_total": 0}
    setting = {**values, **os.environ}
    connection_string = connection_string or setting.get(STORAGE)
    try:
        if connection_string:
            return QueueClient.from_connection_string(connection_string, name, **options)
        return _open_by_identity(name, setting, options)
    except ValueError as fault:
        raise EnqueueError(f"{STORAGE} is no connection string: {fault}") from fault


def create(queue: QueueClient) -> None:
    """Make the queue unless it exists; raises EnqueueError."""
    try:
        queue.create_queue()
    except ResourceExistsError:
        return
    except AzureError as fault:
        raise EnqueueError(_sentence(queue, fault)) from fault


def put(queue: QueueClient, request: Mapping[str, object]) -> Sent:
    """Enqueue one request as JSON; raises EnqueueError."""
    try:
        message = queue.send_message(json.dumps(request, ensure_ascii=False), time_to_live=-1)
    except AzureError as fault:
        raise EnqueueError(_sentence(queue, fault)) from fault
    return Sent(request_id=str(request["id"]), message_id=str(message.id), request=dict(request))


def mint_id(kind: str) -> str:
    """A new request id that tells when it was made, such as `text-20260131T093000Z-5f2c`."""
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"


def _open_by_identity(name: str, setting: Mapping[str, str], options: dict[str, Any]) -> QueueClient:
    account = setting.get(f"{STORAGE}__accountName")
    url = setting.get(f"{STORAGE}__queueServiceUri") or (account and f"https://{account}.queue.core.windows.net")
    if not url:
        raise EnqueueError(
            f"{STORAGE} is set neither in the environment nor in local.settings.json (`dev.py run` makes it)"
        )
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - slow to import, and seldom needed

    return QueueClient(url, name, credential=DefaultAzureCredential(), **options)


def _sentence(queue: QueueClient, fault: AzureError) -> str:
    where = f"{queue.scheme}://{queue.primary_hostname.partition('/')[0]}"
    if isinstance(fault, ResourceNotFoundError):
        return f"There is no queue {queue.queue_name!r} at {where} yet: start the functions first (`dev.py run`)."
    if isinstance(fault, HttpResponseError):
        reason = getattr(fault, "error_code", None) or fault.reason
        return f"The queue {queue.queue_name!r} at {where} refused it: {reason}."
    return f"The storage at {where} does not answer: is `dev.py run` running?"
