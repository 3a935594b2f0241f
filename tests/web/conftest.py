from collections.abc import AsyncIterator
from typing import cast

import pytest

from tests.web.app import App, Door, Served, settings_of


@pytest.fixture(scope="session")
async def app(azurite: str) -> AsyncIterator[App]:
    """The app, its functions called directly."""
    async with App.load(settings_of(azurite)) as app:
        yield app


@pytest.fixture(scope="session")
async def served(azurite: str) -> AsyncIterator[Served]:
    """The app over real HTTP, on a queue that nobody else uses."""
    async with Served.start(settings_of(azurite)) as served:
        yield served


@pytest.fixture(params=["app", "served"], ids=["called directly", "over HTTP"])
def door(request: pytest.FixtureRequest) -> Door:
    """Both ways to the functions, one after the other."""
    return cast("Door", request.getfixturevalue(request.param))
