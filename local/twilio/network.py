"""The simulated phone network: what is remembered, what is alive, and how fast time passes."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.twilio.account import Account
from local.twilio.callbacks import Mail
from local.twilio.calls import Call
from local.twilio.conferences import Conference
from local.twilio.dates import now
from local.twilio.fault_plan import Faults
from local.twilio.lists import AS_DOCUMENTED, Listing, Lists
from local.twilio.messages import Message
from local.twilio.people import People
from local.twilio.queues import Queues
from local.twilio.recordings import Recording
from local.twilio.store import Store
from local.twilio.webhooks import Webhooks

logger = logging.getLogger(__name__)


class Network:
    """Everything that the lives of messages and calls share.

    `pace` scales every delay: 1.0 is plausible, 0 is at once. `sender` is what a Messaging Service picks.
    `accepted` counts the creates by the `delivery` in the query of their StatusCallback, however many they are.
    `lists` is how the lists of the REST API come at first.
    """

    def __init__(
        self, *, account: Account, webhooks: Webhooks, pace: float, sender: str, lists: Lists = AS_DOCUMENTED
    ) -> None:
        self.account = account
        self.webhooks = webhooks
        self.pace = pace
        self.sender = sender
        self.started: datetime = now()
        self.messages: Store[Message] = Store()
        self.calls: Store[Call] = Store()
        self.recordings: Store[Recording] = Store()
        self.accepted: Counter[str] = Counter()
        self.people = People()
        self.queues = Queues()
        self.conferences: dict[str, Conference] = {}
        self.faults = Faults()
        self.listing = Listing(lists)
        self._changed = asyncio.Event()
        self._alive: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        await asyncio.sleep(seconds * self.pace)

    def touch(self) -> None:
        """Let everybody look who waits for something to become so."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until a condition on what is remembered is true."""
        while not condition():
            await self._changed.wait()

    def mail(self) -> Mail:
        """The way of the callbacks of one message or call to the app."""
        return Mail(self.webhooks, self.faults.disordered, begin=self.begin)

    async def accept(self, sid: str, callback: str | None) -> None:
        """Count a create that was accepted; come back when it may be answered."""
        self.accepted.update(parse_qs(urlsplit(callback or "").query).get("delivery", ()))
        if self.faults.disordered.answer_waits():
            await self._over(sid)

    def begin(self, life: Coroutine[Any, Any, None], *, name: str | None = None) -> None:
        """Start a life; it goes on by itself."""
        task = asyncio.create_task(life, name=name)
        self._alive.add(task)
        task.add_done_callback(self._ended)

    def begin_later(self, name: str, when: datetime, life: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start a life at a time of the real clock, which `pace` does not scale, unless it is called off."""
        delay = max(0.0, (when - now()).total_seconds())
        self._timers[name] = asyncio.get_running_loop().call_later(delay, lambda: self._due(name, life))

    def call_off(self, name: str) -> None:
        """Do not start the life of that name; nothing happens where it has started."""
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    async def settled(self) -> None:
        """Wait until every life that was begun has ended, those begun meanwhile too."""
        while self._alive:
            await asyncio.wait(self._alive)

    async def reset(self) -> None:
        """End every life where it is, and forget everything, the faults too; lists come as they did at first."""
        self.faults.clear()
        self.listing.reset()
        for name in list(self._timers):
            self.call_off(name)
        alive = list(self._alive)
        for task in alive:
            task.cancel()
        await asyncio.gather(*alive, return_exceptions=True)
        self.messages.clear()
        self.calls.clear()
        self.recordings.clear()
        self.people.clear()
        self.queues.clear()
        self.conferences.clear()
        self.accepted.clear()
        self.faults.followed.clear()
        self.webhooks.log.clear()
        self.touch()

    def _due(self, name: str, life: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._timers.pop(name, None)
        self.begin(life(), name=name)

    async def _over(self, name: str) -> None:
        living = [task for task in self._alive if task.get_name() == name]
        if living:
            await asyncio.wait(living)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._alive.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("A simulated life broke off", exc_info=task.exception())
