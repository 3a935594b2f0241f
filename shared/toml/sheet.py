"""A TOML file while it is read: what is wrong with it is noted with its line, and reading goes on. Pure."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from shared.documents import check_fields
from shared.toml.lines import Lines, Path, locate

_TOML_PLACE: Final = re.compile(r" \(at line ([0-9]+), column [0-9]+\)| \(at end of document\)")
_S = TypeVar("_S", bound=msgspec.Struct)


class TomlInvalid(Exception):
    """A file is no TOML; `line` is where that shows, from 1."""

    def __init__(self, problem: str, *, line: int) -> None:
        self.line = line
        super().__init__(problem)


class Sheet:
    """The content of a file, and the faults that were found in it so far."""

    def __init__(self, content: str) -> None:
        """Parse the content.

        Raises:
            TomlInvalid: it is no TOML.
        """
        try:
            self.document: dict[str, Any] = tomllib.loads(content)
            self.lines: Lines = locate(content)
        except tomllib.TOMLDecodeError as exc:
            place = _TOML_PLACE.search(str(exc))
            line = int(place[1]) if place and place[1] else content.count("\n") + 1
            raise TomlInvalid(f"expected TOML: {_TOML_PLACE.sub('', str(exc))}", line=line) from exc
        except RecursionError as exc:
            raise TomlInvalid("expected TOML, got lists or tables that are nested too deep", line=1) from exc
        self.faults: list[tuple[int, str]] = []

    def note(self, path: Path, problem: str) -> None:
        """Note something wrong at a key."""
        self.faults.append((self.lines.of(*path), problem))

    def fault(self, path: Path, problem: str) -> None:
        """Note something wrong with a key, which is named."""
        self.note(path, f"{path[-1]} {problem}")

    def struct(self, path: Path, table: Mapping[str, Any], kind: type[_S]) -> _S | None:
        """Read a table; None where something is wrong with it."""
        fields, faults = check_fields(dict(table), kind)
        for fault in faults:
            self.note((*path, fault.field), f"{fault.field} {fault.problem}")
        return None if faults else msgspec.convert(fields, kind)
