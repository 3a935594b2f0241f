"""Whom a step dials, once the texts are written: what Twilio takes there, and what this app allows. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.text.numbers import CLIENT, E164
from shared.voice.flows.model import Target

_SIP: Final = re.compile(
    r"sips?:[A-Za-z0-9_.!~*'()&=+$,/%-]{1,100}@[A-Za-z0-9.-]{1,100}(:[0-9]{1,5})?(;[A-Za-z0-9_=.;-]{1,100})?"
)
_LONGEST_NAME: Final = 64
"""characters of a queue's name: https://www.twilio.com/docs/voice/twiml/enqueue"""


class MayNotDial(Exception):
    """Nobody that could be dialled, or who may be; the message holds no address."""


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody who may be dialled."""

    kind: str
    name: str
    """a number, the name of a client, queue or conference, or a SIP address"""

    @property
    def is_person(self) -> bool:
        """Whether somebody answers there, who can hear a whisper and press a key before."""
        return self.kind in {"number", "client", "sip"}


def address(target: Target, written: str, may_dial: Callable[[str], bool]) -> Address:
    """Return whom to dial.

    Args:
        target: of a flow.
        written: its text, which may come from a request's data or from a caller.
        may_dial: is asked about a number, `client:NAME` or `sip:…`; queues and conferences are this account's own.

    Raises:
        MayNotDial: it is no such address, or this app doesn't dial it.
    """
    if target.kind in {"queue", "conference"}:
        if not written.isprintable() or not 0 < len(written) <= _LONGEST_NAME:
            raise MayNotDial(f"expected a name of 1 to {_LONGEST_NAME} printable characters, got another text")
        return Address(target.kind, written)
    whole = f"client:{written}" if target.kind == "client" else written
    kind = next(kind for kind, (prefix, _, _) in _PEOPLE.items() if whole.startswith(prefix))
    if target.kind not in {kind, "number"} or not _PEOPLE[kind][1].fullmatch(whole):
        raise MayNotDial(f"expected {_PEOPLE[target.kind][2]}, got another text")
    if not may_dial(whole):
        raise MayNotDial(f"this {kind} is not one that may be dialled")
    return Address(kind, whole.removeprefix("client:"))


_PEOPLE: Final = {
    "client": ("client:", CLIENT, "a client's name of letters, digits and _.@+-"),
    "sip": ("sip", _SIP, "a SIP address with sip:"),
    "number": ("", E164, "a number in E.164"),
}
