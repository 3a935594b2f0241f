from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.stage import Stage, stage


@pytest.fixture(scope="session")
async def everything(azurite: str) -> AsyncIterator[Stage]:
    """A running set that the tests share, each with deliveries of its own."""
    async with stage(azurite) as everything:
        yield everything
