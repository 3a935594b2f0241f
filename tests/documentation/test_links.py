"""Every link of the documentation leads to a file that is there, and to a heading that is there."""

import os
from pathlib import Path

import pytest

from tests.documentation.pages import ROOT, Page, page, pages


def _broken(origin: Page) -> list[str]:
    broken = []
    for link in origin.links:
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = Path(os.path.normpath(origin.path.parent / path)) if path else origin.path
        if not (ROOT / target).exists() or (anchor and anchor not in Page(target).anchors):
            broken.append(link)
    return broken


@pytest.mark.parametrize("name", [each.name for each in pages()])
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    assert _broken(page(name)) == []


def test_the_index_names_every_page_of_docs() -> None:
    index = page("docs/README.md")
    named = {index.path, *(Path("docs") / link.partition("#")[0] for link in index.links)}
    of_docs = [each for each in pages() if each.path.parts[0] == "docs"]
    assert [each.name for each in of_docs if each.path not in named] == []


def test_the_readme_has_at_most_900_words() -> None:
    assert len(page("README.md").text.split()) <= 900
