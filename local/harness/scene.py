"""The surroundings of a request: a simulated Twilio, proxies to it and to the storage, hosts that come and go."""

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.faults import Action, Hook, Proxy, Seen, Service, endpoint, through
from local.harness.backdrop import Backdrop
from local.harness.hosts import RunningHost
from local.harness.places import Places
from local.harness.ports import free_port
from local.harness.process import Order
from local.harness.records import FINAL, Records
from local.harness.waiting import until
from local.twilio import Simulator
from local.twilio.webhooks import Hook as Callback
from local.twilio.webhooks import HookError, Webhooks, open_session

ACCOUNT = "AC" + "0" * 32
TOKEN = "a made-up auth token"  # noqa: S105 - nobody's
NUMBER = "+15005550006"
NEVER = "0 0 0 1 1 *"
"""once a year: a timer that is not part of what is looked at"""


@dataclass(slots=True)
class Starts:
    """Passes on what a hook says, and measures on the way how long hosts take to their first call."""

    hook: Hook
    places: Places
    _began: float | None = None

    def began(self) -> None:
        """Measure from now on."""
        self._began = time.monotonic()

    async def before(self, request: Seen) -> Action:
        """Ask the hook."""
        if self._began is not None:
            took, self._began = time.monotonic() - self._began, None
            await self.places.host_took(took)
        return await self.hook.before(request)

    async def after(self, request: Seen, status: int) -> Action:
        """Ask the hook."""
        return await self.hook.after(request, status)


@dataclass(slots=True, kw_only=True)
class Scene:
    """One of them."""

    backdrop: Backdrop
    twilio: Simulator
    again: Webhooks
    starts: Starts
    settings: dict[str, str]
    lease: int
    name: str
    port: int
    breaks: str = ""
    host: RunningHost | None = None
    others: list[RunningHost] = field(default_factory=list)
    _looked_through: int = 0

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
        await self.told()
        await until(lambda: self.is_final(delivery_id))
        await until(self.is_quiet)
        await self.told()
        return await self.records.status(delivery_id) or ""

    async def told(self) -> None:
        """Wait until Twilio has said all.

        What it gave up is said again, with all its tries: it gives up after seconds, and how long a host takes to be
        back is the machine's business.
        """
        await self.twilio.settled()
        said = self.twilio.webhooks
        given_up = [one for one in said[self._looked_through :] if one.fault is not None]
        self._looked_through = len(said)
        for one in given_up:
            callback = Callback(url=one.url, fields=one.fields, method=one.method)
            await until(lambda this=callback: self._takes(this))  # type: ignore[misc]  # it does return that

    async def _takes(self, callback: Callback) -> bool:
        try:
            await self.again.send(callback)
        except HookError:
            return False
        return True

    async def has_sent(self, delivery_id: str) -> bool:
        """Whether Twilio accepted it."""
        return self.twilio.accepted()[delivery_id] > 0

    async def is_final(self, delivery_id: str) -> bool:
        """Whether nothing more is expected of it."""
        return await self.records.status(delivery_id) in FINAL

    async def is_quiet(self) -> bool:
        """Whether the queue has no message any more, not even a hidden one."""
        return await self.messages() == 0

    async def messages(self) -> int:
        """How many messages the queue has, the hidden ones too."""
        return await self.records.waiting(self.queue)

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
            breaks=self.breaks,
            app=self.backdrop.app,
        )
        self.starts.began()
        return await self.backdrop.hosts.start(order, log=self.log)


@asynccontextmanager
async def scene(
    backdrop: Backdrop,
    *,
    hook: Hook,
    pace: float = 0.1,
    lease: int = 4,
    settings: Mapping[str, str] | None = None,
    breaks: str = "",
) -> AsyncIterator[Scene]:
    """Set one up, without a host yet; what a call does is asked of `hook` on its way; for `breaks` see Order."""
    name = uuid.uuid4().hex[:12]
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    starts = Starts(hook, backdrop.places)
    storage = backdrop.storage
    async with backdrop.places.one(), AsyncExitStack() as stack:
        twilio = await stack.enter_async_context(
            Simulator.start(account_sid=ACCOUNT, auth_token=TOKEN, pace=pace, webhooks=public)
        )
        targets: dict[Service, str] = {
            "table": endpoint(storage, "table"),
            "queue": endpoint(storage, "queue"),
            "twilio": twilio.url,
        }
        table, queue, api = [
            await stack.enter_async_context(Proxy.start(target=target, service=service, hook=starts))
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
            # all scenes of a storage share one agenda: only who waits for it has a timer
            "SCHEDULE_CRON": NEVER,
            "HOUSEKEEPING_CRON": NEVER,
        }
        await backdrop.records.create_queue(values["OUTBOUND_QUEUE"])
        again = Webhooks(await stack.enter_async_context(open_session()), auth_token=TOKEN, pace=pace)
        made = Scene(
            backdrop=backdrop,
            twilio=twilio,
            again=again,
            starts=starts,
            settings={**values, **(settings or {})},
            lease=lease,
            name=name,
            port=port,
            breaks=breaks,
        )
        stack.push_async_callback(made.close)
        yield made
