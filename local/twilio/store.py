"""What the simulator remembers: records by SID, numbered in order of creation, with an index by recipient.

A create or a change costs the same however much is remembered.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from typing import Any, Generic, TypeVar

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What everything remembered has: a SID, a recipient, and when it was created."""

    sid: str
    to: str
    created: datetime


R = TypeVar("R", bound=Record)


class Store(Generic[R]):
    """Records of one kind."""

    def __init__(self) -> None:
        self._numbers = count()
        self._number_of: dict[str, int] = {}
        self._records: dict[int, R] = {}
        self._by_recipient: defaultdict[str, list[int]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        """Every record, oldest first."""
        return iter(self._records.values())

    def add(self, record: R) -> R:
        """Remember a new record."""
        number = next(self._numbers)
        self._number_of[record.sid] = number
        self._records[number] = record
        self._by_recipient[record.to].append(number)
        return record

    def get(self, sid: str) -> R | None:
        """The record of a SID as it is now."""
        return self._records.get(self._number_of.get(sid, -1))

    def __getitem__(self, sid: str) -> R:
        """The same, of a SID that is known to be there; KeyError otherwise."""
        return self._records[self._number_of[sid]]

    def change(self, sid: str, **changes: Any) -> R:  # noqa: ANN401 - the fields of a record are of any type
        """Replace fields of a record; KeyError where there is none."""
        number = self._number_of[sid]
        self._records[number] = msgspec.structs.replace(self._records[number], **changes)
        return self._records[number]

    def remove(self, sid: str) -> None:
        """Forget a record; KeyError where there is none."""
        number = self._number_of[sid]
        record = self._records.pop(number)
        recipient = self._by_recipient[record.to]
        del recipient[bisect_left(recipient, number)]

    def clear(self) -> None:
        """Forget everything."""
        self._number_of.clear()
        self._records.clear()
        self._by_recipient.clear()

    def numbered(self, *, to: str | None = None) -> Iterator[tuple[int, R]]:
        """Records with their numbers, the newest first: all of them, or those to one recipient."""
        numbers: Iterable[int] = self._by_recipient.get(to, []) if to else self._records
        for number in reversed(list(numbers)):
            yield number, self._records[number]

    def newest(self, *, to: str | None = None) -> Iterator[R]:
        """Records, the newest first: all of them, or those to one recipient."""
        return (record for _, record in self.numbered(to=to))
