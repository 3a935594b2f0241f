"""How many texts a second one process sends, by how long Twilio takes and how many it may send at once.

`python -m bench.throughput` prints a table. As the ideal is so many at once ÷ latency, the ratio is the share of it
that is reached; what keeps a row below it is the CPU, whose share is told, or the time that storage takes.
"""

import json
from pathlib import Path
from typing import Final

from bench.report import Report, Row, text
from bench.stubbed import Stubbed, stubbed
from bench.talking import Talking, talking

LATENCIES: Final = (0.3, 0.1, 0.05)
"""seconds"""
SECONDS: Final = 3
"""how long a row is measured at its ideal rate, and how much longer where it is not reached"""
SHARE: Final = 0.9
FULL: Final = 0.85
"""of a core: one process of Python has no more, and the loop needs some of it to itself"""


def concurrency() -> int:
    """Return how many messages host.json lets an instance take at once."""
    queues = json.loads((Path(__file__).resolve().parents[1] / "host.json").read_text())["extensions"]["queues"]
    return int(queues["batchSize"] + queues["newBatchThreshold"])


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure each latency with few and with many at once."""
    most = concurrency()
    widths = (most,) if quick else (most // 32, most // 8, most // 2, most)
    rows: list[Row] = []
    with stubbed() as stub, talking("bench.ways", "ours", "text", stub.argument) as child:
        child.hear()
        _rate(child, at_once=most, messages=20 if quick else 200)
        for latency in LATENCIES:
            rows.extend(_row(stub, child, latency, at_once, quick=quick) for at_once in widths)
    title = f"Texts a second of one process, with up to {most} at once as in host.json: the share of at once ÷ latency"
    return (Report(title=title, rows=tuple(rows)),)


def _row(stub: Stubbed, child: Talking, latency: float, at_once: int, *, quick: bool) -> Row:
    stub.set_latency(latency)
    ideal = at_once / latency
    messages = at_once if quick else int(min(ideal * SECONDS, 600))
    rate, cpu = _rate(child, at_once=at_once, messages=messages)
    full = cpu >= FULL
    return Row(
        name=f"{latency * 1000:.0f} ms, {at_once} at once: ideally {ideal:,.0f}/s; CPU {cpu:.0%}",
        value=rate,
        unit="/s",
        ratio=rate / ideal,
        goal=f"≥ {SHARE:g}, or the CPU full",
        met=rate / ideal >= SHARE or full,
    )


def _rate(child: Talking, *, at_once: int, messages: int) -> tuple[float, float]:
    """Return the messages a second, and the share of a core that they took."""
    cost = child.ask({"messages": messages, "at_once": at_once, "told": []})
    return messages / cost["seconds"], cost["cpu"] * messages / cost["seconds"]


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
