"""IANA time zones: by name, and those in which a phone number may be."""

from zoneinfo import ZoneInfo

import phonenumbers

from shared.text.numbers import E164, WHATSAPP


def find(name: str) -> ZoneInfo | None:
    """Return the time zone of this IANA name, such as Europe/Berlin; None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # an unknown name, a name that is no path, a folder's name
        return None


def zones_of(number: str) -> tuple[str, ...]:
    """Return the IANA zones in which an E.164 number, with or without `whatsapp:`, may be.

    They are those of its place where the number tells it (landlines, and mobiles of some countries), else all of its
    country's. None are known of numbers that don't exist, satellite phones, `client:` and short codes.
    https://github.com/google/libphonenumber/blob/master/java/geocoder/src/com/google/i18n/phonenumbers/PhoneNumberToTimeZonesMapper.java
    """
    bare = number.removeprefix(WHATSAPP)
    if not E164.fullmatch(bare):
        return ()
    # Only who has set quiet hours needs these tables: they cost 2 ms and half a megabyte.
    from phonenumbers import timezone  # noqa: PLC0415 - not at the start of every app

    try:
        names = timezone.time_zones_for_number(phonenumbers.parse(bare))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(name for name in names if name != timezone.UNKNOWN_TIMEZONE and find(name) is not None)
