import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from local.twilio.account import Account
from local.twilio.network import Network
from local.twilio.webhooks import Webhooks, open_session


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with open_session() as session:
        webhooks = Webhooks(session, auth_token="12345", pace=0)
        account = Account(sid="AC1", auth_token="12345")
        yield Network(account=account, webhooks=webhooks, pace=0, sender="+15005550006")


def marks(lived: list[str], name: str) -> Callable[[], Coroutine[Any, Any, None]]:
    async def life() -> None:
        lived.append(name)

    return life


async def test_what_is_called_off_does_not_begin_and_the_rest_does_when_it_is_due(network: Network) -> None:
    lived: list[str] = []
    due, begun = datetime.now(UTC), asyncio.Event()

    async def last() -> None:
        begun.set()

    network.begin_later("a", due, marks(lived, "a"))
    network.begin_later("b", due, marks(lived, "b"))
    network.call_off("a")
    network.begin_later("last", due, last)
    await begun.wait()
    await network.settled()

    assert lived == ["b"]


async def test_settled_waits_for_lives_that_lives_begin(network: Network) -> None:
    lived: list[str] = []

    async def parent() -> None:
        await asyncio.sleep(0)
        network.begin(marks(lived, "child")())

    network.begin(parent())
    await network.settled()

    assert lived == ["child"]


async def test_reset_ends_lives_and_forgets_what_is_scheduled(network: Network) -> None:
    lived: list[str] = []

    async def endless() -> None:
        await asyncio.Event().wait()

    network.begin(endless())
    network.begin_later("a", datetime.now(UTC), marks(lived, "a"))
    await network.reset()
    await network.settled()

    assert lived == []


async def test_a_life_that_breaks_off_is_logged(network: Network, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> None:
        raise RuntimeError("a bug of the simulator")

    network.begin(broken())
    await network.settled()
    await asyncio.sleep(0)

    assert "broke off" in caplog.text
