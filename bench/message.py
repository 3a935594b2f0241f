"""What a message costs the functions' process, from the queue to its final status, beside other ways to send it.

Storage and Twilio answer at once. `python -m bench.message` prints a table for a text and one for a call: CPU of one
message, and the memory of the process, each beside (a) the bare calls that this app can't avoid.
"""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final, get_args

from bench.report import Report, Row, text
from bench.talking import Talking, talking
from bench.ways.sample import Kind

AT_ONCE: Final = 16
NAMES: Final = {
    "ours": "this app",
    "bare": "(a) the same SDK calls, bare",
    "spared": "(a) without looking for a proxy",
    "guide": "(b) the guide's function",
    "team": "(c) Celery, Redis, a database",
    "post": "(d) one bare POST",
}
OF_THE_SDK: Final = 1.3
"""to reach, beside (a)"""
Costs = dict[str, list[dict[str, float]]]
"""of each way, what it answered in each round"""


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure texts and calls."""
    return tuple(_measure(kind, rounds=1 if quick else 7, messages=20 if quick else 150) for kind in get_args(Kind))


def _measure(kind: Kind, *, rounds: int, messages: int) -> Report:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = json.dumps(stack.enter_context(talking("bench.stub")).hear())
        with talking("bench.ways.record", kind, str(folder / "recorded"), ports) as recorder:
            calls = recorder.hear()
        children = {
            name: stack.enter_context(talking("bench.ways", name, kind, ports, str(folder / "recorded")))
            for name in NAMES
            if name != "team"
        }
        children["team"] = stack.enter_context(talking("bench.ways.team_worker", kind, ports, str(folder)))
        missing = _wait_ready(children)
        costs: Costs = {name: [] for name in children}
        # the first round warms up; by turns, so that whatever else the machine does meets all
        for _ in range(rounds + 1):
            for name, child in children.items():
                costs[name].append(child.ask({"messages": messages, "at_once": AT_ONCE}))
    notes = [f"(a) is {_counted(calls)}, and the check of each callback's signature", *missing]
    return Report(
        title=f"A {kind} to its final status: CPU and memory of the functions' process",
        rows=tuple(_rows({name: found[1:] for name, found in costs.items()})),
        notes=tuple(notes),
    )


def _wait_ready(children: dict[str, Talking]) -> list[str]:
    """Wait for all; what can't be had here is left out, and why is returned."""
    why = []
    for name, child in list(children.items()):
        answer = child.hear()
        if answer != "ready":
            why.append(f"{NAMES[name]}: left out, {answer}")
            del children[name]
    return why


def _rows(costs: Costs) -> list[Row]:
    def of(name: str, what: str, factor: float) -> list[float]:
        return [round_[what] * factor for round_ in costs[name]]

    bare = of("bare", "cpu", 1000)
    found = [name for name in NAMES if name in costs]
    rows = {name: Row.of(NAMES[name], of(name, "cpu", 1000), "ms of CPU", base=bare) for name in found}
    rows["ours"] = rows["ours"].at_most(OF_THE_SDK)
    ours = of("ours", "cpu", 1000)
    without = Row.of("this app beside (a) without", ours, "ms of CPU", base=of("spared", "cpu", 1000))
    rows["without"] = without.at_most(OF_THE_SDK)
    if "team" in rows:
        rows["beside"] = Row.of("this app beside (c)", ours, "ms of CPU", base=of("team", "cpu", 1000)).at_most(1)
    memory = of("bare", "memory", 1e-6)
    for name in found:
        rows[f"{name}: memory"] = Row.of(f"{NAMES[name]}: memory", of(name, "memory", 1e-6), "MB", base=memory)
    return list(rows.values())


def _counted(calls: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in calls.items())


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
