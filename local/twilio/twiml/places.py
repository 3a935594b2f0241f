"""Where documents are played, and how a verb ends one."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from local.twilio.twiml.document import Source


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """What a verb returns that ends its document.

    `to` is where to go on; without it the call is hung up, unless it only `leaves` the queue that it waits in.
    `status` is what a call ends with that was never answered.
    """

    to: Source | None = None
    leaves: bool = False
    status: str | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place with what may stand there (None: every verb), and the code for what may not."""

    name: str
    verbs: frozenset[str] | None = None
    code: int = 12200
    codes: Mapping[str, int] = MappingProxyType({})

    def refusal(self, verb: str) -> int | None:
        """The code with which a verb is refused here, if it is."""
        return None if self.verbs is None or verb in self.verbs else self.codes.get(verb, self.code)


SPOKEN = frozenset({"Say", "Play", "Pause"})
CALL = Place(name="a call")
WHISPER = Place(
    name="the url of a <Number>, <Client> or <Sip>",
    verbs=SPOKEN | {"Gather", "Hangup", "Redirect"},
    codes=MappingProxyType({"Dial": 13201}),
)
QUEUE_WAIT = Place(
    name="the waitUrl of <Enqueue>",
    verbs=SPOKEN | {"Gather", "Hangup", "Redirect", "Leave"},
)
QUEUE_END = Place(name="the url of a <Queue>", verbs=SPOKEN | {"Redirect"})
CONFERENCE_WAIT = Place(name="the waitUrl of a <Conference>", verbs=SPOKEN | {"Redirect"}, code=13238)
