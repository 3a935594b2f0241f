"""Hosts as processes that can be killed with -9, frozen and woken, by the process that a scenario runs in."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

import msgspec

from local.harness.process import ROOT, Order
from local.harness.zygote import Command, Fork, Kill, Signal

CAN_FREEZE = hasattr(os, "fork")


class RunningHost(Protocol):
    """One host process."""

    async def kill(self) -> bool:
        """End it at once, as a power cut does; when this returns it is gone. False where it had ended by itself."""

    async def freeze(self) -> None:
        """Stop it where it stands (not on Windows)."""

    async def thaw(self) -> None:
        """Let it go on."""


class Hosts(Protocol):
    """Starts hosts."""

    async def start(self, order: Order, *, log: Path) -> RunningHost:
        """Start a host, which does not wait until it listens; its output is added to `log`."""


@asynccontextmanager
async def nursery() -> AsyncIterator[Hosts]:
    """Start hosts until the block ends, by a fork each where there is such a thing; none outlives the block."""
    if hasattr(os, "fork"):
        async with _python("local.harness.zygote", stdout=PIPE, stderr=None) as process:
            yield _Forked(process)
    else:
        started = _Spawned()
        try:
            yield started
        finally:
            for host in started.hosts:
                await host.kill()


class _Forked:
    """Hosts that a zygote forks."""

    def __init__(self, zygote: Process) -> None:
        self._zygote = zygote
        self._turn = asyncio.Lock()

    async def start(self, order: Order, *, log: Path) -> RunningHost:
        return _Fork(self, await self.ask(Fork(order, str(log))))

    async def ask(self, command: Command) -> int:
        reader, writer = self._zygote.stdout, self._zygote.stdin
        if reader is None or writer is None:
            raise TypeError("expected the zygote to have pipes")
        async with self._turn:
            writer.write(msgspec.json.encode(command) + b"\n")
            await writer.drain()
            return int(await reader.readline())


class _Fork:
    def __init__(self, forked: _Forked, pid: int) -> None:
        self._forked = forked
        self._pid = pid

    async def kill(self) -> bool:
        return await self._forked.ask(Kill(self._pid)) == 1

    async def freeze(self) -> None:
        await self._forked.ask(Signal(self._pid, "SIGSTOP"))

    async def thaw(self) -> None:
        await self._forked.ask(Signal(self._pid, "SIGCONT"))


class _Spawned:
    """Hosts that are started one by one, where there is no fork."""

    def __init__(self) -> None:
        self.hosts: list[_Child] = []

    async def start(self, order: Order, *, log: Path) -> RunningHost:
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "local.harness.process"), stdin=PIPE, stdout=output, stderr=output, cwd=ROOT
            )
        if process.stdin is not None:
            process.stdin.write(msgspec.json.encode(order) + b"\n")
        self.hosts.append(_Child(process))
        return self.hosts[-1]


class _Child:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def kill(self) -> bool:
        lived = self._process.returncode is None
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        return lived

    async def freeze(self) -> None:
        raise NotImplementedError("this system cannot stop a process where it stands")

    async def thaw(self) -> None:
        raise NotImplementedError("this system cannot stop a process where it stands")


@asynccontextmanager
async def _python(module: str, *, stdout: int, stderr: int | None) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), stdin=PIPE, stdout=stdout, stderr=stderr, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()
