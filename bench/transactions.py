"""The storage transactions of one message, counted at the wire by operation: `python -m bench.transactions`.

What the host does with the queue is no part of it: a get and a delete for each message, and its polling.
"""

from typing import Final, get_args

from bench.report import Report, Row, text
from bench.stubbed import stubbed
from bench.talking import talking
from bench.ways.sample import Kind

FOR_MANY: Final = 1_000_000
PRICE: Final = 0.00036 / 10_000
"""US dollars for one: tables, LRS, without reserved capacity, https://azure.microsoft.com/pricing/details/storage/tables/"""


def measure(*, quick: bool = False) -> tuple[Report, ...]:  # noqa: ARG001 - it takes no time
    """Count for a text and for a call."""
    return tuple(_report(kind, counted(kind)) for kind in get_args(Kind))


def counted(kind: Kind) -> dict[str, int]:
    """Return how often each operation was asked for by one message from the queue to its final status."""
    with stubbed() as stub, talking("bench.ways", "ours", kind, stub.argument) as child:
        child.hear()
        # the first one makes what is made once
        child.ask({"messages": 1, "at_once": 1})
        before = stub.counts()
        child.ask({"messages": 1, "at_once": 1})
        after = stub.counts()
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    return {name: count for name, count in sorted(grown.items()) if count and not name.startswith("twilio")}


def _report(kind: Kind, counts: dict[str, int]) -> Report:
    total = sum(counts.values())
    rows = [Row(name=name, value=count, unit="") for name, count in counts.items()]
    price = total * FOR_MANY * PRICE
    return Report(
        title=f"A {kind} to its final status: storage transactions",
        rows=(*rows, Row(name="together", value=total, unit="")),
        notes=(f"a million of them: {price:.2f} US dollars at {PRICE * 10_000:g} for 10,000",),
    )


def main() -> None:
    """Count, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
