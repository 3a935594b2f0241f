"""The rules of ALLOWED_COUNTRIES: which recipients and which dialled addresses are refused as toll fraud. Pure.

The author of an address decides the rule:

- The operator, in a flow file or a twimlet's URL: the country of a number must be allowed.
- A request, as `to`: also, no premium-rate or shared-cost number.
- A browser, or a value in a flow (a request's data, an input, the caller, a setting): also, the number must be valid
  and of an ordinary kind, and a SIP address that holds a number counts as that number.
"""

import re
from typing import Final
from urllib.parse import unquote

from shared.errors import SwitchboardError
from shared.text.numbers import costs_more, country, is_ordinary

Countries = frozenset[str] | None
"""ISO countries; None is all of them"""
_SIP: Final = re.compile(r"sips?:(?P<user>[^@]*)@[^@;?]*(?P<parameters>(;[^@;?]*)*)")
_SEPARATORS: Final = re.compile(r"[-.() ]")
"""visual separators of a telephone number: https://www.rfc-editor.org/rfc/rfc3966#section-5.1.1"""
_DIGITS: Final = re.compile(r"\+?[0-9]+")
_INTERNATIONAL: Final = re.compile(r"^(\+|00|011)")
"""prefixes of an international number: https://www.itu.int/rec/T-REC-E.123 and, for 011, the plan of +1"""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.~-]*")
_MOST_DIGITS_IN_A_NAME: Final = 6
_LONGEST_EXTENSION: Final = 4
"""digits of a SIP user that is taken for an extension of that host, and not for a number"""
_NO_NUMBER: Final = "no number"
_HARMLESS: Final = frozenset({"edge", "region", "secure", "transport", "user"})
"""parameters of https://www.twilio.com/docs/voice/twiml/sip, and `user`; `maddr`, `phone-context` … lead elsewhere"""


class NotAllowed(SwitchboardError):
    """The address may not be texted or called; the message holds a country and no address."""


def check_literal(address: str, allowed: Countries) -> None:
    """Check a number, `client:NAME` or `sip:…` that an operator wrote.

    Raises:
        NotAllowed: it is a number of another country, or a SIP address that begins with one.
    """
    number = address.partition(":")[2].partition("@")[0] if _is_sip(address) else address
    if number.startswith("+"):
        _check_country(number, allowed)


def check_recipient(address: str, allowed: Countries) -> None:
    """Check the recipient of a message or a call; `client:` is always allowed.

    Raises:
        NotAllowed: ALLOWED_COUNTRIES is set, and this is a number or a WhatsApp user of another country, a number that
            costs more, or an address whose country is not known, as of every `messenger:` one.
    """
    if allowed is None or address.startswith("client:"):
        return
    _check_country(address, allowed)
    _check_cost(address)


def check_value(address: str, allowed: Countries) -> None:
    """Check a number, `client:NAME` or `sip:…` that a flow writes with values, or that a browser asks for.

    Raises:
        NotAllowed: the number costs more; or ALLOWED_COUNTRIES is set, and the number is of another country, or not a
            valid one of an ordinary kind, or it can't be told whether the SIP address leads to a number.
    """
    if address.startswith("client:"):
        return
    number = _number_within(address) if _is_sip(address) else address
    if number is None and allowed is not None:
        raise NotAllowed("expected the user of a SIP address to be a name, a short extension or a number in E.164")
    if number is None or number == _NO_NUMBER:
        return
    _check_cost(number)
    if allowed is not None:
        _check_country(number, allowed)
        if not is_ordinary(number):
            raise NotAllowed("expected a valid number of an ordinary kind, got another")


def _check_country(number: str, allowed: Countries) -> None:
    if allowed is None:
        return
    found = country(number)
    if found is None:
        raise NotAllowed("expected a number of ALLOWED_COUNTRIES, got another: its country is not known")
    if found not in allowed:
        raise NotAllowed(f"expected a number of ALLOWED_COUNTRIES, got one of {found}")


def _check_cost(number: str) -> None:
    if costs_more(number):
        raise NotAllowed("expected a number of an ordinary kind, got a premium-rate or shared-cost one")


def _is_sip(address: str) -> bool:
    return address.startswith(("sip:", "sips:"))


def _number_within(address: str) -> str | None:
    """Return the number that a SIP address leads to; None if that can't be told, _NO_NUMBER for a name or an extension.

    A gateway dials the user part of a SIP address: https://www.rfc-editor.org/rfc/rfc3261#section-19.1.1. Digits
    without a prefix are read as an international number, because a gateway may do so.
    """
    parts = _SIP.fullmatch(address)
    if parts is None:
        return None
    user = unquote(parts["user"])
    pairs = [pair.partition("=") for pair in parts["parameters"].lower().split(";") if pair]
    if not {name for name, _, _ in pairs} <= _HARMLESS:
        return None
    is_phone = ("user", "=", "phone") in pairs
    bare = _SEPARATORS.sub("", user)
    if _DIGITS.fullmatch(bare):
        is_extension = len(bare) <= _LONGEST_EXTENSION and not (is_phone or bare.startswith("+"))
        return _NO_NUMBER if is_extension else "+" + _INTERNATIONAL.sub("", bare)
    is_name = _NAME.fullmatch(user) and sum(map(str.isdigit, user)) <= _MOST_DIGITS_IN_A_NAME
    return _NO_NUMBER if is_name and not is_phone else None
