"""A flow's file: TOML to a Flow, and everything that is wrong with it, with its line."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.text import time_zones
from shared.text.numbers import E164, cleaned
from shared.text.templates.declarations import read_declared
from shared.text.templates.values import Declared
from shared.toml.lines import Lines
from shared.toml.sheet import Sheet, TomlInvalid
from shared.voice.flows import fields
from shared.voice.flows.environment import Environment
from shared.voice.flows.hours import read_holiday, read_span
from shared.voice.flows.kind import NextStep
from shared.voice.flows.model import Flow, Hours, Span, Step
from shared.voice.flows.registry import all_kinds, kind_of
from shared.voice.flows.step_reader import NAME, StepReader
from shared.voice.flows.steps import read_step
from shared.voice.flows.texts import KEPT, Texts

_FILE: Final = re.compile(r".+\.toml")
ANY_OTHER: Final = "*"
"""stands for every number that no flow answers by name"""
_SHOWN: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that was read: the flow, where nothing is wrong, and its lines; else the faults, by line."""

    name: str
    flow: Flow | None = None
    lines: Lines | None = None
    faults: tuple[tuple[int, str], ...] = ()


def read(path: Path, environment: Environment) -> Source:
    """Read one file."""
    if not _FILE.fullmatch(path.name) or not NAME.fullmatch(path.stem) or not path.is_file():
        problem = "expected a file with a name such as customer-line.toml: small letters, digits, - and _"
        return Source(name=path.stem, faults=((1, problem),))
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return Source(name=path.stem, faults=((1, "expected UTF-8 text, got bytes that are none"),))
    return parse(path.stem, content, environment)


def parse(name: str, content: str, environment: Environment) -> Source:
    """Read the content of a flow's file."""
    try:
        sheet = Sheet(content)
    except TomlInvalid as exc:
        return Source(name=name, faults=((exc.line, str(exc)),))
    flow = _Reader(sheet, name, environment).flow()
    if flow is None or sheet.faults:
        return Source(name=name, faults=tuple(sorted(set(sheet.faults))))
    return Source(name=name, flow=flow, lines=sheet.lines)


@dataclass(frozen=True, slots=True)
class _Reader:
    sheet: Sheet
    name: str
    environment: Environment

    def flow(self) -> Flow | None:
        given = self.sheet.struct((), self.sheet.document, fields.Document)
        if given is None:
            return None
        texts = Texts(self.sheet, self.environment.settings)
        values = {name: self.value(name, raw) for name, raw in given.values.items()}
        steps = self.steps(given, texts)
        self.check_names(given, steps)
        inputs = texts.check(values, frozenset(name for name, table in given.steps.items() if _takes_input(table)))
        if given.answers:
            self.check_caller(values)
        return Flow(
            name=self.name,
            start=next(iter(given.steps), "") if given.start is None else given.start,
            steps=steps,
            answers=self.answers(given.answers),
            machine=given.machine,
            values=values,
            hours=self.hours(given, steps),
            inputs=inputs,
        )

    def steps(self, given: fields.Document, texts: Texts) -> dict[str, Step]:
        if not given.steps:
            self.sheet.fault(("steps",), "expected a step, got none")
        steps = {}
        for name, table in given.steps.items():
            reader = StepReader(self.sheet, texts, ("steps", name), voice=given.voice, language=given.language)
            step = read_step(reader, name, table)
            if step is not None:
                steps[name] = step
        return steps

    def check_names(self, given: fields.Document, steps: Mapping[str, Step]) -> None:
        """Note every name of a step that the flow does not have."""
        leads: list[tuple[tuple[str, ...], str | None]] = [
            ((key,), to) for key, to in (("start", given.start), ("machine", given.machine))
        ]
        for name, step in steps.items():
            following = kind_of(step.action).next_steps(step.action)
            leads += [(self.path(name, each), each.to) for each in following]
        for path, to in leads:
            if to is not None and to not in given.steps:
                self.sheet.fault(path, f"expected the name of a step, there is no {to[:_SHOWN]!r}")

    def path(self, step: str, following: NextStep) -> tuple[str, ...]:
        """Return where the file names a next step."""
        key, *more = following.keys
        if following.instead is not None and key not in self.sheet.document["steps"][step]:
            key = following.instead
        return ("steps", step, key, *more)

    def answers(self, given: list[str]) -> tuple[str, ...]:
        numbers = [cleaned(number) for number in given]
        for index, number in enumerate(numbers):
            if number != ANY_OTHER and not E164.fullmatch(number):
                self.sheet.note(("answers", str(index)), f'answers expected a number in E.164, or "{ANY_OTHER}"')
            if number in numbers[:index]:
                self.sheet.note(("answers", str(index)), "answers expected each number once")
        return tuple(numbers)

    def value(self, name: str, raw: object) -> Declared:
        declared, problems = read_declared(name, raw)
        for problem in problems:
            self.sheet.note(("values", name), problem)
        if name in KEPT:
            self.sheet.fault(("values", name), "is a name that every text may use: expected another one")
        return declared

    def check_caller(self, values: Mapping[str, Declared]) -> None:
        """Whoever calls brings no data."""
        for name, declared in values.items():
            if declared.default is None:
                self.sheet.fault(("values", name), "expected a default: who calls one of answers brings no data")

    def hours(self, given: fields.Document, steps: Mapping[str, Step]) -> Hours | None:
        chooser = next((step for step in steps.values() if kind_of(step.action).needs_hours), None)
        if given.hours is None:
            if chooser is not None:
                path = ("steps", chooser.name, kind_of(chooser.action).name)
                self.sheet.fault(path, "expected [hours] as well: what it goes by")
            if given.time_zone is not None:
                self.sheet.fault(("time_zone",), "is for [hours], and there are none")
            return None
        if chooser is None and len(steps) == len(given.steps):
            choosers = " or ".join(f'{kind.name} = "hours"' for kind in all_kinds().values() if kind.needs_hours)
            self.sheet.fault(("hours",), f"expected a step with {choosers}: nothing goes by them")
        return self.opening(given.hours, self.zone(given.time_zone))

    def zone(self, name: str | None) -> ZoneInfo:
        zone = self.environment.default_zone if name is None else time_zones.find(name)
        if zone is None:
            self.sheet.fault(("time_zone",), "expected an IANA time zone such as Europe/Berlin")
        return zone or self.environment.default_zone

    def opening(self, table: Mapping[str, Any], zone: ZoneInfo) -> Hours:
        given = self.sheet.struct(("hours",), table, fields.Hours)
        spans: list[Span] = []
        dates: set[date] = set()
        yearly: set[tuple[int, int]] = set()
        for index, text in enumerate(given.open if given else ()):
            try:
                spans.append(read_span(text))
            except ValueError as exc:
                self.sheet.note(("hours", "open", str(index)), f"open {exc}")
        for index, day in enumerate(given.holidays if given else ()):
            try:
                holiday = read_holiday(day)
            except ValueError as exc:
                self.sheet.note(("hours", "holidays", str(index)), f"holidays {exc}")
            else:
                yearly.add(holiday) if isinstance(holiday, tuple) else dates.add(holiday)
        return Hours(open=tuple(spans), holidays=frozenset(dates), yearly=frozenset(yearly), zone=zone)


def _takes_input(table: object) -> bool:
    kinds = all_kinds().values()
    return isinstance(table, dict) and any(kind.takes_input and kind.name in table for kind in kinds)
