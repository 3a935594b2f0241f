"""The receipt of an erasure: what is done, what is left, and how the work goes on. It holds no address. Pure."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

Status = Literal["running", "finished", "incomplete"]
_AGAIN: Final = timedelta(minutes=1)
"""a pass that did something is followed by another one, for what was on its way meanwhile"""
_LATER: Final = timedelta(minutes=30)
_GIVEN_UP_AFTER: Final = timedelta(days=7)
"""every delivery is over after a day without news; what is left then, Twilio refuses to erase"""
_IDS: Final = 20
_INTERNAL: Final = frozenset({"digests", "next_at", "cursor", "changed", "is_listed", "version"})


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What came of some of the work."""

    done: Mapping[str, int] = {}
    """how many were erased, by kind"""
    left: Mapping[str, int] = {}
    """how many are not over yet, by kind: they are tried again"""
    refused: Mapping[str, int] = {}
    """how many could not be erased, by reason: they are tried again, too"""
    ids: tuple[str, ...] = ()
    """the first of those that are left or refused"""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            done=_sum(self.done, other.done),
            left=_sum(self.left, other.left),
            refused=_sum(self.refused, other.refused),
            ids=tuple(dict.fromkeys((*self.ids, *other.ids)))[:_IDS],
        )


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure as it is on record. It goes in passes over all that is listed, until one finds nothing more."""

    id: str
    status: Status = "running"
    digests: tuple[str, ...]
    """what stands for the person's addresses in keys"""
    asked_at: datetime
    by: str | None = None
    consents: int = 0
    """how many consents stay"""
    tally: Tally = Tally()
    """`done` of all passes; the rest of the present or last one"""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    next_at: datetime
    """when the next pass begins, or the present one goes on"""
    cursor: str | None = None
    """where the present pass goes on; none: it begins"""
    changed: bool = False
    """the present pass erased something"""
    is_listed: bool = False
    """a pass read the days of earlier versions: what is left is listed by address"""
    version: str | None = None


def begun(receipt: Receipt, now: datetime) -> Receipt:
    """Return the receipt at the beginning of a pass."""
    tally = Tally(done=receipt.tally.done)
    return msgspec.structs.replace(receipt, tally=tally, changed=False, started_at=receipt.started_at or now)


def gone_on(receipt: Receipt, done: Tally, *, cursor: str | None) -> Receipt:
    """Return the receipt after a part of a pass."""
    changed = receipt.changed or bool(done.done)
    return msgspec.structs.replace(receipt, tally=receipt.tally + done, changed=changed, cursor=cursor)


def passed(receipt: Receipt, now: datetime, *, is_listed: bool) -> Receipt:
    """Return the receipt at the end of a pass: finished, given up, or waiting for the next pass."""
    receipt = msgspec.structs.replace(receipt, is_listed=is_listed)
    waits = bool(receipt.tally.left or receipt.tally.refused)
    if not waits and not receipt.changed:
        return msgspec.structs.replace(receipt, status="finished", finished_at=now, cursor=None)
    if waits and now - receipt.asked_at >= _GIVEN_UP_AFTER:
        return msgspec.structs.replace(receipt, status="incomplete", finished_at=now, cursor=None)
    return msgspec.structs.replace(receipt, cursor=None, next_at=now + (_LATER if waits else _AGAIN))


def as_shown(receipt: Receipt) -> dict[str, Any]:
    """Return the receipt as people and systems are shown it."""
    told: dict[str, Any] = msgspec.to_builtins(receipt)
    told |= told.pop("tally")
    told["stays"] = {"consents": told.pop("consents")}
    told["person"] = receipt.digests[0]
    return {name: value for name, value in told.items() if name not in _INTERNAL}


def _sum(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(first) + Counter(second))
