"""Whatever dies or fails, and whenever: each request is sent once and comes to its end, each callback is kept."""

import asyncio
from collections.abc import Mapping

import pytest

from tests.faults import (
    callbacks,
    crashes,
    duplicates,
    erasing,
    freezes,
    guards,
    housekeeping,
    replaying,
    schedules,
    schedules_asked,
    second_ways,
    soaks,
    storage,
    storage_calls,
    twilio,
    upkeep,
)
from tests.faults.ways import SCENARIOS

pytestmark = pytest.mark.faults

ALL = (
    soaks,
    schedules,
    schedules_asked,
    second_ways,
    upkeep,
    erasing,
    replaying,
    twilio,
    guards,
    freezes,
    housekeeping,
    storage,
    storage_calls,
    crashes,
    duplicates,
    callbacks,
)
"""they put their scenarios into SCENARIOS; all are started at once, in this order: those that take longest first"""
PLACES = {module.__name__: place for place, module in enumerate(ALL)}


def _place(sentence: str) -> int:
    return PLACES[SCENARIOS[sentence].__module__]


SENTENCES: list[str] = sorted(SCENARIOS, key=_place)


@pytest.mark.parametrize("sentence", SENTENCES)
async def test_sent_once(running: Mapping[str, asyncio.Task[None]], sentence: str) -> None:
    await running[sentence]
