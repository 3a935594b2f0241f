"""Being in a call: time passes, a person does something, somebody else interrupts."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from local.twilio.calls import DEFAULT_TIME_LIMIT, ENDED, Call, Listening
from local.twilio.network import Network
from local.twilio.people import Act, Person
from local.twilio.record_of_call import RecordOfCall
from local.twilio.twiml import Heard, Source

# A second of what is heard takes a tenth of one, and nothing takes longer than half a second.
COMPRESSION = 0.1
LONGEST_WAIT = 0.5
ACTIONS = {"press": "pressed", "say": "spoke", "speak": "spoke"}


class Interrupted(Exception):
    """The call was hung up (to is None), or is to go on with another document."""

    def __init__(self, to: Source | None) -> None:
        self.to = to
        super().__init__()


class Presence(RecordOfCall):
    """Somebody at the end of a call. The call's own task waits; others nudge, interrupt and lead it."""

    def __init__(self, network: Network, sid: str, *, person: Person, time_limit: int = DEFAULT_TIME_LIMIT) -> None:
        super().__init__(network, sid)
        self.person = person
        self.partner: Presence | None = None
        self.engaged = False
        self._acts = deque(person.acts)
        self._limit = float(time_limit)
        if person.hangs_up_after is not None:
            self._limit = min(self._limit, person.hangs_up_after)
        self._breaking: frozenset[str] = frozenset()
        self._nudged = asyncio.Event()
        self._hearing = False
        self._hung_up = False
        self._signal: Exception | None = None
        self._released = False

    @property
    def disturbed(self) -> bool:
        """Whether something came in between that the call's own task has yet to see."""
        return self._hung_up or self._signal is not None or self._hanging_up()

    @property
    def patience(self) -> float | None:
        """How many seconds from now the person hangs up; None where they do not by themselves."""
        return None if self.person.hangs_up_after is None else max(0.0, self._limit - self.call.seconds)

    @property
    def todo(self) -> int:
        """How many acts the person has left."""
        return len(self._acts)

    def become(self, status: str, **changes: object) -> Call:
        """Change its status, and have whoever waits for that look."""
        call = super().become(status, **changes)
        self.nudge()
        return call

    async def hear(self, heard: Heard) -> None:
        """Add to the transcript and let the time for it pass; too long a call is hung up."""
        self.change(transcript=(*self.call.transcript, heard))
        self._hearing = True
        try:
            await self.spend(heard.seconds)
        finally:
            self._hearing = False

    async def spend(self, seconds: float) -> None:
        """Let simulated seconds pass; Interrupted where the call gets too long, or somebody changes it."""
        self.lasted(seconds)
        await self.wait_for(lambda: self.broken_off, seconds=min(seconds * COMPRESSION, LONGEST_WAIT))
        if self.call.seconds >= self._limit:
            raise Interrupted(None)

    def lasted(self, seconds: float) -> None:
        """Count simulated seconds that passed elsewhere."""
        self.change(seconds=min(self.call.seconds + seconds, self._limit))

    async def rest(self, seconds: float) -> None:
        """Let real seconds pass, scaled as the network's are."""
        await self.wait_for(lambda: False, seconds=seconds)

    async def wait_for(
        self, condition: Callable[[], object], *, seconds: float | None = None, scaled: bool = True
    ) -> bool:
        """Wait until a nudge makes a condition true; False when the real seconds are over.

        Raises whatever came in between: Interrupted, or what `interrupt` brought.
        """
        scale = self.network.pace if scaled else 1.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if seconds is None else seconds * scale):
                while not (self.disturbed or condition()):
                    self._nudged.clear()
                    await self._nudged.wait()
        self.check()
        return bool(condition())

    def check(self) -> None:
        """Raise what came in between."""
        if self._hung_up:
            raise Interrupted(None)
        if self._hanging_up():
            self._acts.popleft()
            raise Interrupted(None)
        if self._signal is not None:
            signal, self._signal = self._signal, None
            raise signal

    def nudge(self) -> None:
        """Have whoever waits in this conversation look again."""
        self._nudged.set()
        if self.partner is not None:
            self.partner._nudged.set()  # noqa: SLF001 - a leg like this one

    def interrupt(self, signal: Exception) -> None:
        """Have the call's own task leave what it is at."""
        self._signal = signal
        self.nudge()

    def hang_up(self) -> Call:
        """End the call wherever it is: completed where it was answered, canceled where it was not."""
        if self.call.status in ENDED:
            return self.call
        self._hung_up = True
        self.nudge()
        return self.become("completed" if self.call.status == "in-progress" else "canceled")

    async def lend(self) -> None:
        """Be in a conversation that another call leads, until it is over or this call goes on by itself."""
        self.engaged = True
        self.nudge()
        try:
            await self.wait_for(lambda: self._released)
        finally:
            self.engaged, self._released = False, False
            self.nudge()

    def release(self) -> None:
        """The conversation is over."""
        self._released = True
        self.nudge()

    @property
    def broken_off(self) -> bool:
        """Whether what is being played is broken off by what the person does."""
        act = self.peek("Gather")
        return act is not None and act.kind in self._breaking and (act.interrupts or self.person.live)

    @contextlib.contextmanager
    def breakable(self, kinds: Iterable[str]) -> Iterator[None]:
        """Let acts of these kinds break off what is heard meanwhile."""
        self._breaking = frozenset(kinds)
        try:
            yield
        finally:
            self._breaking = frozenset()

    def give(self, *acts: Act) -> None:
        """Have the person do something more."""
        self._acts.extend(acts)
        self.nudge()

    def peek(self, verb: str | None = None) -> Act | None:
        """What the person does next, as far as a verb is concerned."""
        act = self._acts[0] if self._acts else None
        return None if act is None or act.at not in {None, verb} else act

    def take(self) -> Act:
        """The next act, which is done with this; the transcript shows it."""
        act = self._acts.popleft()
        if act.kind in ACTIONS:
            self.did(ACTIONS[act.kind], act.press or act.say or "", seconds=act.lasts)
        return act

    async def next_act(self, verb: str, *, seconds: float, hears: Iterable[str]) -> Act | None:
        """What the person does within so many seconds that this verb hears; None for silence.

        Interrupted where they hang up. `seconds` are simulated; a live person has as long as they like.
        """
        while True:
            act = self.peek(verb)
            if act is None:
                if not await self._more_comes(verb, seconds):
                    await self.spend(seconds)
                    return None
                continue
            self.take()
            if act.kind == "hang_up":
                raise Interrupted(None)
            if act.kind in hears:
                await self.spend(act.lasts)
                return act
            if act.kind == "silence" or act.lasts >= seconds or not (self.person.live or act.kind == "wait"):
                await self.spend(max(seconds, act.lasts))
                return None
            await self.spend(act.lasts)
            seconds -= act.lasts

    def _hanging_up(self) -> bool:
        act = self.peek()
        if act is None or not act.hang_up:
            return False
        return self.person.live or (act.interrupts and self._hearing)

    async def _more_comes(self, verb: str, seconds: float) -> bool:
        """Wait for what a live person does; False where it stays silent."""
        if not self.person.live:
            return False
        self.change(listening=Listening(verb=verb, seconds=seconds))
        try:
            limit = seconds if self.person.real_time else None
            return await self.wait_for(lambda: self.peek(verb) is not None, seconds=limit, scaled=False)
        finally:
            self.change(listening=None)
