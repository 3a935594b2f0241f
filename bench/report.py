"""What a measurement found: rows of ratios with their spread, as a table for a screen or as JSON."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import msgspec

_HEAD: Final = ("", "median", "", "ratio", "spread", "goal", "")
_RIGHT: Final = (1, 3)
"""columns of numbers"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a table."""

    name: str
    value: float
    """the median of the rounds, in `unit`"""
    unit: str
    ratio: float | None = None
    """to the table's base row: the median of the ratios within a round"""
    spread: tuple[float, float] | None = None
    """the least and the greatest of those ratios, or of the values where there is no ratio"""
    goal: str = ""
    met: bool | None = None

    @classmethod
    def of(cls, name: str, values: Sequence[float], unit: str, *, base: Sequence[float] | None = None) -> Self:
        """Make the row of what the rounds brought, beside what the same rounds brought for the base row."""
        found = values if base is None else [value / other for value, other in zip(values, base, strict=True)]
        return cls(
            name=name,
            value=statistics.median(values),
            unit=unit,
            ratio=None if base is None else statistics.median(found),
            spread=(min(found), max(found)),
        )

    def at_most(self, most: float) -> "Row":
        """Return it with a goal for its ratio, or for its value where it has none."""
        return replace(self, goal=f"≤ {most:g}", met=self._judged <= most)

    def at_least(self, least: float) -> "Row":
        """Return it with a goal; as `at_most`."""
        return replace(self, goal=f"≥ {least:g}", met=self._judged >= least)

    @property
    def _judged(self) -> float:
        return self.value if self.ratio is None else self.ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One table, and how to read it."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def text(report: Report) -> str:
    """Write a report as an aligned table."""
    lines = [_HEAD, *(_cells(row) for row in report.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    table = [
        "  ".join(cell.rjust(width) if column in _RIGHT else cell.ljust(width) for column, (cell, width) in pairs)
        for pairs in (enumerate(zip(line, widths, strict=True)) for line in lines)
    ]
    return "\n".join([report.title, *(line.rstrip() for line in table), *report.notes])


def as_json(report: Report) -> bytes:
    """Write a report as JSON."""
    return msgspec.json.encode(report)


def _cells(row: Row) -> tuple[str, ...]:
    spread = "" if row.spread is None else f"{_number(row.spread[0])} to {_number(row.spread[1])}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = "" if row.met is None else "met" if row.met else "missed"
    return row.name, _number(row.value), row.unit, ratio, spread, row.goal, met


def _number(value: float) -> str:
    """Write a number with three digits that count."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2  # noqa: PLR2004 - what a reader can take in
    return f"{value:,.{digits}f}"
