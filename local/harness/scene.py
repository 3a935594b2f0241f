"""The surroundings of a request: a simulated Twilio, proxies to it and to the storage, hosts that come and go."""

import itertools
import os
import socket
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.faults import Hook, Proxy, Service, endpoint, through
from local.harness.backdrop import Backdrop
from local.harness.hosts import RunningHost
from local.harness.process import Order
from local.harness.records import FINAL, Records
from local.harness.waiting import until
from local.twilio import Simulator

ACCOUNT = "AC" + "0" * 32
TOKEN = "a made-up auth token"  # noqa: S105 - nobody's
NUMBER = "+15005550006"
NEVER = "0 0 0 1 1 *"
"""once a year: a timer that is not part of what is looked at"""
PORTS = range(20_000, 30_000)
"""below those that systems give to outgoing connections: a host that is started again finds its port free"""
# One after the other: a port is not listened on until its host starts.
_next_port = itertools.count(os.getpid())


@dataclass(slots=True, kw_only=True)
class Scene:
    """One of them."""

    backdrop: Backdrop
    twilio: Simulator
    settings: dict[str, str]
    lease: int
    name: str
    port: int
    host: RunningHost | None = None
    others: list[RunningHost] = field(default_factory=list)

    @property
    def records(self) -> Records:
        """What is on record."""
        return self.backdrop.records

    @property
    def queue(self) -> str:
        """The queue of its hosts."""
        return self.settings["OUTBOUND_QUEUE"]

    @property
    def url(self) -> str:
        """Where the host is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What its hosts wrote."""
        return self.backdrop.logs / f"{self.name}.log"

    async def enqueue(self, request: Mapping[str, Any]) -> None:
        """Enqueue a request."""
        await self.records.enqueue(self.queue, request)

    async def start(self, *, ahead_seconds: int = 0, settings: Mapping[str, str] | None = None) -> None:
        """Start the host that Twilio's callbacks go to, with its clock so much ahead."""
        self.host = await self._start(self.port, ahead_seconds=ahead_seconds, settings=settings)

    async def start_another(self) -> RunningHost:
        """Start one more host on the same queue."""
        other = await self._start(free_port())
        self.others.append(other)
        return other

    async def crash(self) -> None:
        """Kill the host with -9, and start it again."""
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Kill the host."""
        if self.host is not None:
            host, self.host = self.host, None
            await host.kill()

    async def over(self, delivery_id: str) -> str:
        """Wait until a delivery is final, nothing is in the queue any more and Twilio has said all; return its status.

        Raises TimeoutError where that does not come.
        """
        # what can be seen without asking the storage is waited for first: all scenes share two cores
        await until(lambda: self.has_sent(delivery_id))
        await self.twilio.settled()
        await until(lambda: self.is_final(delivery_id))
        await until(self.is_quiet)
        await self.twilio.settled()
        return await self.records.status(delivery_id) or ""

    async def has_sent(self, delivery_id: str) -> bool:
        """Whether Twilio accepted it."""
        return self.twilio.accepted()[delivery_id] > 0

    async def is_final(self, delivery_id: str) -> bool:
        """Whether nothing more is expected of it."""
        return await self.records.status(delivery_id) in FINAL

    async def is_quiet(self) -> bool:
        """Whether the queue has no message any more, not even a hidden one."""
        return await self.records.waiting(self.queue) == 0

    async def close(self) -> None:
        """End its hosts."""
        await self.stop()
        for other in self.others:
            await other.kill()

    async def _start(
        self, port: int, *, ahead_seconds: int = 0, settings: Mapping[str, str] | None = None
    ) -> RunningHost:
        order = Order(
            settings={**self.settings, **(settings or {})},
            port=port,
            queue_lease_seconds=self.lease,
            ahead_seconds=ahead_seconds,
        )
        return await self.backdrop.hosts.start(order, log=self.log)


@asynccontextmanager
async def scene(
    backdrop: Backdrop, *, hook: Hook, pace: float = 0.1, lease: int = 2, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Scene]:
    """Set one up, without a host yet; what a call does is asked of `hook` on its way."""
    name = uuid.uuid4().hex[:12]
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    storage = backdrop.storage
    async with backdrop.places, AsyncExitStack() as stack:
        twilio = await stack.enter_async_context(
            Simulator.start(account_sid=ACCOUNT, auth_token=TOKEN, pace=pace, webhooks=public)
        )
        targets: dict[Service, str] = {
            "table": endpoint(storage, "table"),
            "queue": endpoint(storage, "queue"),
            "twilio": twilio.url,
        }
        table, queue, api = [
            await stack.enter_async_context(Proxy.start(target=target, service=service, hook=hook))
            for service, target in targets.items()
        ]
        values = {
            "AzureWebJobsStorage": through(storage, table=table.port, queue=queue.port),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": NUMBER,
            "TWILIO_API_BASE_URL": api.url,
            "TWILIO_TIMEOUT_SECONDS": "2",
            "RECONCILE_AFTER_SECONDS": "0",
            "PUBLIC_BASE_URL": public,
            "OUTBOUND_QUEUE": f"q-{name}",
            "HOUSEKEEPING_CRON": NEVER,
        }
        await backdrop.records.create_queue(values["OUTBOUND_QUEUE"])
        made = Scene(
            backdrop=backdrop, twilio=twilio, settings={**values, **(settings or {})}, lease=lease, name=name, port=port
        )
        stack.push_async_callback(made.close)
        yield made


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection is given."""
    while True:
        port = PORTS[next(_next_port) % len(PORTS)]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
