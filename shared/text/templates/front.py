"""What stands above the texts in a template's file, in TOML: the channel, the values and how a call speaks. Pure."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from shared.documents import check_fields
from shared.text.templates.declarations import read_declared
from shared.text.templates.rendered import Channel
from shared.text.templates.values import Declared

_CHANNELS: Final[tuple[Channel, ...]] = ("sms", "call")
_S = TypeVar("_S", bound=msgspec.Struct)
_TOML_PLACE: Final = re.compile(r" \(at line ([0-9]+), column [0-9]+\)| \(at end of document\)")


class Say(msgspec.Struct, frozen=True):
    """How a call speaks a text; what isn't said is Twilio's default."""

    voice: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    language: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The settings of a template; `lines` says where in the file each value and each `say` stands."""

    channels: tuple[Channel, ...]
    plain: bool
    values: Mapping[str, Declared]
    says: Mapping[str, Say]
    lines: Mapping[str, int]


class _Document(msgspec.Struct, frozen=True):
    channel: str | list[str]
    plain: bool = False
    values: dict[str, Any] = {}
    say: dict[str, Any] = {}


def read_front(lines: list[str], faults: list[tuple[int, str]]) -> Front | None:
    """Read the lines, of which the first is the file's first; what is wrong goes to `faults`, with its line.

    Returns None where nothing of it can be used.
    """
    return _Reader(lines, faults).front()


@dataclass(frozen=True, slots=True)
class _Reader:
    lines: list[str]
    faults: list[tuple[int, str]]

    def front(self) -> Front | None:
        given = self.document()
        if given is None:
            return None
        channels = self.channels(given.channel)
        for key, channel in (("plain", "sms"), ("say", "call")):
            if getattr(given, key) and channels and channel not in channels:
                self.fault(key, f"{key} is for {channel} only")
        values = {name: self.value(name, raw) for name, raw in given.values.items()}
        says = {locale: self.say(locale, raw) for locale, raw in given.say.items()}
        return Front(
            channels=channels,
            plain=given.plain,
            values=values,
            says=says,
            lines={key: self.line_of(key) for key in (*given.values, *given.say)},
        )

    def channels(self, given: str | list[str]) -> tuple[Channel, ...]:
        wanted = {given} if isinstance(given, str) else set(given)
        if not wanted or not wanted <= {*_CHANNELS}:
            self.fault("channel", 'channel expected "sms", "call" or both, ["sms", "call"]')
            return ()
        return tuple(channel for channel in _CHANNELS if channel in wanted)

    def document(self) -> _Document | None:
        try:
            # an empty line for the one of `---`, so that lines are counted as those of the file
            document = tomllib.loads("\n".join(["", *self.lines[1:]]))
        except tomllib.TOMLDecodeError as exc:
            place = _TOML_PLACE.search(str(exc))
            line = int(place[1]) if place and place[1] else len(self.lines)
            wanted = f"TOML: {_TOML_PLACE.sub('', str(exc))}"
            if self.lines[line - 1].strip() == "---":
                wanted = "the locale of the text below, as in `--- en ---`"
            self.faults.append((line, f"expected {wanted}"))
            return None
        return self.struct(document, _Document)

    def struct(self, document: dict[str, Any], struct: type[_S], *, of: str | None = None) -> _S | None:
        fields, faults = check_fields(document, struct)
        for fault in faults:
            self.fault(of or fault.field, f"{of} {fault}" if of else f"{fault.field} {fault.problem}")
        return None if faults else msgspec.convert(fields, struct)

    def value(self, name: str, raw: object) -> Declared:
        declared, problems = read_declared(name, raw)
        for problem in problems:
            self.fault(name, problem)
        return declared

    def say(self, locale: str, raw: object) -> Say:
        if not isinstance(raw, dict):
            self.fault(locale, f'say expected {locale} = {{ voice = "…", language = "…" }}')
            return Say()
        return self.struct(raw, Say, of=locale) or Say()

    def fault(self, key: str, problem: str) -> None:
        self.faults.append((self.line_of(key), problem))

    def line_of(self, key: str) -> int:
        """Return the line that sets a key, else the first that names it, else the first of all."""
        key = re.escape(key)
        setting = re.compile(rf"""\s*["']?{key}["']?\s*=|\s*\[(.*\.)?["']?{key}["']?\]""")
        named = re.compile(rf"(?<![\w-]){key}(?![\w-])")
        for found in (setting.match, named.search):
            for line, text in enumerate(self.lines, 1):
                if found(text):
                    return line
        return 1
