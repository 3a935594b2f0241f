"""Which deliveries a replay by search takes, and which it leaves out unless they are asked for."""

import json
import re
from datetime import timedelta
from typing import Any, get_args

import pytest

from shared.deliveries.search import Search
from shared.documents import read_document
from shared.errors import RequestInvalid
from shared.outbound.outcome import MEANINGS
from shared.outbound.replays import Reason, Replays, counts, left_out, read_replays
from tests.deliveries.samples import NOW, a_delivery
from tests.web.app import ROOT

INVALID = sorted(code for code, meaning in MEANINGS.items() if meaning.group == "permanent, recipient")
A_MINUTE = timedelta(minutes=1)


def read(document: object) -> Replays:
    return read_replays(
        json.dumps(document).encode(), read_search=lambda content: read_document(content, Search, longest=1000)
    )


def reason(wanted: Replays | None = None, *, is_opted_out: bool = False, **fields: object) -> str | None:
    delivery = a_delivery(**{"status": "undelivered", "error_code": 30003, **fields})
    return left_out(delivery, wanted or Replays(), is_opted_out=is_opted_out)


def test_what_failed_for_a_reason_that_may_pass_is_replayed() -> None:
    assert reason() is None
    assert reason(error_code=None) is None
    assert reason(status="expired", error_code=20429) is None


@pytest.mark.parametrize("fields", [{"error_code": 21610}, {"error_code": 63014}, {"status": "suppressed"}])
def test_recipients_who_opted_out_are_left_out_unless_asked_for(fields: dict[str, Any]) -> None:
    assert reason(**fields) == "opted-out"
    assert reason(Replays(include=("invalid",)), **fields) == "opted-out"
    assert reason(Replays(include=("opted-out",)), **fields) is None


def test_so_are_those_who_opted_out_since_whatever_the_code_says() -> None:
    assert reason(is_opted_out=True) == "opted-out"
    assert reason(Replays(include=("opted-out",)), is_opted_out=True) is None


def test_the_code_of_an_opt_out_says_nothing_of_a_call() -> None:
    assert reason(channel="call", status="failed", error_code=21610) is None


@pytest.mark.parametrize("code", INVALID)
def test_recipients_who_are_invalid_are_left_out_unless_asked_for(code: int) -> None:
    assert reason(error_code=code) == "invalid"
    assert reason(Replays(include=("opted-out",)), error_code=code) == "invalid"
    assert reason(Replays(include=("invalid",)), error_code=code) is None


def test_what_was_replayed_is_left_out_unless_that_was_before_the_moment_that_is_named() -> None:
    assert reason(replayed_at=NOW) == "replayed"
    assert reason(Replays(replayed_before=NOW), replayed_at=NOW) == "replayed"
    assert reason(Replays(replayed_before=NOW + A_MINUTE), replayed_at=NOW) is None
    assert reason(Replays(replayed_before=NOW), replayed_at=None) is None


def test_they_are_counted_by_status_and_code_the_most_frequent_first() -> None:
    found = [a_delivery(status="failed", error_code=code) for code in (30003, 21606, 21606, None)]
    assert counts([*found, a_delivery(status="expired")])[0] == {"status": "failed", "error_code": 21606, "count": 2}
    assert sum(row["count"] for row in counts(found)) == len(found)
    assert counts([]) == []


def test_the_documentation_names_every_reason_to_leave_one_out_and_no_other() -> None:
    page = (ROOT / "docs" / "how-to" / "replay.md").read_text(encoding="utf-8")
    table = page.partition("| `left_out` | which deliveries |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z -]+)` \|", table, re.MULTILINE)) == set(get_args(Reason))


def test_a_search_and_what_to_do_with_what_it_finds_are_read() -> None:
    document = {"to": "+14155550100", "limit": 7, "dry_run": True, "include": ["invalid"], "by": "Ada"}
    wanted = read(document)
    assert wanted == Replays(search=Search(to="+14155550100", limit=7), dry_run=True, include=("invalid",), by="Ada")


def test_all_faults_are_named_of_the_search_and_of_the_rest() -> None:
    with pytest.raises(RequestInvalid) as caught:
        read({"limit": 0, "include": ["all"], "colour": "red"})
    assert {fault.field for fault in caught.value.faults} == {"request", "limit", "include", "colour"}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"since": "2026-01-01T00:00:00Z"},
        {"limit": 1, "dry_run": True, "by": "Ada", "include": ["invalid"], "replayed_before": "2026-01-01T00:00:00Z"},
        {"status": None, "to": None},
    ],
)
def test_everything_at_once_is_never_replayed(document: dict[str, Any]) -> None:
    with pytest.raises(RequestInvalid, match="everything at once is never replayed"):
        read(document)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"status": "failed", "include": ["all"]}, "include"),
        ({"status": "failed", "include": "invalid"}, "include"),
        ({"status": "failed", "dry_run": "yes"}, "dry_run"),
        ({"status": "failed", "replayed_before": "now"}, "replayed_before"),
        ({"status": "failed", "by": "\n"}, "by"),
        ({"status": "failed", "again": True}, "again"),
        ({"status": "failed", "limit": 0}, "limit"),
    ],
)
def test_what_cannot_be_meant_is_refused(document: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        read(document)
    assert [fault.field for fault in caught.value.faults] == [field]
