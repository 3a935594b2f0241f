"""The Markdown pages of the project, and what can be read off them."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_FENCED: Final = re.compile(r"^( *)```(\S*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block: its language, and its content without the indentation of the fence."""

    language: str
    content: str


@dataclass(frozen=True)
class Page:
    """A Markdown page; `path` is relative to the root of the project."""

    path: Path

    @property
    def name(self) -> str:
        """The path with slashes, on every system."""
        return self.path.as_posix()

    @cached_property
    def text(self) -> str:
        """The whole page."""
        return (ROOT / self.path).read_text("utf-8")

    @property
    def blocks(self) -> list[Block]:
        """The code blocks, in page order."""
        return [
            Block(language, re.sub(rf"^{indent}", "", content, flags=re.MULTILINE))
            for indent, language, content in _FENCED.findall(self.text)
        ]

    @property
    def _prose(self) -> str:
        return _FENCED.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """The targets of its links, without those in code."""
        return _LINK.findall(re.sub(r"`[^`\n]*`", "X", self._prose))

    @property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as GitHub makes them."""
        return set(_numbered(_slug(title) for title in _HEADING.findall(self._prose)))


def _slug(title: str) -> str:
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title)
    return re.sub(r"[^\w -]", "", text).lower().replace(" ", "-")


def _numbered(slugs: Iterator[str]) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for slug in slugs:
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug
        seen[slug] += 1


def pages() -> list[Page]:
    """Every page of the project: those at the root, and those of docs/."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [Page(path.relative_to(ROOT)) for path in sorted(found) if "node_modules" not in path.parts]


def page(name: str) -> Page:
    """The page with this path."""
    return Page(Path(name))
