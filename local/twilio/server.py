"""The simulator as a server, for a process of its own or within a test."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, Literal, Self

from aiohttp import web

from local.twilio import conferences, queues
from local.twilio.account import API_VERSION, Account
from local.twilio.calls import ENDED, Call
from local.twilio.control import Control, InboundCall
from local.twilio.dates import now
from local.twilio.earlier import earlier_call, earlier_text
from local.twilio.exchange import Exchange
from local.twilio.fault_plan import FaultPlan, Faults
from local.twilio.lists import AS_DOCUMENTED, Lists
from local.twilio.messages import Message
from local.twilio.network import Network
from local.twilio.people import Act, People
from local.twilio.queues import DEFAULT_MAX_SIZE
from local.twilio.recordings import Recording
from local.twilio.rest import RestApi
from local.twilio.stand_ins import ELSEWHERE
from local.twilio.webhooks import Posted, Webhooks, open_session

HOST = "127.0.0.1"
PATIENCE_SECONDS = 30.0
DEFAULT_SENDER = "+15005550006"
AN_HOUR = timedelta(hours=1)


class Simulator:
    """A running simulator: where it is, and what happened in it."""

    def __init__(self, *, url: str, network: Network, exchange: Exchange, control: Control) -> None:
        self.url = url
        self._network = network
        self._exchange = exchange
        self._control = control

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
    def people(self) -> People:
        """Who is behind which number."""
        return self._network.people

    @property
    def queues(self) -> list[queues.Shown]:
        """Who waits in which queue."""
        return self._network.queues.shown()

    def make_queue(self, name: str, *, max_size: int = DEFAULT_MAX_SIZE) -> None:
        """Make a queue where it is not there, and set how many fit in."""
        self._network.queues.made(name).max_size = max_size

    @property
    def conferences(self) -> list[conferences.Shown]:
        """Who is in which conference."""
        return [room.shown() for room in self._network.conferences.values()]

    def call(self, *acts: Act, from_: str, to: str, **more: Any) -> str:  # noqa: ANN401 - those of InboundCall
        """Let somebody call the app, who does this; returns the call's SID. More is as the control endpoint has it."""
        return self._control.receive(InboundCall(from_=from_, to=to, acts=acts, **more)).sid

    def act(self, sid: str, *acts: Act) -> None:
        """The person at a call's end does something; ValueError where the call has ended."""
        self._exchange.act(self._network.calls[sid], *acts)

    def call_of(self, sid: str) -> Call:
        """A call as it is now; KeyError where there is none."""
        return self._network.calls[sid]

    async def until(self, condition: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a condition on calls, queues or conferences is true; TimeoutError after so many real seconds."""
        async with asyncio.timeout(seconds):
            await self._network.until(condition)

    async def listening(self, sid: str) -> Call:
        """Wait until something waits for a live person to act, or the call ends."""
        await self.until(lambda: self.call_of(sid).listening is not None or self.call_of(sid).status in ENDED)
        return self.call_of(sid)

    async def heard(self, sid: str, words: str) -> Call:
        """Wait until a call's transcript has these words, or the call ends."""
        await self.until(
            lambda: (
                any(words in entry.what for entry in self.call_of(sid).transcript) or self.call_of(sid).status in ENDED
            )
        )
        return self.call_of(sid)

    async def ended(self, sid: str) -> Call:
        """Wait until a call has ended; its last callbacks may be on their way."""
        await self.until(lambda: self.call_of(sid).status in ENDED)
        return self.call_of(sid)

    @property
    def faults(self) -> Faults:
        """What goes wrong: nothing, unless it is asked for."""
        return self._network.faults

    @property
    def lists(self) -> Lists:
        """How the lists of the REST API come from now on: as documented, unless it is set."""
        return self._network.listing.now_on

    @lists.setter
    def lists(self, lists: Lists) -> None:
        self._network.listing.follow(lists)

    def sent_before(
        self, channel: Literal["sms", "call"], *, to: str, from_: str = DEFAULT_SENDER, ago: timedelta = AN_HOUR
    ) -> str:
        """Remember a text or a call that the account made so long ago, and that has ended; return its SID."""
        moment = now() - ago
        past = earlier_text if channel == "sms" else earlier_call
        return past(self._network, to=to, from_=from_, at=moment).sid

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
        """End every life where it is, and forget everything, the faults too; lists come as they did at first."""
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
        lists: Lists = AS_DOCUMENTED,
    ) -> AsyncIterator[Self]:
        """Serve on 127.0.0.1 until the block is left.

        `port` 0 takes any free one; OSError where the port is taken. `pace` scales every delay: 1.0 is
        plausible, 0 is at once. `webhooks` is the app's base URL, for inbound texts and calls that name no URL.
        `sender` is the number that Messaging Services pick. `faults` are made, and
        lists come as `lists` says, from the start.
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
            network = Network(account=account, webhooks=way, pace=pace, sender=sender, lists=lists)
            network.faults.follow(faults or FaultPlan())
            stack.push_async_callback(network.reset)
            exchange = Exchange(network)
            control = Control(network, exchange, webhooks=webhooks)
            runner = web.AppRunner(_application(network, exchange, control), access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listener).start()
            yield cls(url=url, network=network, exchange=exchange, control=control)


def _application(network: Network, exchange: Exchange, control: Control) -> web.Application:
    app = web.Application()
    app.add_subapp(f"/{API_VERSION}", RestApi(network, exchange).application())
    app.add_subapp("/simulator", control.application())
    app.router.add_route("*", ELSEWHERE, network.faults.elsewhere)
    return app
