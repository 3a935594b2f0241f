"""The calls that this app makes of storage and of Twilio for one message: recorded, and written for another one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from unittest.mock import patch

from azure.storage.queue.aio import QueueClient
from twilio.rest.api.v2010.account.call import CallList
from twilio.rest.api.v2010.account.message import MessageList

from bench.ways.sample import Sample
from shared.tables import Table

Service = Literal["table", "queue", "twilio"]
_OF_A_TABLE: Final = ("get", "insert", "put", "merge", "replace", "delete")


@dataclass(frozen=True, slots=True)
class Called:
    """One call: each is one request."""

    service: Service
    name: str
    """of the table, of the queue, or of Twilio's resource"""
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def written_for(self, sample: Sample, *, instead_of: Sample) -> "Called":
        """Return the same call about another message."""
        names = {instead_of.number: sample.number, instead_of.sid: sample.sid}
        return replace(self, args=_renamed(self.args, names), kwargs=_renamed(self.kwargs, names))


@contextmanager
def recording() -> Iterator[list[Called]]:
    """Keep what is called until the block is left."""
    calls: list[Called] = []
    with ExitStack() as stack:

        def record(owner: type, service: Service, method: str, name: Callable[[Any], str]) -> None:
            wrapped = _wrapped(calls, getattr(owner, method), service, method, name)
            stack.enter_context(patch.object(owner, method, wrapped))

        for method in _OF_A_TABLE:
            record(Table, "table", method, lambda table: str(table.name))
        record(QueueClient, "queue", "send_message", lambda client: str(client.queue_name))
        record(MessageList, "twilio", "create_async", lambda _: "messages")
        record(CallList, "twilio", "create_async", lambda _: "calls")
        yield calls


def _wrapped(calls: list[Called], original: Any, service: Service, method: str, name: Callable[[Any], str]) -> Any:  # noqa: ANN401 - any method
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        calls.append(Called(service, name(self), method, args, kwargs))
        return await original(self, *args, **kwargs)

    return call


def _renamed(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 - whatever a client takes
    match value:
        case str():
            for old, new in names.items():
                value = value.replace(old, new)
        case bytes():
            for old, new in names.items():
                value = value.replace(old.encode(), new.encode())
        case dict():
            value = {key: _renamed(content, names) for key, content in value.items()}
        case list() | tuple():
            value = type(value)(_renamed(content, names) for content in value)
    return value
