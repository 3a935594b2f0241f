"""Where in a TOML file each key and each text stands: what tomllib doesn't tell. Pure."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Path = tuple[str, ...]
"""the keys that lead to a value, from the outside in; an item of a list is `0`, `1` …"""

_BLANK: Final = re.compile(r"(?:[ \t\n,]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING: Final = re.compile(
    r'''(?P<long>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?'{3,5})|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
_SCALAR: Final = re.compile(r"[^,\]}#\n]*")
_FENCE: Final = 3


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one file, from 1."""

    _keys: Mapping[Path, int]
    _texts: Mapping[Path, range]

    def of(self, *path: str) -> int:
        """Return the line of a key or an item; where it isn't there, the one of the innermost that is around it."""
        while path:
            if path in self._keys:
                return self._keys[path]
            path = path[:-1]
        return 1

    def within(self, *path: str, line: int) -> int:
        """Return the line of the file where a line of a text, from 1, stands; an escaped line end is none."""
        text = self._texts.get(path)
        return self.of(*path) if text is None else text[min(line, len(text)) - 1]


def locate(content: str) -> Lines:
    """Find every key of a TOML document, which has to be a good one."""
    scanner = _Scanner(content.replace("\r\n", "\n"))
    scanner.document()
    return Lines(scanner.keys, scanner.texts)


class _Scanner:
    """Goes through a document that tomllib has taken, and looks for keys only."""

    def __init__(self, content: str) -> None:
        self._content = content
        self._at = 0
        self._line = 1
        self.keys: dict[Path, int] = {}
        self.texts: dict[Path, range] = {}

    def document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._content):
            if self._next() == "[":
                self._move(2 if self._content.startswith("[[", self._at) else 1)
                table = self._name(())
                self._move(2 if self._content.startswith("]]", self._at) else 1)
            else:
                self._setting(table)
            self._skip(_BLANK)

    def _setting(self, table: Path) -> None:
        path = self._name(table)
        self._move(1)  # the equals sign
        self._value(path)

    def _name(self, table: Path) -> Path:
        """Read a key, which may be dotted: what it names stands here, and so do the tables that nothing else names."""
        path = (*table, self._part())
        while self._next() == ".":
            self._move(1)
            self.keys.setdefault(path, self._line)
            path = (*path, self._part())
        self.keys[path] = self._line
        return path

    def _part(self) -> str:
        written = self._skip(_KEY).strip()
        return next(iter(tomllib.loads(f"{written} = 0"))) if written[:1] in "'\"" else written

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        if self._next() == "[":
            self._items(path)
        elif self._next() == "{":
            self._table(path)
        elif (string := _STRING.match(self._content, self._at)) is not None:
            self._text(path, string)
        else:
            self._skip(_SCALAR)

    def _items(self, path: Path) -> None:
        self._move(1)
        self._skip(_BLANK)
        index = 0
        while self._next() not in ("]", ""):
            item = (*path, str(index))
            self.keys[item] = self._line
            self._value(item)
            self._skip(_BLANK)
            index += 1
        self._move(1)

    def _table(self, path: Path) -> None:
        self._move(1)
        self._skip(_BLANK)
        while self._next() not in ("}", ""):
            self._setting(path)
            self._skip(_BLANK)
        self._move(1)

    def _text(self, path: Path, string: re.Match[str]) -> None:
        first = self._line
        if string["long"] and self._content.startswith("\n", self._at + _FENCE):
            first += 1  # the line end right after the quotes is not of the text
        self._skip(_STRING)
        self.texts[path] = range(first, max(first, self._line) + 1)

    def _next(self) -> str:
        return self._content[self._at : self._at + 1]

    def _move(self, count: int) -> None:
        self._line += self._content.count("\n", self._at, self._at + count)
        self._at += count

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._content, self._at)
        found = match[0] if match else ""
        # a document that tomllib has taken always goes on here; one step keeps this from standing still on any other
        self._move(len(found) or (0 if pattern is _BLANK else 1))
        return found
