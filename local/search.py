"""Finds deliveries and prints them as a table: `dev.py search`."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from local.asking import Functions, ask, read_answer
from local.colours import painted_status
from local.show import moment

PAGE: Final = 100  # the most that one page of a search has
_HEAD: Final = ("CREATED (UTC)", "STATUS", "KIND", "FROM", "TO", "ERROR", "ID")
_STATUS: Final = _HEAD.index("STATUS")


class Page(msgspec.Struct, frozen=True):
    """A page of `POST deliveries/search`; each delivery is the JSON as it came."""

    deliveries: tuple[msgspec.Raw, ...]
    cursor: str | None


class Row(msgspec.Struct, frozen=True):
    """A delivery as a page of a search shows it, as far as the table has it."""

    id: str
    status: str
    created_at: datetime
    direction: str
    channel: str | None = None
    to: str | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    error_code: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The deliveries of a search, newest first, each as JSON; and whether the search went to its end."""

    deliveries: tuple[bytes, ...]
    is_all: bool


def search(wanted: Mapping[str, Any], *, limit: int, functions: Functions, as_json: bool) -> int:
    """Print up to `limit` deliveries, in a table or one JSON object a line; returns the exit code.

    Raises AskingError.
    """
    found = find(wanted, limit=limit, functions=functions)
    if as_json:
        for delivery in found.deliveries:
            print(json.dumps(json.loads(delivery)))
    elif found.deliveries:
        rows = [read_answer(functions, delivery, Row, what="delivery") for delivery in found.deliveries]
        print(*table(rows), sep="\n")
    else:
        print("Nothing was found.", file=sys.stderr)
    if not found.is_all:
        print(f"These are the newest {limit}. There may be more: --limit {limit * 10}", file=sys.stderr)
    return 0


def find(wanted: Mapping[str, Any], *, limit: int, functions: Functions) -> Found:
    """Search page by page, until there are `limit` deliveries or no more pages. Raises AskingError."""
    deliveries: list[bytes] = []
    cursor: dict[str, str] = {}
    while True:
        size = min(PAGE, limit - len(deliveries))
        answer = ask(functions, "deliveries/search", {**wanted, "limit": size, **cursor})
        page = read_answer(functions, answer, Page, what="page of a search")
        deliveries += map(bytes, page.deliveries)
        if page.cursor is None or len(deliveries) >= limit:
            return Found(tuple(deliveries[:limit]), is_all=page.cursor is None)
        cursor = {"cursor": page.cursor}


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table, with its head."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    return [_line(line, widths) for line in cells]


def _cells(row: Row) -> tuple[str, ...]:
    kind = " ".join(word for word in ("in" if row.direction == "inbound" else "", row.channel) if word)
    code = "" if row.error_code is None else str(row.error_code)
    return (moment(row.created_at), row.status, kind, row.from_ or "", row.to or "", code, row.id)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    padded[_STATUS] = painted_status(padded[_STATUS], cells[_STATUS])
    return "  ".join(padded).rstrip()
