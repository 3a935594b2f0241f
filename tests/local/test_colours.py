import io
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType

import pytest

import dev
from local.colours import painted_status


class Stream(io.StringIO):
    """Standard output that is a terminal, or a file."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


def at(
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_terminal: bool = True,
    name: str = "posix",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> None:
    for variable in ("NO_COLOR", "TERM", "WT_SESSION"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(os, "name", name)
    monkeypatch.setattr(sys, "stdout", Stream(is_terminal=is_terminal))


def both() -> list[str]:
    """What local/ makes of a status, and what dev.py makes of a line: they decide alike."""
    return [painted_status("failed  ", "failed"), dev._painted("failed  ", dev.RED)]


def test_a_status_has_a_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch)
    assert both() == ["\x1b[31mfailed  \x1b[0m"] * 2
    assert painted_status("read", "read") == "\x1b[32mread\x1b[0m"
    assert painted_status("uncertain", "uncertain") == "\x1b[33muncertain\x1b[0m"
    assert painted_status("queued", "queued") == "queued"


def test_a_file_or_a_pipe_gets_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, is_terminal=False)
    assert both() == ["failed  "] * 2


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_asks_for_no_colours_gets_none(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    at(monkeypatch, environment=environment)
    assert both() == ["failed  "] * 2


def test_an_empty_no_color_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    # "when present and not an empty string": https://no-color.org
    at(monkeypatch, environment={"NO_COLOR": ""})
    assert both() == ["\x1b[31mfailed  \x1b[0m"] * 2


def test_on_windows_only_windows_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, name="nt")
    assert both() == ["failed  "] * 2
    at(monkeypatch, name="nt", environment={"WT_SESSION": "1"})
    assert both() == ["\x1b[31mfailed  \x1b[0m"] * 2
