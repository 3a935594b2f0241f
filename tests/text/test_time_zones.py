import subprocess
import sys
from importlib import resources
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from shared.text.numbers import E164, country
from shared.text.time_zones import find, zones_of

TABLE = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12125551234", ("America/New_York",)),
        ("+4915123456789", ("Europe/Berlin",)),
        ("whatsapp:+34928123456", ("Atlantic/Canary",)),
        ("+61212345678", ("Australia/Sydney",)),
        ("+18762101234", ("America/Jamaica",)),
        ("whatsapp:+18762101234", ("America/Jamaica",)),
        ("+18682911234", ("America/Port_of_Spain",)),
        ("+12423591234", ("America/Nassau",)),
        ("+16847331234", ("Pacific/Pago_Pago",)),
        ("+16713001234", ("Pacific/Guam",)),
        ("+17871234567", ("America/Puerto_Rico",)),
        ("+553188887777", ("America/Sao_Paulo",)),
        ("+5531988887777", ("America/Sao_Paulo",)),
        ("+525512345678", ("America/Mexico_City",)),
        ("whatsapp:+5215512345678", ("America/Mexico_City",)),
        ("rcs:+4915123456789", ("Europe/Berlin",)),
        ("whatsapp:DE.13491208655302741918", ("Europe/Berlin", "Europe/Busingen")),
        ("+447781123456", ("Europe/Guernsey",)),
        ("+390669812345", ("Europe/Vatican",)),
    ],
)
def test_a_number_tells_its_zone(number: str, zones: tuple[str, ...]) -> None:
    assert zones_of(number) == zones


def test_a_number_of_kazakhstan_has_no_zone_of_russia_and_the_other_way_round() -> None:
    assert set(zones_of("+77011234567")) == {"Asia/Almaty", "Asia/Aqtobe"}
    assert {"Europe/Moscow", "Asia/Kamchatka"} < set(zones_of("+79161234567"))
    assert not set(zones_of("+77011234567")) & set(zones_of("+79161234567"))


@pytest.mark.parametrize("number", ["+18612345678", "+18002345678", "+15002345678"])
def test_a_number_of_the_states_whose_place_is_not_known_has_the_zones_of_the_states_alone(number: str) -> None:
    zones = set(zones_of(number))
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} < zones
    assert not zones & {"America/Jamaica", "America/Toronto", "Pacific/Guam", "America/Puerto_Rico"}


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_kind_of_number_of_a_country_has_zones_and_none_of_another_country(region: str) -> None:
    codes = {line.split("\t")[2]: line.split("\t")[0] for line in TABLE.splitlines() if not line.startswith("#")}
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        example = phonenumbers.example_number_for_type(region, kind)
        number = example and phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        if number and country(number) == region:
            zones = zones_of(number)
            assert zones, number
            # Ascension, Tristan da Cunha and Kosovo have no line in the list
            assert {codes.get(name, region) for name in zones} == {region} or region in {"AC", "TA", "XK"}, zones


def test_a_number_of_a_whole_country_has_all_of_its_zones() -> None:
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} < set(zones_of("+18002345678"))


@pytest.mark.parametrize(
    "address",
    [
        "+88216123456",  # a satellite's
        "+870773111632",
        "+999123456789",  # no country's
        "+12",
        "+1123456789012345",
        "client:anna",
        "client:+12125551234",
        "whatsapp:+12125551234\n",
        "12345",
        "ACME",
        "MG00000000000000000000000000000000",
        "2125551234",
        "",
        "whatsapp:",
    ],
)
def test_what_tells_no_zone_has_none(address: str) -> None:
    assert zones_of(address) == ()


@given(st.from_regex(E164, fullmatch=True))
def test_every_zone_of_a_number_is_one_that_python_knows(number: str) -> None:
    for name in zones_of(number):
        assert isinstance(find(name), ZoneInfo)
    assert zones_of(number) == zones_of(f"whatsapp:{number}")


def test_a_zone_that_python_does_not_know_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TIMEZONE_DATA, "34928", ("Atlantic/Canary", "Atlantic/Atlantis"))
    assert zones_of("+34928123456") == ("Atlantic/Canary",)


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Asia/Kathmandu"])
def test_a_zone_is_found_by_its_name(name: str) -> None:
    assert find(name) == ZoneInfo(name)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/", "../UTC", "/etc/passwd", "Mars/Base", "a\0b", "x" * 5000, "Ü", "Etc/Unknown"]
)
def test_what_names_no_zone_finds_none(name: str) -> None:
    assert find(name) is None


def test_the_table_of_numbers_and_zones_is_read_only_when_it_is_asked() -> None:
    asked = (
        "import sys; from shared.text import time_zones; print('phonenumbers.timezone' in sys.modules); "
        "time_zones.zones_of('+12125551234'); print('phonenumbers.timezone' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert told.stdout.split() == ["False", "True"]
