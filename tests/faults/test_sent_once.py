"""Whatever dies or fails, and whenever: each request is sent once and comes to its end, each callback is kept."""

import asyncio
from collections.abc import Mapping

import pytest

from tests.faults import callbacks, crashes, duplicates, freezes, housekeeping, soaks, storage, twilio
from tests.faults.ways import SCENARIOS

pytestmark = pytest.mark.faults

ALL = (twilio, freezes, housekeeping, soaks, storage, crashes, duplicates, callbacks)
"""they put their scenarios into SCENARIOS"""


@pytest.mark.parametrize("sentence", SCENARIOS)
async def test_sent_once(running: Mapping[str, asyncio.Task[None]], sentence: str) -> None:
    await running[sentence]
