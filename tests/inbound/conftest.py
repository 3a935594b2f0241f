from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.deliveries.conftest import storage
from tests.inbound.post import Post
from tests.web.conftest import app, door, served

__all__ = ["app", "door", "post", "served", "storage"]


@pytest.fixture
async def post(azurite: str, tmp_path: Path) -> AsyncIterator[Post]:
    """An app with the rules of `tests.inbound.post`."""
    async with Post.open(azurite, tmp_path) as made:
        yield made
