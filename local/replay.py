"""Has the functions send rejected or failed deliveries again: some by their ids, or all that a search finds."""

import http.client
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from local.errors import LocalError

ANSWER_SECONDS = 300  # as long as the functions host lets one invocation take
PAGE = 100


class ReplayError(LocalError):
    """The functions do not answer, or do not replay what they were asked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What `replay` was asked for: ids, or what to search for (`status`, `to`, `since`, `until`)."""

    ids: tuple[str, ...]
    search: Mapping[str, str]
    url: str
    key: str | None


class _Page(msgspec.Struct, frozen=True):
    replayed: tuple[str, ...]
    cursor: str | None


class _Problem(msgspec.Struct, frozen=True):
    detail: str = ""
    replayed: tuple[str, ...] = ()
    """what was sent again all the same"""


class _RefusedError(ReplayError):
    """The functions answered that they don't do it, or not all of it."""

    def __init__(self, message: str, *, replayed: tuple[str, ...]) -> None:
        self.replayed = replayed
        super().__init__(message)


def replay(wishes: Wishes) -> int:
    """Replay, and print the id of each delivery that is sent again; returns the exit code.

    An id that is refused is told, and the others are replayed all the same. Raises LocalError.
    """
    if bool(wishes.ids) == bool(wishes.search):
        raise ReplayError("Expected ids, or --status or --to (with --since, --until): one of the two.")
    if wishes.search and not {"status", "to"} & wishes.search.keys():
        raise ReplayError("Expected --status or --to: everything at once is never replayed.")
    if wishes.ids:
        refused = [delivery_id for delivery_id in wishes.ids if not _is_replayed(wishes, delivery_id)]
        return 1 if refused else 0
    count = 0
    for delivery_id in _found(wishes):
        print(delivery_id, flush=True)
        count += 1
    if not count:
        print("Nothing was found that could be sent again.")
    return 0 if count else 1


def _is_replayed(wishes: Wishes, delivery_id: str) -> bool:
    try:
        _ask(wishes, f"deliveries/{urllib.parse.quote(delivery_id, safe='')}/replay", {})
    except _RefusedError as refusal:
        print(f"{delivery_id}: {refusal}", file=sys.stderr, flush=True)
        return False
    print(delivery_id, flush=True)
    return True


def _found(wishes: Wishes) -> Iterator[str]:
    wanted: dict[str, Any] = {**wishes.search, "limit": PAGE}
    while True:
        try:
            answer = _ask(wishes, "deliveries/replay", wanted)
        except _RefusedError as refusal:
            yield from refusal.replayed
            raise
        try:
            page = msgspec.json.decode(answer, type=_Page)
        except msgspec.MsgspecError as fault:
            raise ReplayError(f"{wishes.url} answered something that is no page of a search: {fault}") from fault
        yield from page.replayed
        if page.cursor is None:
            return
        wanted["cursor"] = page.cursor


def _ask(wishes: Wishes, path: str, document: Mapping[str, Any]) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - the console takes http URLs only
        f"{wishes.url.rstrip('/')}/api/{path}",
        data=json.dumps(document).encode(),
        headers={"Content-Type": "application/json", **({"x-functions-key": wishes.key} if wishes.key else {})},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - the same
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as refusal:
        with refusal:
            why, replayed = _read(refusal)
            raise _RefusedError(f"{wishes.url} answered {refusal.code}{why}", replayed=replayed) from refusal
    except (OSError, http.client.HTTPException) as fault:
        raise ReplayError(f"No functions answer at {wishes.url}: are they running?") from fault


def _read(refusal: urllib.error.HTTPError) -> tuple[str, tuple[str, ...]]:
    """Return why, and which deliveries are sent again all the same."""
    if refusal.code == http.HTTPStatus.UNAUTHORIZED:
        return " (a function key? --key)", ()
    try:
        problem = msgspec.json.decode(refusal.read(), type=_Problem)
    except (msgspec.MsgspecError, OSError, http.client.HTTPException):
        return "", ()
    return f": {problem.detail}" if problem.detail else "", problem.replayed
