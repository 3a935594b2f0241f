"""Lists of rows, and tables made: through the SDK, whose filters and pages they are.

It is imported when one is asked for: most webhooks ask for none, nor does a message on its way.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential

from shared.connections import Bounds, sdk_transport, without_urls
from shared.table_service.rows import Row, plain

if TYPE_CHECKING:
    from azure.data.tables.aio import TableClient

MOST: Final = 1000
"""rows of a page, the most that storage gives at once"""


class Lists:
    """The tables of one account, as the SDK has them."""

    def __init__(self, make: Callable[[str], "TableClient"]) -> None:
        self._client = cache(make)

    @classmethod
    def from_connection_string(cls, text: str, *, session: aiohttp.ClientSession, bounds: Bounds) -> Self:
        """Return those that a connection string leads to."""

        def make(name: str) -> "TableClient":
            from azure.data.tables.aio import TableClient  # noqa: PLC0415 - costs 0.1 s

            return TableClient.from_connection_string(text, name, **_options(session, bounds))

        return cls(make)

    @classmethod
    def with_identity(
        cls, url: str, credential: AsyncTokenCredential, *, session: aiohttp.ClientSession, bounds: Bounds
    ) -> Self:
        """Return those at a URL, which the app's own identity opens."""

        def make(name: str) -> "TableClient":
            from azure.data.tables.aio import TableClient  # noqa: PLC0415 - costs 0.1 s

            return TableClient(url, name, credential=credential, **_options(session, bounds))

        return cls(make)

    async def create(self, name: str) -> None:
        """Make a table; ResourceExistsError where it is there."""
        with without_urls():
            await self._client(name).create_table()

    async def query(
        self, name: str, text: str, parameters: Mapping[str, object], *, page: int, select: str | None
    ) -> AsyncIterator[Row]:
        """Yield the rows that a filter finds, in the order of their keys; `page` says how many come at once.

        https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination
        """
        found = self._client(name).query_entities(
            text, parameters=dict(parameters), results_per_page=page, select=select
        )
        with without_urls():
            async for entity in found:
                yield plain(entity)


def _options(session: aiohttp.ClientSession, bounds: Bounds) -> dict[str, Any]:
    return {
        "transport": sdk_transport(session, bounds),
        "retry_total": bounds.repetitions,
        "retry_backoff_factor": bounds.backoff,
    }
