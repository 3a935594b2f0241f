"""The spellings of one phone: which addresses are one person's, whichever way Twilio or a caller writes them. Pure.

Neither Twilio nor Meta documents which spelling a webhook has. Reports show both, for customers' numbers and for own
ones: https://github.com/chatwoot/chatwoot/issues/14048 (Mexico), https://github.com/chatwoot/chatwoot/pull/14264
(Brazil and Argentina). An address is sent as it was written; only a comparison uses the canonical form.
"""

import re
from typing import Final

_ADDRESS: Final = re.compile(r"(?P<prefix>(whatsapp:|rcs:)?)(?P<number>\+[1-9][0-9]{1,14})")
_RCS: Final = "rcs:"
_OTHER_SPELLINGS: Final = (
    # WhatsApp keeps a 1 that the plan has dropped: https://faq.whatsapp.com/640432094208718
    (re.compile(r"\+521([2-9][0-9]{9})"), r"+52\1"),
    # WhatsApp leaves out the ninth digit of older accounts. A number that begins with 2 to 5 is a landline's, and with
    # a 9 before it another phone: https://github.com/devlikeapro/waha/issues/1974
    (re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})"), r"+55\g<1>9\2"),
    # the 9 tells an exchange that a mobile phone is called; it is no part of the subscriber's number
    (re.compile(r"\+549([1-3][0-9]{9})"), r"+54\1"),
)
"""spellings, and the canonical form of each"""
_CANONICAL: Final = (
    (re.compile(r"\+52([2-9][0-9]{9})"), r"+521\1"),
    (re.compile(r"\+55([1-9]{2})9([6-9][0-9]{7})"), r"+55\1\2"),
    (re.compile(r"\+54([1-3][0-9]{9})"), r"+549\1"),
)
"""canonical forms, and the other spelling of each"""


def person(address: str) -> str:
    """Return the canonical form of an address: the same one for every spelling of one phone.

    `whatsapp:` stays: it is another way to a person, with a consent of its own. `rcs:` goes: Twilio itself sends a text
    as RCS or as SMS, and an opt-out from either holds for both.
    https://www.twilio.com/en-us/changelog/twilio-now-supports-unified-opt-outs-across-rcs--sms--and-mms-ch
    What is no number, with one of these prefixes or none, is its own canonical form.
    """
    return spellings(address)[0]


def spellings(address: str) -> tuple[str, ...]:
    """Return the forms in which earlier versions kept an address, and its other spellings: the canonical form first.

    `rcs:` forms are among them only for an address with `rcs:`.
    """
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        return (address,)
    prefix = parts["prefix"]
    numbers = _of_number(parts["number"])
    if prefix != _RCS:
        return tuple(prefix + number for number in numbers)
    return (*numbers, *(prefix + number for number in numbers))


def _of_number(number: str) -> tuple[str, ...]:
    canonical = _rewritten(number, _OTHER_SPELLINGS) or number
    other = _rewritten(canonical, _CANONICAL)
    return (canonical,) if other is None else (canonical, other)


def _rewritten(number: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str | None:
    for pattern, form in rules:
        if pattern.fullmatch(number):
            return pattern.sub(form, number)
    return None


def number_of(address: str) -> str | None:
    """Return the number of an address in E.164, with or without `whatsapp:` or `rcs:`; None for any other address."""
    parts = _ADDRESS.fullmatch(address)
    return None if parts is None else parts["number"]
