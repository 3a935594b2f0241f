"""Two people in a conversation, what both do in the order of time."""

import time

import msgspec

from local.twilio.leg import Leg
from local.twilio.people import Act

SILENT_SECONDS = 10.0
HANG_UP = Act(hang_up=True)


class Turn(msgspec.Struct, frozen=True):
    """What somebody does next in a conversation, and when."""

    at: float
    order: int
    speaker: Leg
    act: Act


class Bridge:
    """A conversation that `one` leads, who made it, with `other`.

    Whoever has nothing more to do is silent; where nobody has, the other hangs up after ten seconds. A conversation
    with a live person goes on until somebody hangs up.
    """

    def __init__(self, one: Leg, other: Leg, *, limit: float, star: bool) -> None:
        self.seconds = 0.0
        self._one, self._other = one, other
        self._limit, self._star = limit, star
        self._clocks = {one.sid: 0.0, other.sid: 0.0}
        self._spoken = {one.sid: 0, other.sid: 0}
        self._live = one.person.live or other.person.live
        self._began = time.monotonic()

    async def talk(self) -> None:
        """Talk until somebody hangs up, the time is over, or one presses the star; Interrupted where one hangs up."""
        one, other = self._one, self._other
        one.partner, other.partner = other, one
        try:
            while other.engaged:
                turn = self._next()
                if turn is None:
                    await one.wait_for(lambda: not other.engaged or self._next() is not None)
                elif await self._do(turn):
                    return
        finally:
            one.partner = other.partner = None
            self._count_real_time()

    def _count_real_time(self) -> None:
        """What live people say lasts as long as it does."""
        more = time.monotonic() - self._began - self.seconds
        if self._live and more > 0:
            self.seconds += more
            self._one.lasted(more)
            self._other.lasted(more)

    def _next(self) -> Turn | None:
        both = (self._one, self._other)
        turns = [turn for leg in both if (turn := self._of(leg)) is not None]
        turns += [Turn(self.seconds + leg.patience, 0, leg, HANG_UP) for leg in both if leg.patience is not None]
        if not turns and not self._live:
            turns = [Turn(max(self._clocks.values()) + SILENT_SECONDS, 0, self._other, HANG_UP)]
        return min(turns, key=lambda turn: (turn.at, turn.order), default=None)

    def _of(self, leg: Leg) -> Turn | None:
        act = leg.peek("Dial")
        while act is not None and (act.silence or act.answer or act.decline):
            leg.take()
            act = leg.peek("Dial")
        if act is None or (act.press is not None and not self._hears_keys(leg, act)):
            return None
        return Turn(self._clocks[leg.sid], self._spoken[leg.sid], leg, act)

    def _hears_keys(self, leg: Leg, act: Act) -> bool:
        """Keys are for a later verb, unless they are meant for this one."""
        starred = self._star and leg is self._one and "*" in (act.press or "")
        return leg.person.live or starred or act.at is not None

    async def _do(self, turn: Turn) -> bool:
        """Do what comes next; whether that is the end."""
        leg, act = turn.speaker, turn.act
        if turn.at >= self._limit:
            await self._until(self._limit)
            return True
        if act.wait is not None:
            leg.take()
            self._clocks[leg.sid] += act.wait
            return False
        await self._until(turn.at)
        if act.hang_up:
            self._hang_up(leg)
            return leg is self._other
        leg.take()
        self._spoken[leg.sid] += 1
        listener = self._other if leg is self._one else self._one
        listener.did("heard", act.press or act.say or "", seconds=act.lasts)
        self._clocks = {sid: max(clock, turn.at + act.lasts) for sid, clock in self._clocks.items()}
        return self._star and leg is self._one and "*" in (act.press or "")

    async def _until(self, moment: float) -> None:
        seconds, self.seconds = moment - self.seconds, max(self.seconds, moment)
        if seconds > 0:
            self._other.lasted(seconds)
            await self._one.spend(seconds)

    def _hang_up(self, leg: Leg) -> None:
        """Only one of both is this task's own: it finds out by itself."""
        leg.hang_up()
        self._one.check()
