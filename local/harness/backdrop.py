"""What scenes share."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from local import azurite
from local.harness.hosts import Hosts, nursery
from local.harness.places import Places
from local.harness.process import ROOT
from local.harness.records import Records


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """The storage and a view of it, the hosts' parent, where logs go, and room for so many scenes at once.

    `app` is the folder of a function_app.py without templates, flows and rules: no scene depends on a user's content.
    """

    app: str
    storage: str
    records: Records
    hosts: Hosts
    logs: Path
    places: Places

    @asynccontextmanager
    async def with_other_storage(self) -> AsyncIterator["Backdrop"]:
        """Have an Azurite of one's own: for what looks at more than at one delivery."""
        async with _own_storage() as storage, Records.open(storage) as records:
            yield replace(self, storage=storage, records=records)


@asynccontextmanager
async def backdrop(logs: Path, *, places: int = 1) -> AsyncIterator[Backdrop]:
    """Start one, with storage in memory."""
    with tempfile.TemporaryDirectory() as app:
        shutil.copy(ROOT / "function_app.py", app)
        async with _own_storage() as storage, Records.open(storage) as records, nursery() as hosts:
            yield Backdrop(app=app, storage=storage, records=records, hosts=hosts, logs=logs, places=Places(places))


@asynccontextmanager
async def _own_storage() -> AsyncIterator[str]:
    child = await asyncio.to_thread(azurite.start)
    try:
        blob, queue, table = await asyncio.to_thread(child.wait_ready)
        yield azurite.connection_string(blob=blob, queue=queue, table=table)
    finally:
        await asyncio.to_thread(child.stop)
