"""docs/how-to/consent.md says which words count, how a consent is known, and what answers by default."""

import re

import pytest

from shared.consents.words import HELP, START, STOP
from tests.fakes import make_settings
from tests.web.app import ROOT

PAGE = (ROOT / "docs" / "how-to" / "consent.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("word", "texts"), [("STOP", STOP), ("START", START), ("HELP", HELP)])
def test_each_word_is_there_and_no_other(word: str, texts: frozenset[str]) -> None:
    [row] = re.findall(rf"^\| {word} \| (.*) \|$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`([A-Z]+)`", row)) == texts


def test_the_replies_by_default_are_those_that_it_quotes() -> None:
    settings = make_settings()
    quoted = dict(re.findall(r'^\| `(\w+_REPLY)` \| .* \| "(.*)" \|$', PAGE, re.MULTILINE))
    assert quoted == {
        "STOP_REPLY": settings.stop_reply,
        "START_REPLY": settings.start_reply,
        "HELP_REPLY": settings.help_reply,
    }
