"""`python -m bench.ways.record KIND FILE PORTS`: what this app calls for one message, for `bare` to call again."""

import asyncio
import collections
import json
import pickle
import sys
from pathlib import Path

from bench.stub.server import Stub
from bench.ways.calls import recording
from bench.ways.ours import Ours
from bench.ways.sample import Kind, Sample


async def record(kind: Kind, file: Path, ports: dict[str, int]) -> None:
    """Record the second message: the first makes what is made once."""
    stub = Stub(ports=ports)  # type: ignore[arg-type]
    way = Ours(storage=stub.connection_string, twilio=stub.twilio_url)
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
    file.write_bytes(pickle.dumps((second, calls)))
    print(json.dumps(collections.Counter(f"{call.method} {call.name}" for call in calls)))


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])))  # type: ignore[arg-type]
