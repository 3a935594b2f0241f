"""The simulator as a server, for a process of its own or within a test."""

import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator
from typing import Self

from aiohttp import web

from local.twilio.account import API_VERSION, Account
from local.twilio.calls import Call
from local.twilio.control import Control
from local.twilio.exchange import Exchange
from local.twilio.fault_plan import FaultPlan, Faults
from local.twilio.messages import Message
from local.twilio.network import Network
from local.twilio.recordings import Recording
from local.twilio.rest import RestApi
from local.twilio.webhooks import Posted, Webhooks, open_session

HOST = "127.0.0.1"
DEFAULT_SENDER = "+15005550006"


class Simulator:
    """A running simulator: where it is, and what happened in it."""

    def __init__(self, *, url: str, network: Network) -> None:
        self.url = url
        self._network = network

    @property
    def messages(self) -> list[Message]:
        """Every message as it is now, in order of creation."""
        return list(self._network.messages)

    @property
    def calls(self) -> list[Call]:
        """Every call as it is now, in order of creation."""
        return list(self._network.calls)

    @property
    def recordings(self) -> list[Recording]:
        """Every recording, in order of creation."""
        return list(self._network.recordings)

    @property
    def faults(self) -> Faults:
        """What goes wrong: nothing, unless it is asked for."""
        return self._network.faults

    def accepted(self) -> Counter[str]:
        """How many creates were accepted, by the `delivery` in the query of their StatusCallback."""
        return Counter(self._network.accepted)

    @property
    def webhooks(self) -> list[Posted]:
        """The newest 20,000 requests to the app, oldest first."""
        return list(self._network.webhooks.log)

    async def settled(self) -> None:
        """Wait until every message and call has ended and every callback was answered or given up.

        Messages that are scheduled for later are not waited for.
        """
        await self._network.settled()

    async def reset(self) -> None:
        """End every life where it is, and forget everything, the faults too."""
        await self._network.reset()

    @classmethod
    @contextlib.asynccontextmanager
    async def start(
        cls,
        *,
        account_sid: str,
        auth_token: str,
        api_key_sid: str | None = None,
        api_key_secret: str | None = None,
        port: int = 0,
        pace: float = 1.0,
        webhooks: str | None = None,
        sender: str = DEFAULT_SENDER,
        faults: FaultPlan | None = None,
    ) -> AsyncIterator[Self]:
        """Serve on 127.0.0.1 until the block is left.

        `port` 0 takes any free one; OSError where the port is taken. `pace` scales every delay: 1.0 is
        plausible, 0 is at once. `webhooks` is the app's base URL, for inbound texts and calls that name no URL.
        `sender` is the number that Messaging Services pick. `faults` are made from the start.
        """
        async with contextlib.AsyncExitStack() as stack:
            listener = stack.enter_context(socket.create_server((HOST, port)))
            url = f"http://{HOST}:{listener.getsockname()[1]}"
            account = Account(
                sid=account_sid,
                auth_token=auth_token,
                api_key_sid=api_key_sid,
                api_key_secret=api_key_secret,
                api=url,
            )
            session = await stack.enter_async_context(open_session())
            way = Webhooks(session, auth_token=auth_token, pace=pace)
            network = Network(account=account, webhooks=way, pace=pace, sender=sender)
            network.faults.follow(faults or FaultPlan())
            stack.push_async_callback(network.reset)
            runner = web.AppRunner(_application(network, webhooks=webhooks), access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listener).start()
            yield cls(url=url, network=network)


def _application(network: Network, *, webhooks: str | None) -> web.Application:
    exchange = Exchange(network)
    app = web.Application()
    app.add_subapp(f"/{API_VERSION}", RestApi(network, exchange).application())
    app.add_subapp("/simulator", Control(network, exchange, webhooks=webhooks).application())
    return app
