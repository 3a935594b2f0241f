"""Phone numbers and the other addresses that Twilio knows: to E.164, their country, and how to show them in a log."""

import re
import unicodedata
from typing import Final

import phonenumbers

from shared.errors import SwitchboardError
from shared.text.area_codes import COUNTRIES
from shared.text.channels import MESSENGER, PREFIXES, RCS_SENDER, SIP, WHATSAPP_USER, has_no_number
from shared.text.spellings import number_of, person

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
_NUMBERED: Final = (WHATSAPP, "rcs:")
"""prefixes that may stand before a number"""
_INVISIBLE: Final = frozenset({"Zs", "Cf"})
"""white space and format characters, which come along when a number is copied: https://www.unicode.org/reports/tr44/"""
_NAME_EXPECTED: Final = (
    "expected a number, a short code, a Messaging Service's SID, or a name of at most 11 letters, digits, spaces and"
    " &_+- with one letter (https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id)"
)
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
_WRITTEN: Final = re.compile(r"\+?[0-9()./\u2010-\u2015-]{1,40}")


class NumberInvalid(SwitchboardError):
    """Not an address that can be used in this place."""


def cleaned(value: str) -> str:
    """Return a number as it was meant: without the white space and the format characters that were copied with it."""
    return "".join(character for character in value if unicodedata.category(character) not in _INVISIBLE)


def to_e164(value: str, *, region: str | None) -> str:
    """Bring a phone number to E.164.

    A national number is understood only where `region` (an ISO country) says whose it is. A number is taken if one of
    its spellings is possible: whether it exists is Twilio's to say. See https://www.twilio.com/docs/glossary/what-e164.

    Raises:
        NumberInvalid: it is no possible number, or national and no region is known.
    """
    value = cleaned(value)
    if region is None and not value.startswith("+"):
        raise NumberInvalid("expected E.164 (+ and the country's code), as DEFAULT_REGION is not set")
    if not _WRITTEN.fullmatch(value):
        raise NumberInvalid("expected a phone number of digits, spaces and ()./- only")
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException as exc:
        raise NumberInvalid("expected a phone number, such as +14155550100") from exc
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension or not phonenumbers.is_possible_number(phonenumbers.parse(person(found))):
        raise NumberInvalid("expected a phone number of a possible length, without an extension")
    return found


def recipient(value: str, *, channel: str, region: str | None) -> str:
    """Bring `to` to the form that Twilio takes.

    That is E.164; for messages also `whatsapp:` or `rcs:` and E.164, a WhatsApp user, or `messenger:` and a user; for
    calls also `client:` and a name.

    Raises:
        NumberInvalid: it is none of these, or not one of this channel.
    """
    address = cleaned(value)
    if channel == "call":
        return _callee(value, address, region=region)
    if has_no_number(address):
        return address
    prefix = next((known for known in _NUMBERED if address.startswith(known)), "")
    return prefix + to_e164(address.removeprefix(prefix), region=region)


def _callee(value: str, address: str, *, region: str | None) -> str:
    if address.startswith("client:"):
        if not CLIENT.fullmatch(value):
            raise NumberInvalid("expected client: and a name of letters, digits and _.@+-")
        return value
    if address.startswith(PREFIXES):
        raise NumberInvalid("expected a number or client:, as whatsapp:, rcs: and messenger: are for messages")
    return to_e164(address, region=region)


def sender(value: str, *, channel: str, region: str | None) -> str:
    """Bring `from` to the form that Twilio takes.

    A message may also come from a short code, a name, a Messaging Service, an RCS sender or a Facebook page.

    Raises:
        NumberInvalid: it can't be a sender of this channel.
    """
    address = cleaned(value)
    if channel != "sms":
        return recipient(value, channel=channel, region=region)
    if any(pattern.fullmatch(address) for pattern in (MESSAGING_SERVICE, SHORT_CODE, RCS_SENDER, MESSENGER)):
        return address
    if address.startswith(WHATSAPP):
        return WHATSAPP + to_e164(address.removeprefix(WHATSAPP), region=region)
    name = _name(value)
    if ALPHANUMERIC_SENDER.fullmatch(name):
        return name
    if ":" not in name and any(map(str.isalpha, name)):
        raise NumberInvalid(_NAME_EXPECTED)
    return to_e164(address, region=region)


def _name(value: str) -> str:
    """Return an alphanumeric sender ID as it was meant: the spaces within it count."""
    visible = (character for character in value if unicodedata.category(character) != "Cf")
    return "".join(" " if unicodedata.category(character) == "Zs" else character for character in visible).strip(" ")


def as_sender(number: str, *, to: str) -> str | None:
    """Return an own number as the sender of a message to an address; None if no number can write there."""
    if to.startswith(WHATSAPP):
        return WHATSAPP + number
    return None if to.startswith(("rcs:", "messenger:")) else number


def searchable(value: str, *, region: str | None) -> str:
    """Bring an address to the form in which deliveries keep it: of a recipient, or of one's own end.

    Raises:
        NumberInvalid: no delivery can have it.
    """
    address = cleaned(value)
    if any(pattern.fullmatch(address) for pattern in (CLIENT, SIP, RCS_SENDER)):
        return address
    try:
        return recipient(address, channel="sms", region=region)
    except NumberInvalid:
        if SHORT_CODE.fullmatch(address):
            return address
        raise


def country(address: str) -> str | None:
    """Return the ISO country of a number in E.164, with or without `whatsapp:` or `rcs:`, or that of a WhatsApp user.

    None if it is not known: so it is of every `messenger:` address. A number of +1 that libphonenumber does not know
    has the country of its area code, by the plan's own list.
    """
    user = WHATSAPP_USER.fullmatch(address)
    if user is not None:
        return user["country"] if user["country"] in phonenumbers.SUPPORTED_REGIONS else None
    bare = number_of(address)
    if bare is None:
        return None
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(person(bare)))
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
    if not E164.fullmatch(number) or country(number) is None:
        return False
    parsed = phonenumbers.parse(person(number))
    if phonenumbers.is_valid_number(parsed):
        return phonenumbers.number_type(parsed) in _ORDINARY
    # the geographic area codes hold fixed and mobile numbers only
    return _by_area_code(number) is not None


def costs_more(address: str) -> bool:
    """Tell whether a number in E.164, with or without a prefix, is known as a premium-rate or shared-cost one.

    So is a number that goes on behind one: exchanges ignore the digits that are too many.
    """
    number = number_of(address)
    if number is None:
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
    prefix = next((known for known in PREFIXES if address.startswith(known)), "")
    bare = address.removeprefix(prefix)
    if not bare:
        return "…"
    head = min(len(bare) // 2 - _TAIL, _HEAD)
    return prefix + (f"{bare[:head]}…{bare[-_TAIL:]}" if head > 0 else "…")
