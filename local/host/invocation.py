"""Calling a function: on the event loop or in a thread, within the app's time limit."""

import asyncio
import functools
import logging
import math
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import azure.functions as func

from local.host.indexing import Function, HttpTrigger

logger = logging.getLogger(__name__)


class FunctionFailedError(Exception):
    """A function raised, or ran out of time, or ran when another one did; it has been logged."""


class Context(func.Context):
    """What a function's `context` parameter gets."""

    def __init__(self, *, function: str, directory: Path, storage: threading.local) -> None:
        self._function = function
        self._directory = str(directory)
        self._invocation_id = str(uuid.uuid4())
        self._storage = storage

    @property
    def invocation_id(self) -> str:
        """A new UUID for every call."""
        return self._invocation_id

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._function

    @property
    def function_directory(self) -> str:
        """The app's folder."""
        return self._directory

    @property
    def thread_local_storage(self) -> Any:  # noqa: ANN401 - azure-functions declares a type and means an instance
        """A thread's own storage; nothing reads it here."""
        return self._storage

    @property
    def trace_context(self) -> Any:  # noqa: ANN401 - azure-functions does not export the type
        """Not supported."""
        raise NotImplementedError("the embedded host keeps no traces")

    @property
    def retry_context(self) -> Any:  # noqa: ANN401 - azure-functions does not export the type
        """Not supported."""
        raise NotImplementedError("the embedded host has no retry policies")


class Invoker:
    """Calls functions, and knows which of the sync ones still run.

    On Azure, a function that runs longer than functionTimeout ends its worker process, and every other call in there
    fails with it: WebScriptHostExceptionHandler and TryFailExecutions in
    https://github.com/Azure/azure-functions-host. So `timed_out` is set, every running call fails, and whoever owns
    the process restarts it.
    """

    def __init__(self, *, directory: Path, timeout_seconds: float, threads: int | None) -> None:
        """Take the app's folder, functionTimeout (infinity: none) and the size of the thread pool (None: Python's)."""
        self._directory = directory
        self._timeout = None if math.isinf(timeout_seconds) else timeout_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._in_threads: set[Future[object]] = set()
        self._storage = threading.local()
        self._running: set[asyncio.Timeout] = set()
        self.timed_out = asyncio.Event()

    async def call(self, function: Function, value: object) -> object:
        """Call the function with its trigger's value and return what it returns; raises FunctionFailedError."""
        scope = asyncio.timeout(None)
        try:
            with self._limit(function):
                async with scope:
                    self._running.add(scope)
                    result = await self._call(function, value)
            if scope.expired():
                raise TimeoutError  # noqa: TRY301 - the function went on, which Azure would not have let it
            if result is not None and not isinstance(function.trigger, HttpTrigger):
                raise TypeError(f"expected None from a function without a $return binding, got {type(result).__name__}")  # noqa: TRY301 - it fails as the function does
        except asyncio.CancelledError as exc:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            logger.exception("%s cancelled itself", function.name)
            raise FunctionFailedError(function.name) from exc
        except Exception as exc:
            if scope.expired():
                logger.error("%s was ended by the timeout", function.name)  # noqa: TRY400 - the trace is the host's own
            else:
                logger.exception("%s raised", function.name)
            raise FunctionFailedError(function.name) from exc
        finally:
            self._running.discard(scope)
        return result

    def close(self) -> int:
        """Take no more sync calls; return how many still run, which nothing can stop."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        return len(self._in_threads)

    @contextmanager
    def _limit(self, function: Function) -> Iterator[None]:
        if self._timeout is None:
            yield
            return
        timer = asyncio.get_running_loop().call_later(self._timeout, self._time_out, function)
        try:
            yield
        finally:
            timer.cancel()

    def _time_out(self, function: Function) -> None:
        logger.error(
            "%s did not end within %g s (functionTimeout): it fails, and with it every function that runs",
            function.name,
            self._timeout,
        )
        now = asyncio.get_running_loop().time()
        while self._running:
            self._running.pop().reschedule(now)
        self.timed_out.set()

    async def _call(self, function: Function, value: object) -> object:
        arguments = {function.argument: value}
        if function.wants_context:
            arguments["context"] = Context(function=function.name, directory=self._directory, storage=self._storage)
        if function.is_async:
            return await function.call(**arguments)
        future: Future[object] = self._pool.submit(functools.partial(function.call, **arguments))
        self._in_threads.add(future)
        future.add_done_callback(self._in_threads.discard)
        return await asyncio.wrap_future(future)
