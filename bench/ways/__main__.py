"""`python -m bench.ways NAME KIND PORTS [FILE]`: one way in a process of its own, which does what it reads.

A line of its input is a JSON object, `{"messages": 200, "at_once": 16}`; it answers each with what they cost. `told`
are the words that Twilio tells of each, `number` tells it apart.
"""

import asyncio
import json
import resource
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from bench.stub.server import Stub
from bench.ways.sample import Kind, Sample
from bench.ways.way import Job, Way


def make(name: str, stub: Stub, file: Path) -> Way:
    """Return a way; only its own SDKs are imported, as its memory is measured."""
    storage, twilio = stub.connection_string, stub.twilio_url
    match name:
        case "ours":
            from bench.ways.ours import Ours

            return Ours(storage=storage, twilio=twilio)
        case "bare":
            from bench.ways.bare import Bare

            return Bare(file, storage=storage, twilio=twilio)
        case "guide":
            from bench.ways.guide import Guide

            return Guide(twilio=twilio)
        case "post":
            from bench.ways.post import Post

            return Post(twilio=twilio)
        case "lookup":
            from bench.ways.lookup import Lookup

            return Lookup(str(file), storage=storage, twilio=twilio)
        case "webhooks":
            from bench.ways.team import Webhooks

            return Webhooks()
    raise SystemExit(f"no such way: {name}")


async def run(jobs: list[Job], at_once: int) -> None:
    """Do the work, so much of it at once."""
    waiting = iter(jobs)

    async def work() -> None:
        for job in waiting:
            await job()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())


def _sample(kind: Kind, asked: dict[str, Any]) -> Sample:
    told = asked.get("told")
    return Sample(kind, asked.get("number") or f"b{uuid.uuid4().hex}", None if told is None else tuple(told))


async def main(name: str, kind: Kind, ports: str, file: str = "") -> None:
    """Do what comes until there is no more."""
    way = make(name, Stub(ports=json.loads(ports)), Path(file))
    try:
        print(json.dumps("ready"), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            jobs = await way.prepare([_sample(kind, asked) for _ in range(asked["messages"])])
            wall, cpu = time.perf_counter(), time.process_time()
            await run(jobs, asked["at_once"])
            cost = {
                "cpu": (time.process_time() - cpu) / len(jobs),
                "seconds": time.perf_counter() - wall,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
            print(json.dumps(cost), flush=True)
    finally:
        await way.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))  # type: ignore[arg-type]
