"""The address that a step dials, once its text is written: what Twilio takes there, and what this app allows. Pure."""

import re
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shared.text.numbers import CLIENT, E164, cleaned
from shared.text.templates.engine import Text
from shared.text.templates.plain import Plain
from shared.text.tolls import Countries, NotAllowed, check_literal, check_value

_SIP: Final = re.compile(
    r"sips?:[A-Za-z0-9_.!~*'()&=+$,/%-]{1,100}@[A-Za-z0-9.-]{1,100}(:[0-9]{1,5})?(;[A-Za-z0-9_=.;-]{1,100})?"
)
_LONGEST_NAME: Final = 64
"""characters of a queue's name: https://www.twilio.com/docs/voice/twiml/enqueue"""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A number, client, SIP address, queue or conference that a step dials."""

    kind: Literal["number", "client", "sip", "queue", "conference"]
    name: Text | Plain
    """a number, a client's name without `client:`, or an address with `sip:`; it may come from the request's data"""

    @property
    def is_literal(self) -> bool:
        """Whether the operator wrote the whole name, so that no value of a call can change it."""
        return isinstance(self.name, Plain) or not self.name.names


class MayNotDial(Exception):
    """Nobody that could be dialled, or who may be; the message holds no address."""


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody who may be dialled."""

    kind: str
    name: str
    """a number, the name of a client, queue or conference, or a SIP address"""

    @property
    def whole(self) -> str:
        """A person's address with its prefix: a number, `client:NAME`, or `sip:…`."""
        return f"client:{self.name}" if self.kind == "client" else self.name

    @property
    def is_person(self) -> bool:
        """Whether somebody answers there, who can hear a whisper and press a key before."""
        return self.kind in {"number", "client", "sip"}


def address(target: Target, written: str, allowed: Countries) -> Address:
    """Return the address to dial.

    Args:
        target: of a flow.
        written: its text, which may come from a request's data or from a caller.
        allowed: ALLOWED_COUNTRIES; queues and conferences are this account's own.

    Raises:
        MayNotDial: it is no such address, or ALLOWED_COUNTRIES refuses it.
    """
    reached = read_address(target, written)
    if reached.is_person:
        check = check_literal if target.is_literal else check_value
        try:
            check(reached.whole, allowed)
        except NotAllowed as exc:
            raise MayNotDial(str(exc)) from exc
    return reached


def read_address(target: Target, written: str) -> Address:
    """Return the address that a text names, allowed or not.

    Raises:
        MayNotDial: it is none of the kind that the target takes.
    """
    if target.kind in {"queue", "conference"}:
        if not written.isprintable() or not 0 < len(written) <= _LONGEST_NAME:
            raise MayNotDial(f"expected a name of 1 to {_LONGEST_NAME} printable characters, got another text")
        return Address(target.kind, written)
    whole = f"client:{written}" if target.kind == "client" else written
    kind = next(kind for kind, (prefix, _, _) in _PEOPLE.items() if whole.startswith(prefix))
    whole = cleaned(whole) if kind == "number" else whole
    if target.kind not in {kind, "number"} or not _PEOPLE[kind][1].fullmatch(whole):
        raise MayNotDial(f"expected {_PEOPLE[target.kind][2]}, got another text")
    return Address(kind, whole.removeprefix("client:"))


_PEOPLE: Final = {
    "client": ("client:", CLIENT, "a client's name of letters, digits and _.@+-"),
    "sip": ("sip", _SIP, "a SIP address with sip:"),
    "number": ("", E164, "a number in E.164"),
}
