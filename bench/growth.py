"""Whether a message and a lookup cost more as deliveries add up: `python -m bench.growth`.

The deliveries on record are all to one recipient, of one day and of one status, so that every list that they stand in
is as long as it can be. The stub looks rows up by their keys as Azure does, so that what is compared is what the app
asks for: its CPU, its transactions, and the rows that are looked at for them.
"""

from contextlib import ExitStack
from typing import Final

from bench.report import Report, Row, text
from bench.stubbed import Stubbed, stubbed
from bench.talking import Talking, talking
from bench.transactions import is_storage
from bench.ways.sample import Sample

SIZES: Final = (1_000, 10_000, 100_000)
FLAT: Final = 1.1
WAYS: Final = {
    "a text": ("ours", ""),
    "by id": ("lookup", "id:FIRST"),
    "by recipient": ("lookup", "recipient"),
    "by status": ("lookup", "status"),
    "by time": ("lookup", "time"),
    "the housekeeping timer": ("lookup", "housekeeping"),
}


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure each with few deliveries on record, and with many."""
    sizes = SIZES[:2] if quick else SIZES
    with ExitStack() as stack:
        places = [_Place(stack, size) for size in sizes]
        for name in WAYS:
            # by turns, so that whatever else the machine does meets all
            for _ in range(1 if quick else 5):
                for place in places:
                    place.look(name, times=5 if quick else 20)
        rows = [row for name in WAYS for many in places[1:] for row in _rows(name, places[0], many)]
    title = f"With more deliveries on record beside {sizes[0]:,}: CPU, and storage transactions with the rows looked at"
    return (Report(title=title, rows=tuple(rows)),)


class _Place:
    """A storage with so many deliveries, and a process for each way."""

    def __init__(self, stack: ExitStack, size: int) -> None:
        self.size = size
        self.cpu: dict[str, list[float]] = {name: [] for name in WAYS}
        self.asked: dict[str, float] = {}
        self._stub: Stubbed = stack.enter_context(stubbed())
        first = Sample("text", "b" + "f" * 32)
        with talking("bench.ways", "ours", "text", self._stub.argument) as child:
            child.hear()
            child.ask({"messages": 1, "at_once": 1, "number": first.number, "told": ["sent", "undelivered"]})
        self._stub.multiply(first.number, first.sid, count=size)
        self._children: dict[str, Talking] = {}
        for name, (way, what) in WAYS.items():
            file = what.replace("FIRST", first.number)
            self._children[name] = stack.enter_context(talking("bench.ways", way, "text", self._stub.argument, file))
            self._children[name].hear()
            self._children[name].ask({"messages": 2, "at_once": 1})

    def look(self, name: str, *, times: int) -> None:
        """Do it so often."""
        before = self._asked()
        cost = self._children[name].ask({"messages": times, "at_once": 1})
        self.cpu[name].append(cost["cpu"] * 1000)
        self.asked[name] = (self._asked() - before) / times

    def _asked(self) -> int:
        counts = self._stub.counts()
        return sum(count for name, count in counts.items() if is_storage(name)) + self._stub.rows_read()


def _rows(name: str, few: _Place, many: _Place) -> list[Row]:
    cpu = Row.of(f"{name}, {many.size:,}: CPU", many.cpu[name], "ms", base=few.cpu[name])
    ratio = many.asked[name] / few.asked[name]
    asked = Row(
        name=f"{name}, {many.size:,}: transactions and rows",
        value=many.asked[name],
        unit="",
        ratio=ratio,
        goal=f"≤ {FLAT:g}",
        met=ratio <= FLAT,
    )
    return [cpu, asked]


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
