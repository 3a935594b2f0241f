"""A template's file: the settings between `---` and the first text, then a text for each locale.

Everything that can be wrong with it is found here, when it is read, by rendering it with made-up values too.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.text.templates import engine
from shared.text.templates.front import Front, Say, read_front
from shared.text.templates.template import Template, Variant
from shared.text.templates.values import Declared

_FILE: Final = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*\.txt")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_OPENING: Final = "---"
_MARKER: Final = re.compile(r"---\s*(\S|\S.*\S)\s*---\s*")
_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_ENGLISH: Final = re.compile(r"en\b")
_LAYOUT: Final = "`---`, the settings, and a line such as `--- en ---` before each text"

Faults = list[tuple[int, str]]


class FileInvalid(Exception):
    """A file is no template; `faults` are pairs of its line, from 1, and the problem."""

    def __init__(self, faults: Faults) -> None:
        self.faults = sorted(set(faults))
        super().__init__(f"{len(self.faults)} faults")


@dataclass(frozen=True, slots=True)
class _Section:
    """A text as it stands in the file, below the line that names its locale."""

    locale: str
    line: int
    source: str


def read(path: Path) -> Template:
    """Read one file.

    Raises:
        FileInvalid: it is no template that can be used; every fault is named.
    """
    if not _FILE.fullmatch(path.name) or not path.is_file():
        raise FileInvalid(
            [(1, "expected a file with a name such as order-shipped.txt: small letters, digits, - and _")]
        )
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise FileInvalid([(1, "expected UTF-8 text, got bytes that are none")]) from exc
    return parse(path.stem, content)


def parse(name: str, content: str) -> Template:
    """Read the content of a template's file; raises FileInvalid as `read` does."""
    faults: Faults = []
    lines = _LINE_END.split(content)
    sections = _split(lines, faults)
    front = read_front(lines[: sections[0].line - 1], faults) if sections else None
    texts = {section.locale: text for section in sections if (text := _read_text(section, faults))}
    if front is not None:
        _check_voices(front, sections, faults)
        if len(texts) == len(sections):
            _check_names(front, sections, texts, faults)
    if front is None or faults:
        raise FileInvalid(faults)
    _try_out(front, sections, texts, faults)
    if faults:
        raise FileInvalid(faults)
    return Template(
        name=name,
        channels=front.channels,
        plain=front.plain,
        values=front.values,
        variants=tuple(_variant(section.locale, texts, front) for section in sections),
    )


def _variant(locale: str, texts: dict[str, engine.Text], front: Front) -> Variant:
    say = front.says.get(locale, Say())
    return Variant(locale, texts[locale], voice=say.voice, language=say.language)


def _split(lines: list[str], faults: Faults) -> list[_Section]:
    marks = [(line, mark[1]) for line, text in enumerate(lines, 1) if (mark := _MARKER.fullmatch(text))]
    if not marks or lines[0].strip() != _OPENING:
        faults.append((1, f"expected {_LAYOUT}"))
        return []
    ends = [*(line for line, _ in marks[1:]), len(lines) + 1]
    sections = [
        _Section(locale, line, "\n".join(lines[line : end - 1]))
        for (line, locale), end in zip(marks, ends, strict=True)
    ]
    _check_sections(sections, faults)
    return sections


def _check_sections(sections: list[_Section], faults: Faults) -> None:
    seen: set[str] = set()
    for section in sections:
        if not _LOCALE.fullmatch(section.locale):
            faults.append((section.line, f"expected a locale such as de or de-AT, got {section.locale!r}"))
        elif section.locale in seen:
            faults.append((section.line, f"expected one text for each locale, got another for {section.locale}"))
        if not section.source.strip():
            faults.append((section.line, "expected a text below this line, got nothing"))
        seen.add(section.locale)


def _read_text(section: _Section, faults: Faults) -> engine.Text | None:
    try:
        return engine.read(section.source)
    except engine.TextInvalid as exc:
        faults += [(section.line + line, problem) for line, problem in exc.faults]
        return None


def _check_voices(front: Front, sections: list[_Section], faults: Faults) -> None:
    strangers = front.says.keys() - {section.locale for section in sections}
    faults += [(front.lines[locale], f"say expected the locale of a text, got {locale!r}") for locale in strangers]
    if "call" in front.channels:
        faults += [
            (section.line, f"expected a language for {section.locale} in say: an English voice would read it")
            for section in sections
            if not _ENGLISH.match(section.locale) and not front.says.get(section.locale, Say()).language
        ]


def _check_names(front: Front, sections: list[_Section], texts: dict[str, engine.Text], faults: Faults) -> None:
    used: set[str] = set()
    for section in sections:
        names = texts[section.locale].names
        used |= names.keys()
        faults += [
            (section.line + line, f"{name} is not among the values")
            for name, line in names.items()
            if name not in front.values
        ]
    faults += [(front.lines[name], f"{name} is not used in any text") for name in front.values.keys() - used]


def _try_out(front: Front, sections: list[_Section], texts: dict[str, engine.Text], faults: Faults) -> None:
    """Render every text, once with all values and yes, once with the defaults and no."""
    full = {name: value.sample(yes=True) for name, value in front.values.items()}
    scant = {name: _default(value) for name, value in front.values.items()}
    for section in sections:
        for made_up in (full, scant):
            try:
                texts[section.locale].render(made_up)
            except engine.RenderingFailed as exc:
                faults.append((section.line + (exc.line or 0), f"tried with made-up values: {exc}"))


def _default(value: Declared) -> object:
    return value.sample(yes=False) if value.default is None else value.default
