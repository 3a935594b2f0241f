"""The same table twice: as this app sees it, and as Azure's SDK does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from azure.data.tables.aio import TableClient

from shared.table_service import client
from shared.table_service.service import TableService
from tests.storage import a_name


@dataclass(frozen=True, slots=True)
class Both:
    ours: client.TableClient
    sdk: TableClient


@pytest.fixture(scope="session")
async def both(azurite: str) -> AsyncIterator[Both]:
    """A table that is there; each test has rows of its own in it."""
    name = a_name()
    async with TableService.open(azurite) as service, TableClient.from_connection_string(azurite, name) as sdk:
        ours = service.table(name)
        await ours.create()
        yield Both(ours, sdk)
