"""The file of rules: TOML to rules, and everything that is wrong with it, with its line. Pure."""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from shared.consents.words import may_be_an_answer, word_of
from shared.errors import RequestInvalid
from shared.inbound.replies.rules import VALUES, Reply, Rule
from shared.settings import QUEUE_EXPECTED, QUEUE_NAME
from shared.text.numbers import E164, MESSAGING_SERVICE, SHORT_CODE, cleaned
from shared.text.templates.library import Templates
from shared.text.templates.plain import Plain
from shared.text.templates.rendered import LONGEST
from shared.text.words import Words, words_of
from shared.toml.lines import Path
from shared.toml.sheet import Sheet, TomlInvalid

if TYPE_CHECKING:
    from shared.text.templates.engine import Text

_NAME: Final = re.compile(r"(?=.{1,64}$)[a-z0-9]+([_-][a-z0-9]+)*")
_URL: Final = re.compile(r"https?://[!-~]{1,2000}")
_NUMBERS: Final = (E164, SHORT_CODE, MESSAGING_SERVICE)
_BESIDE_TEMPLATE: Final = ("data", "locale")
_LONGEST: Final = LONGEST["sms"]


class FileInvalid(Exception):
    """A file holds no rules that can be used; `faults` are pairs of its line, from 1, and the problem."""

    def __init__(self, faults: Iterable[tuple[int, str]]) -> None:
        self.faults = sorted(set(faults))
        super().__init__(f"{len(self.faults)} faults")


class _Document(msgspec.Struct, frozen=True):
    rules: dict[str, dict[str, Any]] = {}


_Some = Annotated[list[str], Meta(min_length=1)]
"""at least one: a rule without any is for every text, which an empty list may not have meant"""


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    words: _Some = []
    prefixes: _Some = []
    numbers: _Some = []
    reply: str | None = None
    template: str | None = None
    data: dict[str, Any] | None = None
    locale: str | None = None
    media: Annotated[list[str], Meta(max_length=10)] = []
    forward: str | None = None


def read(content: bytes, *, templates: Templates, taken: AbstractSet[str]) -> tuple[Rule, ...]:
    """Read the content of a file.

    Raises:
        FileInvalid: it can't be used; every fault is named.
    """
    try:
        sheet = Sheet(content.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise FileInvalid([(1, "expected UTF-8 text, got bytes that are none")]) from exc
    except TomlInvalid as exc:
        raise FileInvalid([(exc.line, str(exc))]) from exc
    document = sheet.struct((), sheet.document, _Document)
    rules = (
        [_Reader(sheet, name, templates, taken).rule(table) for name, table in document.rules.items()]
        if document
        else []
    )
    found = [rule for rule in rules if rule is not None]
    if not sheet.faults:
        _note_unreachable(sheet, found)
    if sheet.faults:
        raise FileInvalid(sheet.faults)
    return tuple(found)


def is_number(text: str) -> bool:
    """Tell whether a rule can be for this: a number in E.164, a short code, or a Messaging Service's SID."""
    return any(form.fullmatch(text) for form in _NUMBERS)


@dataclass(frozen=True, slots=True)
class _Reader:
    sheet: Sheet
    name: str
    templates: Templates
    taken: AbstractSet[str]
    """queues that no text may be passed on to"""

    @property
    def place(self) -> Path:
        return ("rules", self.name)

    def fault(self, key: str, problem: str) -> None:
        self.sheet.fault((*self.place, key), problem)

    def rule(self, table: dict[str, Any]) -> Rule | None:
        if not _NAME.fullmatch(self.name):
            self.sheet.note(self.place, f"expected a name of small letters, digits, - and _, got {self.name[:64]!r}")
        given = self.sheet.struct(self.place, table, _Written)
        if given is None:
            return None
        if not {"reply", "template", "media", "forward"} & table.keys():
            self.sheet.note(self.place, f"{self.name} expected reply, template, media or forward, got none of them")
        for key in _BESIDE_TEMPLATE:
            if key in table and given.template is None:
                self.fault(key, "expected only beside template")
        return Rule(
            name=self.name,
            numbers=self.numbers(given.numbers),
            words=self.words("words", given.words),
            prefixes=self.words("prefixes", given.prefixes),
            reply=Reply(text=self.text(given), media=self.media(given.media)),
            forward=self.queue(given.forward),
        )

    def words(self, key: str, given: list[str]) -> tuple[Words, ...]:
        for index, text in enumerate(given):
            place = (*self.place, key, str(index))
            if not text.strip():
                self.sheet.note(place, f"{key} expected a text, got nothing")
            if key == "words" and word_of(text, None) and not may_be_an_answer(text, None):
                self.sheet.note(place, f"{text!r} is one of the words for STOP, START and HELP, which come first")
        return tuple(map(words_of, given))

    def numbers(self, given: list[str]) -> frozenset[str]:
        numbers = [cleaned(number) for number in given]
        for index, number in enumerate(numbers):
            if not is_number(number):
                expected = "a number in E.164, a short code, or a Messaging Service's SID"
                self.sheet.note((*self.place, "numbers", str(index)), f"numbers expected {expected}")
        return frozenset(numbers)

    def media(self, given: list[str]) -> tuple[str, ...]:
        for index, url in enumerate(given):
            if not _URL.fullmatch(url):
                self.sheet.note((*self.place, "media", str(index)), "media expected an http:// or https:// URL")
        return tuple(given)

    def queue(self, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(QUEUE_NAME, name):
            self.fault("forward", f"expected {QUEUE_EXPECTED}")
        if name in self.taken:
            self.fault("forward", "expected another queue than those of the requests and of the events")
        return name

    def text(self, given: _Written) -> "Text | Plain | None":
        if given.reply is not None and given.template is not None:
            self.fault("template", "expected reply or template, got both")
        elif given.template is not None:
            return self.rendered(given.template, given)
        elif given.reply:
            return self.tried_out(given.reply)
        return None

    def rendered(self, template: str, given: _Written) -> Plain | None:
        """Render a template: its values stand in the file, so that it always says the same."""
        data = msgspec.to_builtins(given.data or {})
        try:
            return Plain(self.templates.render(template, channel="sms", data=data, locale=given.locale).text)
        except RequestInvalid as exc:
            for wrong in exc.faults:
                self.sheet.note((*self.place, *wrong.field.split(".")), str(wrong))
            return None

    def tried_out(self, written: str) -> "Text | Plain | None":
        if "{" not in written:
            self.check_length(written.strip())
            return Plain(written.strip())
        from shared.text.templates import engine  # noqa: PLC0415 - jinja2 is for those who have templates

        key = (*self.place, "reply")
        try:
            text = engine.read(written)
            strangers = [(line, name) for name, line in text.names.items() if name not in VALUES]
            for line, name in strangers:
                self.note_within(key, line, f"{name} is not one of {', '.join(VALUES)}")
            if not strangers:
                self.check_length(text.render(VALUES))
        except engine.TextInvalid as exc:
            for line, problem in exc.faults:
                self.note_within(key, line, problem)
        except engine.RenderingFailed as exc:
            self.note_within(key, exc.line or 1, f"tried with made-up values: {exc}")
        else:
            return text
        return None

    def note_within(self, path: Path, line: int, problem: str) -> None:
        self.sheet.faults.append((self.sheet.lines.within(*path, line=line), problem))

    def check_length(self, text: str) -> None:
        if len(text) > _LONGEST:
            self.fault("reply", f"expected at most {_LONGEST} characters, got {len(text)}")


def _note_unreachable(sheet: Sheet, rules: list[Rule]) -> None:
    """Note what no text can come to, because a rule that stands before takes it."""
    for index, rule in enumerate(rules):
        before = [earlier for earlier in rules[:index] if _is_for_all_numbers_of(earlier, rule)]
        entries = [("words", words) for words in rule.words] + [("prefixes", words) for words in rule.prefixes]
        for key, words in entries:
            by = next((earlier for earlier in before if _takes(earlier, key, words)), None)
            if by is not None:
                place = ("rules", rule.name, key, str(getattr(rule, key).index(words)))
                sheet.note(place, f"{' '.join(words)!r} never comes here: the rule {by.name} takes it")
        if rule.is_for_every_text:
            by = next((earlier for earlier in before if earlier.is_for_every_text), None)
            if by is not None:
                sheet.note(("rules", rule.name), f"nothing comes to {rule.name}: the rule {by.name} takes every text")


def _is_for_all_numbers_of(earlier: Rule, rule: Rule) -> bool:
    return not earlier.numbers or (bool(rule.numbers) and rule.numbers <= earlier.numbers)


def _takes(rule: Rule, key: str, words: Words) -> bool:
    if rule.is_for_every_text or any(words[: len(prefix)] == prefix for prefix in rule.prefixes):
        return True
    return key == "words" and words in rule.words
