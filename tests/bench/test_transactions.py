"""docs/explanation/performance.md names each storage transaction of a message, with its reason."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

import pytest

from bench import open_deliveries
from bench.open_deliveries import BETWEEN_RUNS, QUESTIONS, RATE
from bench.throughput import concurrency
from bench.transactions import FOR_MANY, PRICE, QUEUE, QUEUE_PRICE, counted, counted_inbound
from bench.ways.sample import Kind
from shared.deliveries.keys import SPREAD
from shared.housekeeping import run, stuck
from tests.web.app import ROOT, lay_out

PAGE: Final = (ROOT / "docs" / "explanation" / "performance.md").read_text(encoding="utf-8")
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


def told() -> dict[Kind, Counter[str]]:
    """Read the table of the transactions: how often each operation is made for a text, and for a call."""
    rows = re.findall(r"^\| .*\| `(table \w+ \w+)` \| (\d+) \| (\d+) \|", PAGE, re.MULTILINE)
    found: dict[Kind, Counter[str]] = {kind: Counter() for kind in KINDS}
    for operation, *counts in rows:
        for kind, count in zip(KINDS, counts, strict=True):
            found[kind][operation] += int(count)
    return found


@pytest.fixture(autouse=True)
def _app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the app measured with the content of the tests."""
    for name, value in lay_out(tmp_path).items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_makes_the_storage_transactions_that_are_told_of_and_no_others(kind: Kind) -> None:
    assert counted(kind) == +told()[kind]


def test_a_text_makes_15_transactions_and_a_call_20() -> None:
    assert {kind: counts.total() for kind, counts in told().items()} == {"text": 15, "call": 20}
    assert "makes 15 transactions of tables, a call to `completed` 20" in PAGE


def test_a_text_that_comes_in_makes_those_that_are_told_of() -> None:
    told = re.findall(r"(\d) \u00d7 `(table \w+ \w+)`", PAGE)
    assert counted_inbound() == {operation: int(count) for count, operation in told}
    assert f"An incoming text makes {sum(int(count) for count, _ in told)}:" in PAGE


@pytest.mark.parametrize("kind", KINDS)
def test_the_price_of_a_million_is_that_of_its_transactions(kind: Kind) -> None:
    tables = told()[kind].total() * FOR_MANY * PRICE
    queue = QUEUE * FOR_MANY * QUEUE_PRICE
    [row] = re.findall(rf"^\| {kind}s \| .*, ([\d.]+) \| .*, ([\d.]+) \| ([\d.]+) US dollars", PAGE, re.MULTILINE)
    assert row == (f"{tables:.2f}", f"{queue:.2f}", f"{tables + queue:.2f}")


def test_what_is_told_to_turn_stands_where_it_is_told_to() -> None:
    assert f"`batchSize + newBatchThreshold` = {concurrency()} at once" in PAGE
    assert f"spread over {SPREAD} partitions" in PAGE


def test_what_texts_without_receipts_need_of_housekeeping_follows_from_their_rate() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    steps = [stuck.ASK_PAUSES.next_step(since, since)]
    while steps[-1] - since < stuck.GIVEN_UP_AFTER:
        steps.append(stuck.ASK_PAUSES.next_step(since, steps[-1]))
    assert len(steps) == open_deliveries.QUESTIONS
    open_for = (steps[-1] - since).total_seconds()
    assert f"| open at any moment | for {open_for / 3600:.0f} hours | {RATE * open_for / 1e6:.1f} million |" in PAGE
    assert f"| new ones in a run, every 5 minutes | 1 | {RATE * BETWEEN_RUNS:,} |" in PAGE
    assert f"| questions in a run | 6 in all | {RATE * QUESTIONS * BETWEEN_RUNS:,} |" in PAGE
    assert f" = {4 + 6 * 5} | {RATE * (4 + 6 * 5)} a second |" in PAGE
    assert f"A run lasts {run.WHOLE.total_seconds():.0f} seconds" in PAGE
    assert (run.WHOLE.total_seconds(), run.SHARE.total_seconds()) == (open_deliveries.RUN, open_deliveries.PURGE)
    assert f"16 ÷ 90 = {16 / 90:.2f} s" in PAGE
    assert stuck.AT_TWILIO == open_deliveries.AT_TWILIO == 16
