"""One host, run as it is told: `python -m local.harness.process` reads its order from standard input."""

import asyncio
import importlib
import json
import logging
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from local.host.host import Host
from local.host.loading import load
from local.host.settings import read_local_settings
from shared import wiring

ROOT = Path(__file__).resolve().parents[2]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a host is to be: the app's settings, where it listens, and how long a message it died with stays hidden.

    `ahead_seconds` sets the app's clock ahead: what it does after an hour can be seen at once. `breaks` is a
    `module:function` that breaks a guard of the app before the app loads, to show that the harness notices.
    `app` is the folder of function_app.py.
    """

    settings: dict[str, str]
    port: int
    queue_lease_seconds: int = 4
    ahead_seconds: int = 0
    breaks: str = ""
    app: str = str(ROOT)


def run(order: Order) -> None:
    """Run the app until the process is killed."""
    logging.basicConfig(stream=sys.stderr, format="[%(asctime)s] %(levelname)s %(name)s: %(message)s")
    logging.getLogger("shared").setLevel(logging.INFO)
    os.environ.clear()
    os.environ.update(environment(order.settings))
    os.chdir(ROOT)
    if order.ahead_seconds:
        wiring.clock = lambda: datetime.now(UTC) + timedelta(seconds=order.ahead_seconds)
    if order.breaks:
        module, _, function = order.breaks.partition(":")
        getattr(importlib.import_module(module), function)()
    asyncio.run(_serve(order))


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process with these settings and no others; Windows needs to know where it is."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    # a developer's own local.settings.json must add nothing
    blank = dict.fromkeys(read_local_settings(ROOT), "")
    return {**kept, **blank, **settings}


def quick_host_json() -> dict[str, Any]:
    """The app's host.json, with seconds where it waits half a minute, so that no scenario waits for it.

    A lease of seconds is lost where the machine is busy with others, and counts as a dequeue: there may be more.
    """
    document: dict[str, Any] = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    queues = document["extensions"]["queues"]
    queues |= {"maxPollingInterval": "00:00:01", "visibilityTimeout": "00:00:01", "maxDequeueCount": 20}
    return document


async def _serve(order: Order) -> None:
    async with Host.start(
        app=load(Path(order.app)),
        host_json=quick_host_json(),
        settings=dict(os.environ),
        port=order.port,
        directory=ROOT,
        queue_lease_seconds=order.queue_lease_seconds,
    ) as host:
        print(f"Functions host on {host.url}", flush=True)
        await host.watch()


if __name__ == "__main__":
    run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Order))
