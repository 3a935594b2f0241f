"""IANA time zones: by name, and those in which a phone number may be."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import phonenumbers

from shared.text.numbers import country
from shared.text.spellings import number_of, person


def find(name: str) -> ZoneInfo | None:
    """Return the time zone of this IANA name, such as Europe/Berlin; None where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # an unknown name, a name that is no path, a folder's name
        return None


def zones_of(address: str) -> tuple[str, ...]:
    """Return the IANA zones in which a number in E.164, with or without `whatsapp:` or `rcs:`, may be.

    They are those of its place where the number tells it (landlines, and mobiles of some countries), else all of its
    country's; never those of another country that shares the calling code, as some twenty share +1. None are known of a
    number whose country is not known, such as a satellite phone's, of `client:`, `messenger:` and of short codes. A
    WhatsApp user without a number has the zones of the country in its id.
    https://github.com/google/libphonenumber/blob/master/java/geocoder/src/com/google/i18n/phonenumbers/PhoneNumberToTimeZonesMapper.java
    """
    home = country(address)
    if home is None:
        return ()
    number = number_of(address)
    places = () if number is None else _zones_of_place(phonenumbers.parse(person(number)))
    countries = _zones_of_countries()
    own = countries.get(home, ())
    # Kosovo and Ascension have no line in the list of countries, and zones of others
    elsewhere = {name for zones in countries.values() for name in zones}.difference(own) if own else frozenset[str]()
    # libphonenumber calls some zones by an older name, which that list does not have either
    found = [name for name in places if name not in elsewhere] or own
    return tuple(name for name in found if find(name) is not None)


def _zones_of_place(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    """Return the zones of the longest known beginning of a number, and of the calling code for a mobile number.

    A number that libphonenumber does not know is looked for by its beginning: a Brazilian mobile number without its
    ninth digit has its place all the same.
    """
    # Only who has set quiet hours needs these tables: they cost 2 ms and half a megabyte.
    from phonenumbers import timezone  # noqa: PLC0415 - not at the start of every app

    is_known = phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.UNKNOWN
    look = timezone.time_zones_for_number if is_known else timezone.time_zones_for_geographical_number
    names: tuple[str, ...] = look(number)
    return tuple(name for name in names if name != timezone.UNKNOWN_TIMEZONE)


@cache
def _zones_of_countries() -> Mapping[str, tuple[str, ...]]:
    """Return the zones of each ISO country: https://data.iana.org/time-zones/tzdb/zone.tab."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    zones: dict[str, tuple[str, ...]] = {}
    for line in table.splitlines():
        if not line.startswith("#"):
            code, _, name = line.split("\t")[:3]
            zones[code] = (*zones.get(code, ()), name)
    return zones
