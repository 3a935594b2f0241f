"""Reads app settings one by one, and keeps what is wrong with them, so that all of it can be told at once. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from shared.errors import Fault

_BASE_URL: Final = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never printed; `reveal` is where it leaves."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the value itself, for the one call that needs it."""
        return self._value


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one setting after the other and keeps what is wrong, so that all of it can be told at once."""

    env: Mapping[str, str]
    faults: list[Fault] = field(default_factory=list)

    def fault(self, name: str, problem: str) -> None:
        """Note what is wrong with a setting."""
        self.faults.append(Fault(name, problem))

    def text(self, name: str) -> str | None:
        """Return a value without the white space around it; None where there is none."""
        return self.env.get(name, "").strip() or None

    def short_text(self, name: str, *, longest: int) -> str | None:
        """Return a value of at most `longest` characters."""
        value = self.text(name)
        if value is not None and len(value) > longest:
            self.fault(name, f"expected at most {longest} characters, got {len(value)}")
        return value

    def beginning_with(self, prefix: str) -> dict[str, str]:
        """Return all settings whose names begin so, by the rest of their names in small letters."""
        names = [name for name in self.env if name.startswith(prefix)]
        return {name.removeprefix(prefix).lower(): value for name in names if (value := self.text(name)) is not None}

    def flag(self, name: str) -> bool:
        """Return whether a value is `true`."""
        text = self.text(name)
        if text is not None and text.lower() not in {"true", "false"}:
            self.fault(name, f"expected true or false, got {text[:20]!r}")
        return text is not None and text.lower() == "true"

    def secret(self, name: str, *, required: bool = False) -> Secret | None:
        """Return a value that no fault shows."""
        value = self.text(name)
        if value is None and required:
            self.fault(name, "expected a value, got nothing")
        return (value and Secret(value)) or None

    def matching(
        self, name: str, pattern: str, expected: str, *, required: bool = False, default: str | None = None
    ) -> str | None:
        """Return a value of a form; its fault shows what was expected, and of what came the length."""
        value = self.text(name)
        if value is None:
            if required:
                self.fault(name, f"expected {expected}, got nothing")
            return default
        if not re.fullmatch(pattern, value):
            self.fault(name, f"expected {expected}, got {len(value)} characters of another form")
        return value

    def integer(self, name: str, *, default: int, at_least: int, at_most: int) -> int:
        """Return a whole number within its bounds."""
        text = self.text(name)
        if text is None:
            return default
        if not re.fullmatch(r"\d{1,9}", text) or not at_least <= int(text) <= at_most:
            self.fault(name, f"expected a whole number from {at_least} to {at_most}, got {text[:20]!r}")
            return default
        return int(text)

    def base_url(self, name: str, *, default: str) -> str:
        """Return a URL without a path, and without a slash at its end, its scheme and host in small letters."""
        given = self.text(name)
        text = _in_small_letters((given or default).rstrip("/"))
        if (given or text) and not _is_base_url(text):
            self.fault(name, "expected http:// or https:// and a host, without a path, a query or a user")
        return text


def _in_small_letters(url: str) -> str:
    """Return a URL with its scheme and its host, which have no case, as every URL made of it is compared."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{mark}{host.lower()}{slash}{path}"


def _is_base_url(text: str) -> bool:
    try:
        _ = urlsplit(text).port  # at most 65535
    except ValueError:
        return False
    return _BASE_URL.fullmatch(text) is not None
