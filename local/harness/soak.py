"""Everything at once, at random with a seed: `python3 dev.py soak --requests N --seed S`.

Two hosts on one queue, texts and calls, some enqueued twice. Twilio accepts and says nothing, fails, limits, turns
away. Proxies answer in its place. Its lists come in any order, over short pages, late, and lead in circles. The storage
fails and drops, before and after a call took effect. Callbacks come twice, early, in any order. Every few seconds a
host is killed with -9 and started again. Then the faults end (the lists stay as they are), everything settles, and what
Twilio really has for each request is counted.
"""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.harness.backdrop import Backdrop, backdrop
from local.harness.hosts import RunningHost
from local.harness.mix import COPIED, RECONCILE_AFTER_SECONDS, Trouble, give_a_past, requests_of, spoil
from local.harness.records import FINAL
from local.harness.scene import Scene, scene
from local.harness.waiting import PATIENCE, until

LEASE_SECONDS = 6
BETWEEN_KILLS = (2.0, 5.0)
REST = 60.0
"""seconds in which the queue becomes empty; a look that is put off may take ten minutes"""
STANDSTILL = 10.0
"""seconds without any progress, after which it goes on to what ends the standstill"""
LATER = 3600
"""seconds: what waits for housekeeping need not be waited for, a host whose clock is ahead does it now"""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How often each request was sent, in the end, and how many redirections were followed."""

    once: int
    twice: int
    lost: int
    followed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Nothing was lost, nothing sent twice, and no redirection followed."""
        return not (self.twice or self.lost or self.followed)

    def __str__(self) -> str:
        return f"sent once, twice, lost: {self.once}, {self.twice}, {self.lost}"


@dataclass(slots=True, kw_only=True)
class Soak:
    """One of them."""

    scene: Scene
    trouble: Trouble
    requests: list[dict[str, Any]]
    earlier: frozenset[str]
    """the SIDs of what Twilio had before"""
    draws: random.Random
    say: Say
    kills: int = 0
    final: dict[str, str] = field(default_factory=dict)
    second: RunningHost | None = None

    async def run(self) -> Outcome:
        """Do it all."""
        await self.scene.start()
        self.second = await self.scene.start_another()
        killing = asyncio.create_task(self._kill_now_and_then())
        try:
            await self._enqueue()
            await self._watch(until=0.97)
        finally:
            killing.cancel()
        self.trouble.over = True
        self.scene.twilio.faults.clear()
        self.say(f"{self.kills} kills; the faults are over")
        await self._watch(until=1.0)
        if len(self.final) < len(self.requests):
            await self._let_time_pass()
        await self.scene.told()
        await self._come_to_rest()
        return await self._outcome()

    async def _come_to_rest(self) -> None:
        """Wait until no message is left; if some stay hidden for minutes, every request comes once more instead.

        A look that is put off by minutes leaves such a message where a callback ends its delivery before.
        """
        try:
            await until(self.scene.is_quiet, patience=REST)
        except TimeoutError:
            hidden = await self.scene.messages()
            self.say(f"{hidden} messages stay hidden for minutes: every request comes once more instead")
            await self._put(self.requests)
            await until(lambda: self._has_at_most(hidden))

    async def _has_at_most(self, messages: int) -> bool:
        return await self.scene.messages() <= messages

    async def _let_time_pass(self) -> None:
        self.say(f"{len(self.requests) - len(self.final)} wait for housekeeping: an hour passes")
        if self.second is not None:
            await self.second.kill()
        await self.scene.stop()
        await self.scene.start(ahead_seconds=LATER, settings={"HOUSEKEEPING_CRON": "*/2 * * * * *"})
        await self._watch(until=1.0, standstill=PATIENCE)

    async def _enqueue(self) -> None:
        copies = [request for request in self.requests if self.draws.random() < COPIED]
        messages = [*self.requests, *copies]
        self.draws.shuffle(messages)
        await self._put(messages)
        self.say(f"{len(messages)} messages enqueued")

    async def _put(self, messages: list[dict[str, Any]]) -> None:
        for first in range(0, len(messages), 20):
            await asyncio.gather(*(self.scene.enqueue(request) for request in messages[first : first + 20]))

    async def _kill_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.draws.uniform(*BETWEEN_KILLS))
            self.kills += 1
            if self.draws.random() < 0.5 or self.second is None:  # noqa: PLR2004 - either
                await self.scene.crash()
            else:
                await self.second.kill()
                self.second = await self.scene.start_another()

    async def _watch(self, *, until: float, standstill: float = STANDSTILL) -> None:
        """Tell how far it is until this share is final, or nothing happens any more."""
        last_progress, told = time.monotonic(), 0.0
        while len(self.final) < until * len(self.requests):
            if await self._look():
                last_progress = time.monotonic()
            if time.monotonic() - told > 5:  # noqa: PLR2004 - seconds between two signs of life
                told = time.monotonic()
                sent = self.scene.twilio.accepted()
                self.say(f"{len(self.final)} of {len(self.requests)} final, {sum(sent.values())} sent")
            if time.monotonic() - last_progress > standstill:
                return
            await asyncio.sleep(1)

    async def _look(self) -> int:
        """Look at what is open, as far as Twilio has it; return how many of them are final now."""
        sent = self.scene.twilio.accepted()
        open_ones = [request["id"] for request in self.requests if request["id"] not in self.final]
        found = 0
        for delivery_id in open_ones:
            if sent[delivery_id] and (status := await self.scene.records.status(delivery_id)) in FINAL:
                self.final[delivery_id] = status or ""
                found += 1
        return found

    def _really_sent(self) -> Counter[str]:
        """How many messages and calls Twilio has for each request, found by the recipient, whatever the app says."""
        twilio = self.scene.twilio
        texts = [("sms", one.to) for one in twilio.messages if one.sid not in self.earlier]
        calls = [("call", one.to) for one in twilio.calls if one.sid not in self.earlier]
        has = Counter(texts + calls)
        return Counter({one["id"]: has[one["channel"], one["to"]] for one in self.requests})

    async def _outcome(self) -> Outcome:
        sent = self._really_sent()
        counts = Counter(min(sent[request["id"]], 2) for request in self.requests)
        open_ones = [request["id"] for request in self.requests if request["id"] not in self.final]
        notes = [f"{one}: sent {sent[one]} times, {await self.scene.records.status(one)}" for one in open_ones]
        notes += [f"{one}: sent {count} times" for one, count in sent.items() if count > 1]
        lost = sum(1 for one in self.requests if one["id"] not in self.final or not sent[one["id"]])
        followed = self.scene.twilio.faults.followed
        notes += [f"a redirection was followed: {how}, {count} times" for how, count in followed.items()]
        self.say(f"faults made: {dict(self.scene.twilio.faults.made)}, of the storage: {dict(self.trouble.made)}")
        return Outcome(once=counts[1], twice=counts[2], lost=lost, followed=followed.total(), notes=tuple(notes))


async def soak(behind: Backdrop, *, requests: int, seed: int, say: Say) -> Outcome:
    """Run one, and return what came of it; the storage must be its own, as an hour passes in it."""
    draws = random.Random(seed)  # noqa: S311 - no secret, and it has to repeat
    trouble = Trouble(random.Random(seed + 1))  # noqa: S311 - likewise
    async with scene(
        behind,
        hook=trouble,
        pace=0.5,
        lease=LEASE_SECONDS,
        settings={
            "TWILIO_TIMEOUT_SECONDS": "2",
            "RECONCILE_AFTER_SECONDS": str(RECONCILE_AFTER_SECONDS),
            "HOUSEKEEPING_CRON": "*/10 * * * * *",
        },
    ) as stage:
        wanted = requests_of(draws, requests)
        earlier = give_a_past(stage.twilio, wanted, draws)
        spoil(stage.twilio, seed=seed)
        run = Soak(scene=stage, trouble=trouble, requests=wanted, earlier=earlier, draws=draws, say=say)
        return await run.run()


def main(*, requests: int, seed: int) -> int:
    """Soak with storage of its own, tell how it goes, and return 0 only if nothing was lost and nothing sent twice."""
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)

    async def run(folder: Path) -> Outcome:
        async with backdrop(folder) as own:
            return await soak(own, requests=requests, seed=seed, say=say)

    folder = Path(tempfile.mkdtemp(prefix="switchboard-soak-"))
    outcome = asyncio.run(run(folder))
    for note in outcome.notes:
        say(note)
    if not outcome.is_good:
        say(f"the logs of the hosts are in {folder}")
    print(outcome)
    return 0 if outcome.is_good else 1
