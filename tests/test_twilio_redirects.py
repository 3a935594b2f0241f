"""A redirection comes from a proxy: whatever was asked for, nobody follows it, with credentials or without."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from local.twilio import Simulator
from local.twilio.lists import Lists
from shared.errors import SwitchboardError
from shared.outbound.claim import ticks
from shared.twilio_api import TwilioApi
from tests.fakes import ACCOUNT_SID, AUTH_TOKEN, FROM_NUMBER, a_sid, make_settings

TO = "+14155550100"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PROXIES = ("proxy-before", "proxy-after")
ASKS: dict[str, Callable[[TwilioApi], Awaitable[object]]] = {
    "create a message": lambda api: api.create_message(
        {"to": TO, "from_": FROM_NUMBER, "body": "x"}, not_after=ticks() + 100
    ),
    "create a call": lambda api: api.create_call(
        {"to": TO, "from_": FROM_NUMBER, "twiml": "<Response/>"}, not_after=ticks() + 100
    ),
    "list messages": lambda api: api.messages_to(TO, since=LONG_AGO),
    "list calls": lambda api: api.calls_to(TO, since=LONG_AGO),
    "fetch a message": lambda api: api.message(a_sid()),
    "fetch a call": lambda api: api.call(a_sid("CA")),
    "check the account": lambda api: api.check_account(),
    "erase a message": lambda api: api.erase_message(a_sid()),
    "erase recordings": lambda api: api.erase_recordings(a_sid("CA")),
}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=0) as simulator:
        yield simulator


@pytest.fixture
async def api(simulator: Simulator) -> AsyncIterator[TwilioApi]:
    api = TwilioApi(make_settings(TWILIO_API_BASE_URL=simulator.url))
    yield api
    await api.close()


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to_this_host", [True, False])
async def test_no_redirection_is_followed(
    api: TwilioApi, simulator: Simulator, *, ask: str, status: int, to_this_host: bool
) -> None:
    async with Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=0) as other:
        location = None if to_this_host else f"{other.url}/elsewhere"
        for proxy in PROXIES:
            simulator.faults.add(proxy, on="any", times=1, status=status, location=location)  # type: ignore[arg-type]
            with suppress(SwitchboardError):
                await ASKS[ask](api)

        assert simulator.faults.made == dict.fromkeys(PROXIES, 1), "each was met"
        assert simulator.faults.followed == other.faults.followed == {}


@pytest.mark.parametrize("resource", ["messages", "calls"])
async def test_a_redirection_of_a_further_page_is_not_followed(
    api: TwilioApi, simulator: Simulator, resource: str
) -> None:
    simulator.lists = Lists(order="adverse")
    for _ in range(12):
        simulator.sent_before("sms" if resource == "messages" else "call", to=TO)
    simulator.faults.add("proxy-before", on="list", page=1, status=302)
    with suppress(SwitchboardError):
        await (api.messages_to if resource == "messages" else api.calls_to)(TO, since=LONG_AGO)

    assert simulator.faults.made == {"proxy-before": 1}
    assert simulator.faults.followed == {}
