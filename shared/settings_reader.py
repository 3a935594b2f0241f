"""Reads app settings one by one, and keeps what is wrong with them, so that all of it can be told at once. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from shared.errors import Fault

_BASE_URL: Final = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PATH: Final = re.compile(r"(?<=[^/:])(/(?!\.+(/|$))[A-Za-z0-9._~-]+)+$")
"""after a host; no segment is made of dots alone"""
# One in quotes, or without its bracket, is no reference to Azure, and would be taken for a value as well.
_REFERENCE: Final = re.compile(r"""["']?\s*@Microsoft\.(KeyVault|AppConfig)""", re.IGNORECASE)
_UNRESOLVED: Final = "check its spelling, the app's access to it and the network between them"


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
        """Note what is wrong with a setting: the first fault of each, since a second one may follow from it."""
        if not self.is_faulty(name):
            self.faults.append(Fault(name, problem))

    def is_faulty(self, name: str) -> bool:
        """Return whether something is wrong with a setting, as far as it was read."""
        return any(fault.field == name for fault in self.faults)

    def text(self, name: str) -> str | None:
        """Return a value without the white space around it; None where there is none.

        A reference that Azure did not resolve is a fault: Azure leaves the reference's own text in the setting.
        https://learn.microsoft.com/azure/app-service/app-service-key-vault-references#troubleshoot-key-vault-references
        https://learn.microsoft.com/azure/app-service/app-service-configuration-references
        """
        value = self.env.get(name, "").strip() or None
        if value is not None and (found := _REFERENCE.match(value)):
            self.fault(name, f"expected a value, got a reference to {found[1]} that was not resolved: {_UNRESOLVED}")
        return value

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
        self,
        name: str,
        pattern: str,
        expected: str,
        *,
        required: bool = False,
        default: str | None = None,
        clean: Callable[[str], str] = str,
    ) -> str | None:
        """Return a value of a form, once it is cleaned; its fault shows the expected form and the value's length."""
        value = clean(self.text(name) or "") or None
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

    def base_url(self, name: str, *, default: str, path: bool = False) -> str:
        """Return a URL without a slash at its end, its scheme and host in small letters.

        It may have a path only where that is asked for.
        """
        given = self.text(name)
        text = _in_small_letters((given or default).rstrip("/"))
        origin = _PATH.sub("", text) if path else text
        if (given or text) and not _is_base_url(origin):
            without = "a query" if path else "a path, a query"
            self.fault(name, f"expected http:// or https:// and a host, without {without} or a user")
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
