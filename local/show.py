"""Shows one delivery with its timeline: `dev.py show ID`."""

import json
import sys
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from local.asking import Functions, RefusedError, ask, read_answer
from local.colours import painted_status
from local.follow import Delivery, describe
from local.listing import several


class Shown(Delivery, frozen=True, kw_only=True):
    """A delivery as `GET deliveries/{id}` shows it, as far as a person reads it at the console."""

    created_at: datetime
    direction: str = "outbound"
    channel: str | None = None
    to: str | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    sid: str | None = None
    attempts: int = 0
    waits_for: str | None = None
    next_attempt_at: datetime | None = None
    erased_at: datetime | None = None
    text: str | None = None
    reasons: tuple[str, ...] = ()
    rejections: tuple[str, ...] = ()


def show(delivery_id: str, *, functions: Functions, as_json: bool) -> int:
    """Print a delivery for a person, or the answer as one line of JSON; returns the exit code. Raises LocalError."""
    try:
        answer = ask(functions, path_of(delivery_id))
    except RefusedError as refusal:
        if refusal.rejections:
            print(f"Rejected messages that named this id: {', '.join(refusal.rejections)}", file=sys.stderr)
        raise
    shown = read_answer(functions, answer, Shown, what="delivery")
    print(*([json.dumps(json.loads(answer))] if as_json else lines(shown)), sep="\n")
    return 0


def path_of(delivery_id: str) -> str:
    """Return the route of a delivery."""
    return f"deliveries/{urllib.parse.quote(delivery_id, safe='')}"


def lines(shown: Shown) -> Iterator[str]:
    """Yield what a person reads of a delivery: its state, then its timeline, by day."""
    yield f"{shown.id}  {painted_status(shown.status, shown.status)}"
    yield f"  {shown.direction} {shown.channel or 'message'} from {shown.from_ or '-'} to {shown.to or '-'}"
    yield f"  {shown.sid or 'no SID'}, {several(shown.attempts, 'attempt')}, made {moment(shown.created_at)} UTC"
    if shown.error_code is not None or shown.error_message:
        code = f" {shown.error_code}" if shown.error_code is not None else ""
        yield f"  error{code}: {shown.error_message or '-'}"
    yield from (f"  {reason}" for reason in shown.reasons if reason != shown.error_message)
    if shown.next_attempt_at is not None:
        yield f"  next attempt {moment(shown.next_attempt_at)} UTC" + _because(shown.waits_for)
    if shown.erased_at is not None:
        yield f"  erased {moment(shown.erased_at)} UTC"
    if shown.text is not None:
        yield f"  text: {shown.text}"
    if shown.rejections:
        yield f"  rejected messages that named this id: {', '.join(shown.rejections)}"
    yield from _timeline(shown)


def moment(at: datetime) -> str:
    """Return a time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _because(waits_for: str | None) -> str:
    return f", waits for {waits_for}" if waits_for else ""


def _timeline(shown: Shown) -> Iterator[str]:
    day = None
    for event in shown.events:
        if (its_day := event.at.astimezone(UTC).date()) != day:
            day = its_day
            yield f"{day} UTC"
        yield describe("", event)
