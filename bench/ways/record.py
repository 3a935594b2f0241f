"""`python -m bench.ways.record KIND FILE PORTS`: what this app calls for one message, for `bare` to call again."""

import asyncio
import collections
import json
import pickle
import sys
from pathlib import Path

from bench.ways.calls import Called, recording
from bench.ways.ours import Ours
from bench.ways.sample import Kind, Sample
from bench.ways.way import Place


async def record(kind: Kind, ports: str) -> tuple[Sample, list[Called]]:
    """Return the second message, and what was called for it: the first makes what is made once."""
    way = Ours(Place.of(ports))
    try:
        first, second = (Sample(kind, f"recorded-{kind}-{place}") for place in (1, 2))
        jobs = await way.prepare([first, second])
        await jobs[0]()
        with recording() as calls:
            await jobs[1]()
        if not await way.ended(second):
            raise SystemExit("expected the recorded message to end, it did not")
    finally:
        await way.close()
    return second, calls


def main(kind: Kind, file: str, ports: str) -> None:
    """Record, write, and say how often what is called."""
    sample, calls = asyncio.run(record(kind, ports))
    Path(file).write_bytes(pickle.dumps((sample, calls)))
    print(json.dumps(collections.Counter(f"{call.method} {call.name}" for call in calls)))


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
