"""docs/reference/addresses.md shows which numbers are one phone, and which are not."""

import re

from shared.text.numbers import recipient, searchable
from shared.text.spellings import person
from tests.web.app import ROOT

PAGE = (ROOT / "docs" / "reference" / "addresses.md").read_text("utf-8")


def rows(title: str, columns: int) -> list[list[list[str]]]:
    """Return a table's rows under a title: for each cell, what it shows as code."""
    table = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("|")][2:]
    assert all(len(cells) == columns for cells in lines)
    return [[re.findall(r"`([^`]+)`", cell) for cell in cells] for cells in lines]


def test_the_numbers_that_the_page_calls_one_phone_are_one_person() -> None:
    shown = rows("One phone, several spellings", 3)
    assert len(shown) == 4
    for _, same, others in shown:
        assert len({person(address) for address in same}) == 1
        assert len({person(address) for address in [*others, same[0]]}) == len(others) + 1


def test_every_address_that_the_page_shows_is_taken() -> None:
    shown = rows("Accepted addresses", 4)
    assert len(shown) == 6
    for _, [address], uses, _ in shown:
        channel = "call" if address.startswith("client:") else "sms"
        assert recipient(address, channel=channel, region=None) == searchable(address, region=None) == address
        assert uses == []
