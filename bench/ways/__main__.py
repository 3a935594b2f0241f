"""`python -m bench.ways NAME KIND PORTS [TOLD]`: one way in a process of its own, which does what it reads.

A line of its input is a JSON object, `{"messages": 200, "at_once": 16}`; it answers each with what they cost. `told`
are the words that Twilio tells of each, `number` tells it apart. With `steady`, the cost is that of the middle, where
so many are under way all the time: from when twice so many are done until the last one begins.
"""

import asyncio
import importlib
import json
import resource
import sys
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final, Self

from bench.ways.sample import Kind, Sample
from bench.ways.way import Job, Place, Way

WAYS: Final = {
    "ours": "ours:Ours",
    "lookup": "lookup:Lookup",
    "bare": "bare:Bare",
    "spared": "bare:Spared",
    "guide": "guide:Guide",
    "post": "post:Post",
    "webhook": "webhook:Webhook",
    "webhooks": "team:Webhooks",
}


def make(name: str, place: Place) -> Way:
    """Return a way; only its own SDKs are imported, as its memory is measured."""
    module, _, kind = WAYS[name].partition(":")
    way: Way = getattr(importlib.import_module(f"bench.ways.{module}"), kind)(place)
    return way


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds that went by, and seconds of CPU that this process took."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Self:
        """Look at both clocks."""
        return cls(time.perf_counter(), time.process_time())


async def run(jobs: list[Job], at_once: int) -> list[Moment]:
    """Do the work, so much of it at once; the moment of the beginning, and that after each job."""
    waiting = iter(jobs)
    moments = [Moment.now()]

    async def work() -> None:
        for job in waiting:
            await job()
            moments.append(Moment.now())

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
    return moments


def cost(moments: list[Moment], *, first: int, last: int) -> dict[str, float]:
    """Return what the jobs cost that were done after the moment `first`, up to the moment `last`."""
    begin, end = moments[first], moments[last]
    return {
        "messages": last - first,
        "cpu": (end.cpu - begin.cpu) / (last - first),
        "seconds": end.wall - begin.wall,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _sample(kind: Kind, asked: dict[str, Any]) -> Sample:
    told = asked.get("told")
    return Sample(kind, asked.get("number") or f"b{uuid.uuid4().hex}", None if told is None else tuple(told))


async def main(name: str, kind: Kind, ports: str, told: str = "") -> None:
    """Do what comes until there is no more."""
    way = make(name, Place.of(ports, told))
    try:
        print(json.dumps("ready"), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            jobs = await way.prepare([_sample(kind, asked) for _ in range(asked["messages"])])
            moments = await run(jobs, asked["at_once"])
            edge = asked["at_once"] if asked.get("steady") else 0
            print(json.dumps(cost(moments, first=2 * edge, last=len(jobs) - edge)), flush=True)
    finally:
        await way.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))  # type: ignore[arg-type]
