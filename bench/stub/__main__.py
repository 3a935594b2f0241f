"""The stub in a process of its own: prints its three ports, and ends with its standard input."""

import asyncio
import json
import sys

from bench.stub.server import Stub


async def main() -> None:
    """Serve until the input ends."""
    async with Stub.start() as stub:
        print(json.dumps(stub.ports), flush=True)
        await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
