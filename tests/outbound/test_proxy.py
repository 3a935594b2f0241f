"""A proxy or a gateway answers in Twilio's place for a while: nothing is lost by it, and nothing is sent twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web

from local.twilio import Simulator
from shared.twilio_api import TwilioApi
from tests.fakes import ACCOUNT_SID, AUTH_TOKEN, make_settings
from tests.outbound.bench import Bench
from tests.outbound.samples import CALL, a_message
from tests.servers import serve

PAGE = "<html><body>SECRET: try again later</body></html>"
STATUSES = [200, 302, 401, 403, 404, 429, 503]
"""of the others, test_twilio_api.py says that they are ambiguous too"""


@dataclass
class Gateway:
    """It stands before Twilio; while it has a `page`, it answers with that, before it passes a request on or after."""

    twilio: str
    session: aiohttp.ClientSession
    page: int | None = None
    passes_on: bool = False
    pages: list[str] = field(default_factory=list)
    """the methods that were answered with a page"""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        if self.page is not None and not self.passes_on:
            return self._page(self.page, request)
        url = f"{self.twilio}{request.raw_path}"
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with self.session.request(request.method, url, data=body, headers=headers) as answer:
            content = await answer.read()
        if self.page is not None:
            return self._page(self.page, request)
        return web.Response(status=answer.status, body=content, content_type=answer.content_type)

    def _page(self, status: int, request: web.BaseRequest) -> web.Response:
        self.pages.append(request.method)
        return web.Response(status=status, text=PAGE, content_type="text/html", headers={"Location": self.twilio})


@asynccontextmanager
async def a_gateway() -> AsyncIterator[tuple[Gateway, Simulator, TwilioApi]]:
    async with (
        Simulator.start(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, pace=0) as simulator,
        aiohttp.ClientSession() as session,
    ):
        gateway = Gateway(simulator.url, session)
        async with serve(gateway.answer) as url:
            api = TwilioApi(make_settings(TWILIO_API_BASE_URL=url))
            try:
                yield gateway, simulator, api
            finally:
                await api.close()


async def take_when_due(bench: Bench) -> None:
    message, delay = bench.queue.puts[-1]
    bench.clock.advance(delay)
    await bench.take(message)


async def go_on(bench: Bench, delivery_id: str) -> None:
    """Take its message whenever that is due, until Twilio has it."""
    for _ in range(5):
        if (await bench.delivery(delivery_id)).sid is not None:
            return
        await take_when_due(bench)


@pytest.mark.parametrize("passes_on", [False, True], ids=["before Twilio", "after Twilio"])
@pytest.mark.parametrize("status", STATUSES)
async def test_what_a_proxy_answers_loses_no_text_and_sends_none_twice(
    bench: Bench, status: int, *, passes_on: bool
) -> None:
    # what Twilio makes is made now
    bench.clock.now = datetime.now(UTC)
    async with a_gateway() as (gateway, simulator, api):
        bench.provider = api  # type: ignore[assignment]  # the real one
        gateway.page, gateway.passes_on = status, passes_on
        await bench.take(a_message())
        delivery = await bench.delivery()
        assert (delivery.status, delivery.error_code) == ("uncertain", None)
        assert delivery.error_message is not None
        assert delivery.error_message.startswith("expected ")
        assert "SECRET" not in delivery.error_message
        await take_when_due(bench)
        assert (await bench.delivery()).status == "uncertain", "a look that the proxy answers is no look"
        assert gateway.pages == ["POST", "GET"]
        assert bench.gate.wait(bench.clock.now) is None
        gateway.page = None
        await go_on(bench, "order-1")
        assert [message.sid for message in simulator.messages] == [(await bench.delivery()).sid]


@pytest.mark.parametrize("passes_on", [False, True], ids=["before Twilio", "after Twilio"])
async def test_what_a_proxy_answers_loses_no_call_and_makes_none_twice(bench: Bench, *, passes_on: bool) -> None:
    bench.clock.now = datetime.now(UTC)
    async with a_gateway() as (gateway, simulator, api):
        bench.provider = api  # type: ignore[assignment]  # the real one
        gateway.page, gateway.passes_on = 403, passes_on
        await bench.take(a_message(CALL))
        gateway.page = None
        await go_on(bench, "order-2")
        assert [call.sid for call in simulator.calls] == [(await bench.delivery("order-2")).sid]
        await simulator.settled()
