"""The life of a call that Dial makes: it rings, hears its whisper, and is in a conversation until that ends.

https://www.twilio.com/docs/voice/twiml/number
"""

from typing import Any

from local.twilio.call_life import CallLife, Plan
from local.twilio.calls import ENDED, Detection
from local.twilio.leg import DialOrder, Leg
from local.twilio.network import Network
from local.twilio.people import UNANSWERED, Outcome, Person
from local.twilio.presence import Interrupted
from local.twilio.twiml import Source, TwimlError
from local.twilio.twiml.places import WHISPER
from local.twilio.webhooks import HookError


class Dialled(CallLife):
    """A child call; the call that dials it says when it has rung long enough."""

    def __init__(
        self,
        network: Network,
        sid: str,
        order: DialOrder,
        *,
        parent: Leg,
        person: Person,
        **more: Any,  # noqa: ANN401 - those of a Leg
    ) -> None:
        super().__init__(network, sid, _plan(order, person), **more)
        self.rang = False
        self.settled = False
        self.accepted = False
        self._order = order
        self._parent = parent
        self._word: bool | None = None

    @property
    def leg(self) -> Leg:
        """The call itself."""
        return self

    def pick_up(self) -> None:
        """Let the person do what they do when it has rung long enough."""
        self._word = True
        self.nudge()

    def give_up(self) -> None:
        """Ring no longer."""
        self._word = False
        self.nudge()

    async def _pick_up(self) -> Outcome:
        self.rang = True
        self._parent.nudge()
        if self.person.answers == "live":
            return await self._decide(self._order.timeout)
        await self.wait_for(lambda: self._word is not None)
        return self.person.outcome if self._word else UNANSWERED

    async def _talk(self, source: Source | None) -> None:
        """Hear the whisper, and be in the conversation; a redirected child goes on by itself."""
        try:
            await self._detect()
            if self._order.digits:
                self.did("played", self._order.digits)
            if source is not None and not await self._whispered(source):
                return
            self.accepted = True
            self._settle()
            await self.lend()
        except Interrupted as interrupted:
            if interrupted.to is not None:
                await super()._talk(interrupted.to)

    async def _whispered(self, source: Source) -> bool:
        """Play what is only heard here; False where that hangs up."""
        try:
            return await self.play(source, WHISPER) is None
        except (HookError, TwimlError) as exc:
            self.note(exc.code, str(exc), source.url)
            return False

    async def _end(self, outcome: Outcome) -> None:
        if self.call.status not in ENDED:
            self.become(outcome.status)
        self._settle()
        await super()._end(outcome)

    def _settle(self) -> None:
        self.settled = True
        self._parent.nudge()


def _plan(order: DialOrder, person: Person) -> Plan:
    detection = None
    if order.detection is not None:
        detection = Detection(mode=order.detection, waits=False, callback=order.detection_callback)
    return Plan(
        source=order.whisper,
        status_callback=order.callback,
        events=order.events,
        ring_limit=order.timeout,
        detection=detection,
        person=person,
    )
