"""How many texts a second one process sends, by how long Twilio takes and how many it may send at once.

`python -m bench.throughput` prints a table. As the ideal is so many at once ÷ latency, the ratio is the share of it
that is reached. What keeps a row below it is the CPU, or the time that a text takes without Twilio: it holds its place
while storage is asked, too. Both are told. Each rate is that of the middle of a run, where its places are all taken.
"""

import json
import math
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from bench.report import Report, Row, text
from bench.stubbed import stubbed
from bench.talking import Talking, talking

LATENCIES: Final = (0.3, 0.1, 0.05)
"""seconds"""
ROUNDS: Final = 3
SECONDS: Final = 1.5
"""how long a row is measured in each round, where the ideal is reached"""
FEWEST: Final = 24
MOST: Final = 750
"""texts of a row in each round, besides those that come before all places are taken and after"""
ALONE: Final = 100
SHARE: Final = 0.9
FULL: Final = 0.9
"""of a core: one process of Python has no more, and a little of it goes by between two events"""


@dataclass(frozen=True, slots=True)
class Held:
    """What a round brought."""

    rate: float
    """texts a second"""
    cpu: float
    """share of a core"""

    @classmethod
    def of(cls, child: Talking, *, at_once: int, messages: int) -> Self:
        """Measure so many, with others before and after them."""
        cost = child.ask({"messages": messages + 3 * at_once, "at_once": at_once, "told": [], "steady": True})
        return cls(cost["messages"] / cost["seconds"], cost["cpu"] * cost["messages"] / cost["seconds"])


def concurrency() -> int:
    """Return how many messages host.json lets an instance take at once."""
    queues = json.loads((Path(__file__).resolve().parents[1] / "host.json").read_text())["extensions"]["queues"]
    return int(queues["batchSize"] + queues["newBatchThreshold"])


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure each latency with few and with many at once, by turns."""
    most = concurrency()
    widths = (most,) if quick else (most // 32, most // 8, most // 2, most)
    found: dict[tuple[float, int], list[Held]] = {(latency, width): [] for latency in LATENCIES for width in widths}
    alone: list[float] = []
    with stubbed() as stub, talking("bench.ways", "ours", "text", stub.argument) as child:
        child.hear()
        Held.of(child, at_once=most, messages=20 if quick else 200)
        for _ in range(1 if quick else ROUNDS):
            stub.set_latency(0)
            alone.append(1 / Held.of(child, at_once=1, messages=20 if quick else ALONE).rate)
            for (latency, at_once), held in found.items():
                stub.set_latency(latency)
                held.append(Held.of(child, at_once=at_once, messages=_count(latency, at_once, quick=quick)))
    own = statistics.median(alone)
    title = (
        f"Texts a second of one process, with up to {most} at once as in host.json: the share of at once ÷ latency; "
        "each answer takes another time, ±50 % around the latency"
    )
    note = (
        f"own: the share of at once ÷ (latency + {own * 1000:.1f} ms), which is how long one text takes alone where "
        "Twilio answers at once: that of storage and of the CPU"
    )
    rows = tuple(_row(latency, at_once, held, own=own) for (latency, at_once), held in found.items())
    return (Report(title=title, rows=rows, notes=(note,)),)


def _count(latency: float, at_once: int, *, quick: bool) -> int:
    return at_once if quick else max(FEWEST, min(MOST, math.ceil(at_once / latency * SECONDS)))


def _row(latency: float, at_once: int, found: list[Held], *, own: float) -> Row:
    ideal = at_once / latency
    cpu = statistics.median(held.cpu for held in found)
    rates = [held.rate for held in found]
    with_own = statistics.median(rates) * (latency + own) / at_once
    name = f"{latency * 1000:.0f} ms, {at_once} at once: ideally {ideal:,.0f}/s; CPU {cpu:.0%}, own {with_own:.2f}"
    row = Row.of(name, rates, "/s", base=[ideal] * len(rates)).at_least(SHARE)
    return replace(row, goal=f"{row.goal}, or the CPU full", met=row.met or cpu >= FULL)


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
