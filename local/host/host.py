"""The host: an app's functions, each behind its trigger."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import azure.functions as func

from local.host.errors import HostError
from local.host.host_json import HostJson
from local.host.http import HttpServer
from local.host.indexing import Function, HttpTrigger, QueueTrigger, TimerTrigger, index
from local.host.invocation import Invoker
from local.host.queue import POISON_SUFFIX, QueueListener
from local.host.routing import Router
from local.host.storage import Storage
from local.host.timer import Earliness, TimerListener, punctual

LEASE_SECONDS = 600
GRACE_SECONDS = 5
_LONGEST_QUEUE_NAME = 63


class Host:
    """A running host."""

    def __init__(self, functions: tuple[Function, ...], *, invoker: Invoker, route_prefix: str) -> None:
        """Use `Host.start`."""
        self.functions = functions
        self.url = ""
        self.port = 0
        self.threads_left = 0
        self.route_prefix = route_prefix
        self._invoker = invoker
        self._listeners: list[QueueListener | TimerListener] = []
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        *,
        app: func.FunctionApp,
        host_json: Mapping[str, object] | None = None,
        settings: Mapping[str, str] | None = None,
        port: int = 0,
        directory: Path | None = None,
        queue_lease_seconds: int = LEASE_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
        timer_earliness: Earliness = punctual,
    ) -> AsyncIterator["Host"]:
        """Run `app` on 127.0.0.1 until the block ends; port 0 takes a free one, which `url` and `port` then tell.

        Nothing but what is passed is looked at: neither files nor the environment. An app can be started once,
        since it tells its functions only once. Raises HostError with a sentence for whatever cannot be run.

        When the block ends, no further work is taken, and what runs has `grace_seconds` to end before it is cancelled;
        `threads_left` then counts the sync functions that still run. `timer_earliness` has timers fire early, as
        Azure's do.
        """
        values = dict(settings or {})
        options = HostJson.parse(host_json or {}, settings=values)
        functions = index(app, settings=values)
        invoker = Invoker(
            directory=directory or Path.cwd(), timeout_seconds=options.function_timeout, threads=_threads(values)
        )
        host = cls(functions, invoker=invoker, route_prefix=options.extensions.http.route_prefix.strip("/"))
        server = HttpServer(
            router=Router(functions, prefix=host.route_prefix), invoker=invoker, grace_seconds=grace_seconds
        )
        async with AsyncExitStack() as clients:
            storage = Storage(values, clients=clients)
            await host._add_listeners(
                storage, options=options, lease_seconds=queue_lease_seconds, earliness=timer_earliness
            )
            await host._make_queues()
            host.port = await server.start(port)
            host.url = f"http://127.0.0.1:{host.port}"
            host._tasks = [asyncio.create_task(listener.run()) for listener in host._listeners]
            try:
                yield host
            finally:
                await host._stop(server, grace_seconds=grace_seconds)

    async def watch(self) -> None:
        """Wait until a function has timed out, or until a listener breaks down, whose error this raises.

        After a timeout, whoever started the host restarts its process, as Azure restarts its worker process: a
        function in a thread, or one that ignores its cancellation, still runs.
        """
        timed_out = asyncio.create_task(self._invoker.timed_out.wait())
        waiting: set[asyncio.Task[Any]] = {*self._tasks, timed_out}
        try:
            while not timed_out.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            timed_out.cancel()

    async def _add_listeners(
        self, storage: Storage, *, options: HostJson, lease_seconds: int, earliness: Earliness
    ) -> None:
        for function in self.functions:
            if function.disabled:
                continue
            match function.trigger:
                case QueueTrigger() as trigger:
                    listener = await self._queue_listener(
                        function, trigger, storage, options=options, lease_seconds=lease_seconds
                    )
                    self._listeners.append(listener)
                case TimerTrigger() as trigger:
                    timer = TimerListener(function, trigger, invoker=self._invoker, earliness=earliness)
                    self._listeners.append(timer)
                case HttpTrigger():
                    pass

    async def _queue_listener(
        self, function: Function, trigger: QueueTrigger, storage: Storage, *, options: HostJson, lease_seconds: int
    ) -> QueueListener:
        buried = trigger.queue + POISON_SUFFIX
        has_poison = not trigger.queue.endswith(POISON_SUFFIX) and len(buried) <= _LONGEST_QUEUE_NAME
        return QueueListener(
            function,
            binary=trigger.binary,
            queue=await storage.queue(trigger.queue, connection=trigger.connection),
            poison=await storage.queue(buried, connection=trigger.connection) if has_poison else None,
            options=options.extensions.queues,
            lease_seconds=lease_seconds,
            invoker=self._invoker,
        )

    async def _make_queues(self) -> None:
        await asyncio.gather(
            *(listener.make_queue() for listener in self._listeners if isinstance(listener, QueueListener))
        )

    async def _stop(self, server: HttpServer, *, grace_seconds: float) -> None:
        for listener in self._listeners:
            listener.stop()
        http = asyncio.create_task(server.stop())
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await http
        self.threads_left = self._invoker.close()


def _threads(settings: Mapping[str, str]) -> int | None:
    text = settings.get("PYTHON_THREADPOOL_THREAD_COUNT")
    if not text:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise HostError(f"the setting PYTHON_THREADPOOL_THREAD_COUNT must be a number from 1 on, not {text!r}")
    return int(text)
