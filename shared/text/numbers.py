"""Phone numbers and the other addresses that Twilio knows: to E.164, their country, and how to show them in a log."""

import re
from typing import Final

import phonenumbers

from shared.errors import SwitchboardError
from shared.text.area_codes import COUNTRIES

E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")
CLIENT: Final = re.compile(r"client:[A-Za-z0-9_.@+-]{1,120}")
IDENTITY: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
"""whom an access token for a browser may name: https://www.twilio.com/docs/iam/access-tokens"""
MESSAGING_SERVICE: Final = re.compile(r"MG[0-9a-f]{32}")
SHORT_CODE: Final = re.compile(r"[0-9]{3,8}")
ALPHANUMERIC_SENDER: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &_+-]{1,11}")
WITHHELD: Final = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", "+464"})
"""the numbers of nobody that stand for a hidden caller: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a
keypad, and +464 (seen in public reports; Twilio has no list)"""
WHATSAPP: Final = "whatsapp:"
_ORDINARY: Final = frozenset(
    {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.VOIP,
        phonenumbers.PhoneNumberType.UAN,
    }
)
_COSTLY: Final = frozenset({phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST})
_NORTH_AMERICAN: Final = re.compile(r"\+1([2-9][0-9]{2})[2-9](?!11)[0-9]{6}")
"""a number of the plan of +1, with its area code: https://www.nanpa.com/about"""
_SHORTEST: Final = 5
"""characters of the shortest number that is looked for within a longer one"""
_HEAD: Final = 5
_TAIL: Final = 2
# phonenumbers finds a number inside other text and drops letters that stand between digits: neither is ours to guess
_WRITTEN: Final = re.compile(r"\+?[0-9 \u00a0()./\u2010-\u2015-]{1,40}")


class NumberInvalid(SwitchboardError):
    """Not an address that can be used in this place."""


def to_e164(value: str, *, region: str | None) -> str:
    """Bring a phone number to E.164.

    A national number is understood only where `region` (an ISO country) says whose it is. A number is taken when it is
    possible: whether it exists is Twilio's to say. See https://www.twilio.com/docs/glossary/what-e164.

    Raises:
        NumberInvalid: it is no possible number, or national and no region is known.
    """
    if region is None and not value.startswith("+"):
        raise NumberInvalid("expected E.164 (+ and the country's code), as DEFAULT_REGION is not set")
    if not _WRITTEN.fullmatch(value):
        raise NumberInvalid("expected a phone number of digits, spaces and ()./- only")
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as exc:
        raise NumberInvalid("expected a phone number, such as +14155550100") from exc
    if number.extension or not phonenumbers.is_possible_number(number):
        raise NumberInvalid("expected a phone number of a possible length, without an extension")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def recipient(value: str, *, channel: str, region: str | None) -> str:
    """Bring `to` to the form that Twilio takes: E.164, `whatsapp:` and E.164 (texts), or `client:` and a name (calls).

    Raises:
        NumberInvalid: it is none of these, or not one of this channel.
    """
    if channel == "call" and value.startswith("client:"):
        if not CLIENT.fullmatch(value):
            raise NumberInvalid("expected client: and a name of letters, digits and _.@+-")
        return value
    if channel == "sms" and value.startswith(WHATSAPP):
        return WHATSAPP + to_e164(value.removeprefix(WHATSAPP), region=region)
    return to_e164(value, region=region)


def sender(value: str, *, channel: str, region: str | None) -> str:
    """Bring `from` to the form that Twilio takes; texts may also come from a short code, a name or a Messaging Service.

    Raises:
        NumberInvalid: it can't be a sender of this channel.
    """
    if channel == "sms":
        named = (MESSAGING_SERVICE, SHORT_CODE, ALPHANUMERIC_SENDER)
        if any(pattern.fullmatch(value) for pattern in named):
            return value
    return recipient(value, channel=channel, region=region)


def searchable(value: str, *, region: str | None) -> str:
    """Bring the recipient of a search to the form in which deliveries are kept; what is no number stays as it is."""
    prefix, _, bare = value.rpartition(":")
    try:
        number = to_e164(bare, region=region)
    except NumberInvalid:
        return value
    return f"{prefix}:{number}" if prefix else number


def country(address: str) -> str | None:
    """Return the ISO country of an E.164 number, with or without `whatsapp:`; None if its country is not known.

    A number of +1 that libphonenumber does not know has the country of its area code, by the plan's own list.
    """
    bare = address.removeprefix(WHATSAPP)
    if not E164.fullmatch(bare):
        return None
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(bare))
    except phonenumbers.NumberParseException:
        return None
    if region is None:
        return _by_area_code(bare)
    return None if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else region


def _by_area_code(number: str) -> str | None:
    found = _NORTH_AMERICAN.fullmatch(number)
    return None if found is None else COUNTRIES.get(found[1])


def is_ordinary(number: str) -> bool:
    """Tell whether a number in E.164 is a valid one of a country, and of a kind that costs no more than usual.

    No premium, short or personal one is; nor one of a satellite or another network of no country.
    """
    if country(number) is None:
        return False
    parsed = phonenumbers.parse(number)
    if phonenumbers.is_valid_number(parsed):
        return phonenumbers.number_type(parsed) in _ORDINARY
    # the geographic area codes hold fixed and mobile numbers only
    return _by_area_code(number) is not None


def costs_more(address: str) -> bool:
    """Tell whether a number in E.164, with or without `whatsapp:`, is known as a premium-rate or shared-cost one.

    So is a number that goes on behind one: exchanges ignore the digits that are too many.
    """
    number = address.removeprefix(WHATSAPP)
    if not E164.fullmatch(number):
        return False
    for end in range(len(number), _SHORTEST, -1):
        try:
            parsed = phonenumbers.parse(number[:end])
        except phonenumbers.NumberParseException:
            continue
        kind = phonenumbers.number_type(parsed)
        if kind != phonenumbers.PhoneNumberType.UNKNOWN:
            return kind in _COSTLY
    return False


def mask(address: str | None) -> str:
    """Show enough of an address to recognize it in a log, and never more than half of it: `+141…00`."""
    if not address:
        return "-"
    prefix = next((known for known in (WHATSAPP, "client:") if address.startswith(known)), "")
    bare = address.removeprefix(prefix)
    if not bare:
        return "…"
    head = min(len(bare) // 2 - _TAIL, _HEAD)
    return prefix + (f"{bare[:head]}…{bare[-_TAIL:]}" if head > 0 else "…")
