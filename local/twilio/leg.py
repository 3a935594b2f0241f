"""One end of a conversation: a call while it lives, as the verbs of TwiML and other calls see it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from xml.etree import ElementTree as ET

import msgspec

from local.twilio.calls import DEFAULT_TIME_LIMIT
from local.twilio.network import Network
from local.twilio.people import Person
from local.twilio.presence import Presence
from local.twilio.record_of_call import call_fields
from local.twilio.twiml import Heard, Source, TwimlError, parse
from local.twilio.twiml.attributes import yes
from local.twilio.twiml.places import CALL, QUEUE_WAIT, Exit, Place
from local.twilio.twiml.schema import NOT_YET, check
from local.twilio.webhooks import Hook, HookError

MAX_DOCUMENTS = 50


class DialOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom Dial calls."""

    to: str
    from_: str
    timeout: int
    whisper: Source | None = None
    digits: str | None = None
    callback: Source | None = None
    events: frozenset[str] = frozenset({"completed"})
    detection: str | None = None
    detection_callback: Source | None = None


class Child(Protocol):
    """A call that Dial made, as the verb sees it."""

    rang: bool
    settled: bool
    accepted: bool

    @property
    def leg(self) -> "Leg":
        """The call itself."""

    def pick_up(self) -> None:
        """Let the person do what they do when it has rung long enough."""

    def give_up(self) -> None:
        """Ring no longer."""


class Switch(Protocol):
    """What makes calls."""

    def dial_out(self, parent: "Leg", order: DialOrder) -> Child:
        """Call somebody for a call that lives."""


Verb = Callable[["Leg", ET.Element], Awaitable[Exit | None]]


class Leg(Presence):
    """A call that plays documents."""

    def __init__(
        self,
        network: Network,
        sid: str,
        *,
        switch: Switch,
        verbs: Mapping[str, Verb],
        person: Person,
        time_limit: int = DEFAULT_TIME_LIMIT,
    ) -> None:
        super().__init__(network, sid, person=person, time_limit=time_limit)
        self.switch = switch
        self._verbs = verbs

    async def walk(self, root: ET.Element, place: Place = CALL) -> Exit | None:
        """Play a document; returns how it was left, or None where it came to its end."""
        for element in root:
            verb = self._verbs.get(element.tag)
            refused = place.refusal(element.tag)
            if verb is None and element.tag not in NOT_YET:
                self.note(12200, f"<{element.tag}> is no verb that a call knows")
            elif refused is not None:
                self.note(refused, f"<{element.tag}> cannot stand in {place.name}")
            elif verb is None:
                self.answer()
                await self.hear(Heard(kind="not simulated yet", what=element.tag))
            else:
                left = await self._do(verb, element, place)
                if left is not None:
                    return left
        return None

    async def _do(self, verb: Verb, element: ET.Element, place: Place) -> Exit | None:
        for code, detail in check(element):
            self.note(code, detail)
        if element.tag != "Reject" and not yes(element, "answerOnBridge"):
            self.answer()
        left = await verb(self, element)
        return None if left is not None and left.leaves and place is not QUEUE_WAIT else left

    async def play(self, source: Source, place: Place) -> Exit | None:
        """Play documents that are no part of the call's own, one redirecting to the other, in another place.

        Raises HookError and TwimlError where one cannot be had.
        """
        base = self.url
        step: Source | None = source
        try:
            for _ in range(MAX_DOCUMENTS):
                left = await self.walk(await self.fetch(step or source), place)
                step = left.to if left is not None else None
                if step is None:
                    return left
        finally:
            self.url = base
        raise TwimlError(11200, f"more than {MAX_DOCUMENTS} documents in {place.name}: do they redirect in a loop?")

    async def fetch(self, source: Source, **more: str) -> ET.Element:
        """A document; HookError or TwimlError where it cannot be had."""
        if source.twiml is not None:
            root, self.url = parse(source.twiml), None
        else:
            answer = await self.network.webhooks.send(self.hook(source, **more))
            root, self.url = parse(answer.body, content_type=answer.content_type), answer.url
        self.check()
        return root

    async def report(self, source: Source | None, **fields: str) -> None:
        """Request the action of a verb when the call is over, or goes on elsewhere: what it answers does not matter."""
        if source is None:
            return
        try:
            await self.network.webhooks.send(self.hook(source, **fields))
        except HookError as exc:
            self.note(exc.code, str(exc), source.url)

    def hook(self, source: Source, **more: str) -> Hook:
        """A request about this call, with the fields that all of them have."""
        fields = call_fields(self.call) | dict(source.fields) | more
        return Hook(url=source.url or "", fields=tuple(fields.items()), method=source.method, voice=True)
