"""The storage transactions of one message, counted at the wire by operation: `python -m bench.transactions`.

What others do with the queue is no part of it, but of the price: a put by whoever asks for the message, a get and a
delete by the functions host, whose polling comes on top.
"""

from typing import Final, get_args

from bench.report import Report, Row, text
from bench.stubbed import stubbed
from bench.talking import talking
from bench.ways.sample import Kind

FOR_MANY: Final = 1_000_000
PRICE: Final = 0.00036 / 10_000
"""US dollars for one: tables, LRS, https://azure.microsoft.com/pricing/details/storage/tables/"""
QUEUE: Final = 3
QUEUE_PRICE: Final = 0.004 / 10_000
"""US dollars for one: queues, LRS, general purpose v2, https://azure.microsoft.com/pricing/details/storage/queues/"""


def measure(*, quick: bool = False) -> tuple[Report, ...]:  # noqa: ARG001 - it takes no time
    """Count for a text and a call that are sent, and for a text that comes in."""
    sent = [_report(kind, counted(kind)) for kind in get_args(Kind)]
    title = "A text that comes in and meets no rule: storage transactions"
    return (*sent, Report(title=title, rows=_rows(counted_inbound())))


def counted(kind: Kind) -> dict[str, int]:
    """Return how often each operation was asked for by one message from the queue to its final status."""
    return _counted("ours", kind)


def counted_inbound() -> dict[str, int]:
    """Return how often each operation was asked for by a text that comes in and meets no rule."""
    return _counted("webhook", "text", "sms_inbound")


def _counted(way: str, kind: Kind, *told: str) -> dict[str, int]:
    with stubbed() as stub, talking("bench.ways", way, kind, stub.argument, *told) as child:
        child.hear()
        # the first one makes what is made once
        child.ask({"messages": 1, "at_once": 1})
        before = stub.counts()
        child.ask({"messages": 1, "at_once": 1})
        after = stub.counts()
    grown = {name: count - before.get(name, 0) for name, count in after.items()}
    return {name: count for name, count in sorted(grown.items()) if count and is_storage(name)}


def is_storage(operation: str) -> bool:
    """Tell whether it is storage that is asked, and not Twilio."""
    return not operation.startswith("twilio")


def _report(kind: Kind, counts: dict[str, int]) -> Report:
    total = sum(counts.values())
    tables, queue = total * FOR_MANY * PRICE, QUEUE * FOR_MANY * QUEUE_PRICE
    price = (
        f"a million of them: {tables:.2f} US dollars at {PRICE * 10_000:g} for 10,000, and {queue:.2f} for {QUEUE} "
        f"operations of the queue each, at {QUEUE_PRICE * 10_000:g}"
    )
    return Report(title=f"A {kind} to its final status: storage transactions", rows=_rows(counts), notes=(price,))


def _rows(counts: dict[str, int]) -> tuple[Row, ...]:
    together = {**counts, "together": sum(counts.values())}
    return tuple(Row(name=name, value=count, unit="") for name, count in together.items())


def main() -> None:
    """Count, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
