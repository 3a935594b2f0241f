"""The code blocks of the pages: each names its language, and each document in them can be read."""

import json
import tomllib
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.documentation.pages import Block, Page, pages

READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "python": lambda content: compile(content, "page", "exec"),
}
PASTED: Final = {"bash"}
"""run by test_pasted.py"""
NOT_READ: Final = {"text", "console", "powershell", "csharp", "jinja", "kusto"}
"""`text` needs Azure, the real Twilio or the reader's own values, or is no code"""
BLOCKS: Final = [(each, block) for each in pages() for block in each.blocks]


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[each.name for each, _ in BLOCKS])
def test_a_block_names_its_language_and_can_be_read(page: Page, block: Block) -> None:
    assert block.language in PASTED | NOT_READ | READERS.keys(), block.content
    if block.language in READERS:
        READERS[block.language](block.content)


def test_no_block_to_paste_has_a_placeholder() -> None:
    marks = ("…", "YOUR-", "GROUP", "--name APP")
    found = [(page.name, block.content) for page, block in BLOCKS if block.language in PASTED]
    assert [(name, mark) for name, content in found for mark in marks if mark in content] == []


def test_no_number_is_answered_by_two_flows_of_the_pages() -> None:
    written = [line for _, block in BLOCKS for line in block.content.splitlines() if line.startswith("answers = ")]
    numbers = [number for line in written for number in tomllib.loads(line)["answers"]]
    assert len(numbers) > 1
    assert len(numbers) == len(set(numbers))
