"""Has the functions send rejected or failed deliveries again: some by their ids, or all that a search finds.

The ids of what is sent again go to standard output, one a line; everything for people goes to standard error.
"""

import sys
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from local.asking import Functions, RefusedError, ask
from local.errors import LocalError

PAGE = 100
NARROW = ("status", "to", "error_code", "origin", "from", "address")


class ReplayError(LocalError):
    """What should be replayed was not said, was not confirmed, or can't be read from the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `replay` was asked for: ids, or what to search for, and who asks."""

    ids: tuple[str, ...]
    search: Mapping[str, Any]
    functions: Functions
    include: tuple[str, ...] = ()
    again: bool = False
    dry_run: bool = False
    yes: bool = False
    by: str | None = None


class _Count(msgspec.Struct, frozen=True):
    status: str
    error_code: int | None
    count: int


class _Seen(msgspec.Struct, frozen=True):
    would_replay: tuple[str, ...]
    counts: tuple[_Count, ...]
    left_out: dict[str, tuple[str, ...]]
    at: str
    cursor: str | None


class _Sent(msgspec.Struct, frozen=True):
    replayed: tuple[str, ...]
    left_out: dict[str, tuple[str, ...]]
    cursor: str | None


_Page = TypeVar("_Page", _Seen, _Sent)


@dataclass(slots=True)
class _Preview:
    """What a search would replay, over all of its pages."""

    ids: list[str] = field(default_factory=list)
    counts: Counter[tuple[str, int | None]] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    at: str = ""
    """when it was begun, by the clock of the functions"""


def replay(wishes: Wishes) -> int:
    """Replay, and print the id of each delivery that is sent again; returns the exit code.

    What a search finds is shown first, and sent after somebody confirmed it, at a terminal or by `--yes`. An id that is
    refused is told, and the others are replayed all the same. Raises LocalError.
    """
    if bool(wishes.ids) == bool(wishes.search):
        raise ReplayError("Expected ids, or --status or --to (or another filter): one of the two.")
    if wishes.ids:
        return _replay_each(wishes)
    if not wishes.search.keys() & set(NARROW):
        raise ReplayError(
            "Expected --status, --to, --from, --error-code or --origin: everything at once is never replayed."
        )
    seen = _preview(wishes)
    _show(seen)
    if wishes.dry_run:
        print(*seen.ids, sep="\n", end="\n" if seen.ids else "")
        return 0
    if not seen.ids:
        _say("Nothing was found that could be sent again.")
        return 1
    if not wishes.yes and not _is_confirmed(len(seen.ids)):
        return 1
    return _send(wishes, seen)


def _replay_each(wishes: Wishes) -> int:
    if wishes.dry_run or wishes.again:
        raise ReplayError(
            "Nothing was sent: --dry-run and --again go with a search, such as --status failed, not with ids."
        )
    refused = [delivery_id for delivery_id in wishes.ids if not _is_replayed(wishes, delivery_id)]
    return 1 if refused else 0


def _is_replayed(wishes: Wishes, delivery_id: str) -> bool:
    path = f"deliveries/{urllib.parse.quote(delivery_id, safe='')}/replay"
    try:
        ask(wishes.functions, path, _told({"include": list(wishes.include), "by": wishes.by}))
    except RefusedError as refusal:
        _say(f"{delivery_id}: {refusal}")
        return False
    print(delivery_id, flush=True)
    return True


def _preview(wishes: Wishes) -> _Preview:
    preview = _Preview()
    # what was replayed before this moment is asked for again, and what this run replays is not
    again = "9999-12-31T00:00:00Z" if wishes.again else None
    for page in _pages(wishes, _Seen, dry_run=True, replayed_before=again):
        preview.at = preview.at or page.at
        preview.ids += page.would_replay
        for one in page.counts:
            preview.counts[one.status, one.error_code] += one.count
        preview.left_out.update({reason: len(ids) for reason, ids in page.left_out.items()})
    return preview


def _show(preview: _Preview) -> None:
    for (status, code), count in preview.counts.most_common():
        _say(f"{count:>7}  {status}{f', {code}' if code is not None else ''}")
    _say(f"{len(preview.ids)} would be sent again." + _left_out(preview.left_out))


def _is_confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise ReplayError("Nothing was sent: there is no terminal to ask at. Add --yes to send them again.")
    print(f"Send {count} again? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    _say("Nothing was sent.")
    return False


def _send(wishes: Wishes, preview: _Preview) -> int:
    sent = 0
    left_out: Counter[str] = Counter()
    # a delivery that was made after the preview was not confirmed
    until = {"until": preview.at} if "until" not in wishes.search else {}
    try:
        for page in _pages(wishes, _Sent, replayed_before=preview.at if wishes.again else None, **until):
            sent += len(page.replayed)
            left_out.update({reason: len(ids) for reason, ids in page.left_out.items()})
            _print(page.replayed)
            _say(f"{sent} of {len(preview.ids)} sent again …")
    except RefusedError as refusal:
        sent += len(refusal.replayed)
        _print(refusal.replayed)
        raise
    finally:
        _say(f"{sent} sent again." + _left_out(left_out))
    return 0 if sent else 1


def _pages(wishes: Wishes, kind: type[_Page], **more: Any) -> Iterator[_Page]:  # noqa: ANN401 - any field
    asked = {"include": list(wishes.include), "by": wishes.by, **more}
    wanted = {**wishes.search, **_told(asked), "limit": PAGE}
    while True:
        answer = ask(wishes.functions, "deliveries/replay", wanted)
        try:
            page = msgspec.json.decode(answer, type=kind)
        except msgspec.MsgspecError as fault:
            where = wishes.functions.url
            raise ReplayError(f"{where} answered something that is no page of a replay: {fault}") from fault
        yield page
        if page.cursor is None:
            return
        wanted["cursor"] = page.cursor


def _told(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value}


def _left_out(reasons: Counter[str]) -> str:
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return f" Left out: {told}." if told else ""


def _print(ids: tuple[str, ...]) -> None:
    for delivery_id in ids:
        print(delivery_id, flush=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
