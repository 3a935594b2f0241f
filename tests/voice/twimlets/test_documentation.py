"""docs/how-to/twimlets.md names each twimlet with its parameters, and its examples do what is said there."""

import re
from typing import Final

import pytest

from shared.voice.twimlets.conference import MUSIC
from shared.voice.twimlets.parameters import KNOWN
from shared.voice.twimlets.walk import TWIMLETS
from tests.voice.twimlets.makers import asked, problems
from tests.web.app import ROOT

DOCUMENTATION: Final = (ROOT / "docs" / "how-to" / "twimlets.md").read_text("utf-8")
IN_ALL: Final = {"Voice", "Language"}


def rows() -> dict[str, str]:
    """The parameters of each twimlet, by its name."""
    table = DOCUMENTATION.partition("\n## The twimlets\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z]+)` \| (.*?) \| ", table, re.MULTILINE))


def test_every_twimlet_has_a_row_and_no_other() -> None:
    assert rows().keys() == TWIMLETS.keys()


def test_every_parameter_is_one_of_some_twimlet_and_no_other() -> None:
    named = {name for row in rows().values() for name in re.findall(r"`([A-Z][A-Za-z]+)(?:\[\w+\])?`", row)}
    assert named == KNOWN - IN_ALL
    assert all(f"`{name}`" in DOCUMENTATION for name in IN_ALL | MUSIC.keys())


@pytest.mark.parametrize("name", TWIMLETS)
def test_what_a_twimlet_reads_is_in_its_row(name: str) -> None:
    given = {"Options[1]": "https://example.com", "PhoneNumbers[0]": "415-555-1212", "PhoneNumber": "415-555-1212"}
    needed = {key: value for key, value in given.items() if key.partition("[")[0] in rows()[name]}
    query = "&".join(f"{key}={value}" for key, value in {"Message": "Hello", **needed}.items())
    assert problems(asked(f"{name}?{query}")) == []


def test_the_first_example_answers_as_of_old() -> None:
    [there] = re.findall(r"^https://YOUR-HOST/api/twimlets/(\S+)$", DOCUMENTATION, re.MULTILINE)
    assert asked(there).said == ["Hello"]


def test_the_url_of_the_second_example_is_a_menu() -> None:
    [there] = re.findall(r'"http://127\.0\.0\.1:7071/api/twimlets/(menu\S+)"', DOCUMENTATION)
    document = asked(there)
    assert (document.said, problems(document)) == (["Press 1."], [])
