"""Calling a function: on the event loop or in a thread, within the app's time limit."""

import asyncio
import functools
import logging
import math
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import azure.functions as func

from local.host.indexing import Function, HttpTrigger

logger = logging.getLogger(__name__)


class FunctionFailedError(Exception):
    """A function raised, or ran out of time; it has been logged."""


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
    """Calls functions, and knows which of the sync ones still run."""

    def __init__(self, *, directory: Path, timeout_seconds: float, threads: int | None) -> None:
        """Take the app's folder, functionTimeout (infinity: none) and the size of the thread pool (None: Python's)."""
        self._directory = directory
        self._timeout = None if math.isinf(timeout_seconds) else timeout_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._in_threads: set[Future[object]] = set()
        self._storage = threading.local()

    async def call(self, function: Function, value: object) -> object:
        """Call the function with its trigger's value and return what it returns; raises FunctionFailedError."""
        scope = asyncio.timeout(self._timeout)
        try:
            async with scope:
                result = await self._call(function, value)
            if result is not None and not isinstance(function.trigger, HttpTrigger):
                raise TypeError(f"expected None from a function without a $return binding, got {type(result).__name__}")  # noqa: TRY301 - it fails as the function does
        except asyncio.CancelledError as exc:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            logger.exception("%s cancelled itself", function.name)
            raise FunctionFailedError(function.name) from exc
        except Exception as exc:
            if scope.expired():
                logger.error("%s did not end within %g s (functionTimeout)", function.name, self._timeout)  # noqa: TRY400 - the trace is the host's own
            else:
                logger.exception("%s raised", function.name)
            raise FunctionFailedError(function.name) from exc
        return result

    def close(self) -> int:
        """Take no more sync calls; return how many still run, which nothing can stop."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        return len(self._in_threads)

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
