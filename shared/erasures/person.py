"""Whom an erasure is about: one phone, or one user, with every address that is theirs. Pure."""

import re
from typing import Final

from shared.deliveries import keys
from shared.text.numbers import E164, SHORT_CODE, NumberInvalid, searchable

_NUMBERED: Final = ("whatsapp:", "rcs:")
"""prefixes of addresses that hold a phone number"""
_NAMED: Final = re.compile(r"[a-z]+:\S{1,140}")
"""an address that holds none, such as `messenger:` or `client:` and a name"""


def addresses(value: str, *, region: str | None) -> tuple[str, ...]:
    """Return the addresses of the person who has this one; of a phone, those of every channel.

    Raises:
        NumberInvalid: it is no address that a delivery can have.
    """
    address = searchable(value.strip(), region=region)
    prefix = next((known for known in _NUMBERED if address.startswith(known)), "")
    number = address.removeprefix(prefix)
    if E164.fullmatch(number):
        return (number, *(known + number for known in _NUMBERED))
    if not (SHORT_CODE.fullmatch(address) or _NAMED.fullmatch(address)):
        raise NumberInvalid("expected E.164, such as +14155550100, or an address with a prefix, such as messenger:")
    return (address,)


def digests(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands for these addresses in keys."""
    return tuple(dict.fromkeys(digest for address in addresses for digest in keys.digests(address)))
