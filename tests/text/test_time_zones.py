import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from shared.text.numbers import E164
from shared.text.time_zones import find, zones_of


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+12125551234", ("America/New_York",)),
        ("+4915123456789", ("Europe/Berlin",)),
        ("whatsapp:+34928123456", ("Atlantic/Canary",)),
        ("+61212345678", ("Australia/Sydney",)),
    ],
)
def test_a_number_tells_its_zone(number: str, zones: tuple[str, ...]) -> None:
    assert zones_of(number) == zones


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
