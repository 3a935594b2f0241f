import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from local.harness import backdrop as backdrops
from local.harness.backdrop import Backdrop
from tests.faults.ways import SCENARIOS, WAYS, recorded

AT_ONCE = 40


@pytest.fixture(scope="session")
async def backdrop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Backdrop]:
    """The storage and the hosts' parent that all scenes share."""
    async with backdrops.backdrop(tmp_path_factory.mktemp("hosts"), places=AT_ONCE) as backdrop:
        yield backdrop
        # in none of all these runs was the message of a good request ever taken for a bad one
        assert await backdrop.records.rejected() == []


@pytest.fixture(scope="session")
async def running(
    backdrop: Backdrop, request: pytest.FixtureRequest
) -> AsyncIterator[Mapping[str, asyncio.Task[None]]]:
    """Every scenario that is asked for, all at once: most of the time each of them waits."""
    # with nothing else going on, so that each way is the shortest there is
    await asyncio.gather(*(recorded(backdrop, way) for way in WAYS), return_exceptions=True)
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    asked = [item.callspec.params.get("sentence") for item in items if hasattr(item, "callspec")]
    tasks = {
        sentence: asyncio.ensure_future(SCENARIOS[sentence](backdrop)) for sentence in asked if sentence in SCENARIOS
    }
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
