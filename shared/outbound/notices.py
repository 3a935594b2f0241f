"""Notices about the account in `Lookups`: health reads them, and nothing else depends on them."""

import logging
from collections.abc import Awaitable
from typing import Final

from azure.core.exceptions import AzureError

_logger: Final = logging.getLogger(__name__)


async def change(write: Awaitable[None], *, notice: str) -> bool:
    """Write or delete a notice; return False where storage fails, as the work itself must not fail for that."""
    try:
        await write
    except AzureError as exc:
        _logger.warning("the notice about %s could not be changed: %s", notice, type(exc).__name__)
        return False
    return True
