"""Shows, lists and checks the message templates: what a request would send, before one is sent."""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.listing import lines, print_values, several
from shared.errors import RequestInvalid
from shared.text import segments
from shared.text.templates.library import Templates, TemplatesInvalid
from shared.text.templates.rendered import Channel, Rendered
from shared.text.templates.template import Template

FROM_FILE = "@"


class TemplateError(LocalError):
    """The templates, or the values for one, can't be used: the message says what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `template render` was asked for; `data` is JSON, or `@` and the name of a file."""

    name: str
    data: str
    locale: str | None
    channel: Channel | None


def render(folder: Path, wishes: Wishes) -> int:
    """Print what a template gives with these values, and what it takes to send; returns the exit code.

    Raises TemplateError.
    """
    templates = _load(folder)
    data = _data(wishes.data)
    try:
        template = templates.named(wishes.name)
        channel = wishes.channel or template.channels[0]
        rendered = template.render(channel=channel, data=data, locale=wishes.locale)
    except RequestInvalid as fault:
        raise TemplateError(lines(fault)) from fault
    print(rendered.text, end="\n\n")
    for line in _about_call(rendered) if channel == "call" else _about_text(rendered):
        print(line)
    return 0


def show_all(folder: Path) -> int:
    """Print every template with its channels, locales and values; returns the exit code. Raises TemplateError."""
    templates = list(_load(folder))
    if not templates:
        print(f"There are no templates in {folder}.")
    for template in templates:
        print(f"{template.name}: {' and '.join(template.channels)}, in {', '.join(_locales(template))}")
        print_values(template.values)
    return 0


def check(folder: Path) -> int:
    """Print how many templates are fine; returns the exit code. Raises TemplateError, which names every fault."""
    templates = list(_load(folder))
    texts = sum(len(template.variants) for template in templates)
    print(f"All is well in {folder}: {several(len(templates), 'template')}, {several(texts, 'text')}.")
    return 0


def _load(folder: Path) -> Templates:
    try:
        return Templates.load(folder)
    except TemplatesInvalid as fault:
        raise TemplateError(lines(fault)) from fault
    except OSError as fault:
        raise TemplateError(f"{folder} cannot be read: {fault.strerror}.") from fault


def _locales(template: Template) -> list[str]:
    return [variant.locale for variant in template.variants]


def _data(given: str) -> dict[str, Any]:
    where = given.removeprefix(FROM_FILE) if given.startswith(FROM_FILE) else "--data"
    try:
        data = json.loads(given if where == "--data" else Path(where).read_bytes().decode("utf-8-sig"))
    except OSError as fault:
        raise TemplateError(f"{where} cannot be read: {fault.strerror}.") from fault
    except UnicodeDecodeError as fault:
        raise TemplateError(f"{where} is not UTF-8 text.") from fault
    except json.JSONDecodeError as fault:
        raise TemplateError(f"{where} is no JSON: line {fault.lineno}, column {fault.colno}: {fault.msg}.") from fault
    if not isinstance(data, dict):
        raise TemplateError(f'{where} holds no values: expected a JSON object such as {{"name": "Ada"}}.')
    return data


def _about_call(rendered: Rendered) -> Iterator[str]:
    voice = f"voice {rendered.voice or 'of Twilio'}, language {rendered.language or 'of Twilio'}"
    yield f"call, {rendered.locale}: {len(rendered.text)} characters, {voice}"


def _about_text(rendered: Rendered) -> Iterator[str]:
    counted = segments.count(rendered.text)
    yield (
        f"sms, {rendered.locale}: {counted.encoding}, {several(counted.characters, 'character')}, "
        f"{several(counted.units, 'unit')}, {several(counted.segments, 'segment')}"
    )
    if counted.outside:
        yield f"UCS-2 because of {', '.join(map(_named, counted.outside))}"
    simple = segments.count(segments.plain(rendered.text))
    if simple.encoding != counted.encoding:
        yield f"`plain = true` makes it {simple.encoding}, {several(simple.segments, 'segment')}"


def _named(character: str) -> str:
    name = unicodedata.name(character, "a character without a name")
    shown = f"{character} " if character.isprintable() and not character.isspace() else ""
    return f"{shown}U+{ord(character):04X} {name}"
