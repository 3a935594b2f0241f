"""Real storage for the tests of the log."""

from collections.abc import AsyncIterator

import pytest

from shared.tables import Table
from tests.storage import Storage, open_storage, open_table


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[Table]:
    async with open_table(azurite) as made:
        yield made


@pytest.fixture
async def storage(azurite: str) -> AsyncIterator[Storage]:
    async with open_storage(azurite) as made:
        yield made
