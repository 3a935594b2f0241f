from collections.abc import AsyncIterator

import pytest

from tests.outbound.bench import Bench, open_bench


@pytest.fixture
async def bench(azurite: str) -> AsyncIterator[Bench]:
    async with open_bench(azurite) as made:
        yield made
