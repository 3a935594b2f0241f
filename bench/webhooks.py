"""Twilio's webhooks: what they cost the functions' process, and how long they take at steady rates until it is full.

`python -m bench.webhooks` prints a table of CPU, the functions called as the worker calls them, with the signature and
the TwiML apart; and one for each webhook over HTTP, from the embedded host. The rates are open loops: when a request is
due is fixed beforehand, and its latency counts from then, whatever became of the one before. The host, the stub of
storage and who asks share the machine's cores, so the rate at which it is full is that of the three together.
"""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from bench import forms, processes
from bench.report import Report, Row, text
from bench.stubbed import stubbed
from bench.talking import ROOT, talking
from bench.ways.way import Place
from bench.ways.webhook import SIGNATURE, TWIML
from local.child import Child

RATES: Final = (25, 50, 100, 150, 200, 300, 400, 600)
"""requests a second"""
SECONDS: Final = 5
LATE: Final = 0.25
"""seconds of the 99th percentile from which on it is full"""
BEHIND: Final = 0.95
"""of the offered rate"""
PATIENCE: Final = 30
PERCENTILES: Final = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


@dataclass(frozen=True, slots=True)
class Held:
    """What a rate brought."""

    latencies: list[float]
    """seconds, of those that were answered well"""
    rate: float
    """answers a second"""
    cpu: float
    """seconds of a request, in the host's process"""
    failed: int

    def percentile(self, share: float) -> float:
        """Return the latency that this share stayed within."""
        found = sorted(self.latencies)
        return found[min(len(found) - 1, round(share * len(found)))]


def measure(*, quick: bool = False) -> tuple[Report, ...]:
    """Measure the CPU, then each webhook at rising rates."""
    reports = [_parts(rounds=1 if quick else 7, calls=20 if quick else 150)]
    rates = RATES[:1] if quick else RATES
    reports.extend(_at_rates(function, rates, seconds=1 if quick else SECONDS) for function in forms.FORMS)
    return tuple(reports)


def _parts(*, rounds: int, calls: int) -> Report:
    names = [*forms.FORMS, SIGNATURE, TWIML]
    costs: dict[str, list[float]] = {name: [] for name in names}
    with ExitStack() as stack:
        stub = stack.enter_context(stubbed())
        children = {
            name: stack.enter_context(talking("bench.ways", "webhook", "text", stub.argument, name)) for name in names
        }
        for child in children.values():
            child.hear()
        for _ in range(rounds + 1):
            for name, child in children.items():
                costs[name].append(1000 * child.ask({"messages": calls, "at_once": 1})["cpu"])
    whole = costs["sms_inbound"][1:]
    rows = tuple(Row.of(_shown(name), found[1:], "ms of CPU", base=whole) for name, found in costs.items())
    return Report(title="A webhook: CPU of the function by itself", rows=rows)


def _at_rates(function: str, rates: Sequence[int], *, seconds: int) -> Report:
    rows: list[Row] = []
    notes = []
    with _host() as (url, pid):
        asyncio.run(_hold(url, pid, function, rate=10, seconds=1))
        for rate in rates:
            held = asyncio.run(_hold(url, pid, function, rate=rate, seconds=seconds))
            rows.extend(_rows(rate, held))
            late, behind = held.percentile(0.99) > LATE, held.rate < BEHIND * rate
            if held.failed or late or behind:
                why = f"{held.failed} failed" if held.failed else "it is late" if late else "it falls behind"
                notes.append(f"Full at {rate}/s: {why}; the host then takes {held.cpu * held.rate:.0%} of a core.")
                break
    return Report(title=f"{_shown(function)} over HTTP, by requests a second", rows=tuple(rows), notes=tuple(notes))


def _rows(rate: int, held: Held) -> Iterator[Row]:
    middle = held.percentile(0.5)
    for name, share in PERCENTILES.items():
        if len(held.latencies) * (1 - share) < 1:
            continue  # it would be the slowest one, by another name
        value = held.percentile(share)
        yield Row(name=f"{rate}/s: {name}", value=1000 * value, unit="ms", ratio=value / middle)
    yield Row(name=f"{rate}/s: CPU of one", value=1000 * held.cpu, unit="ms of CPU")


@contextmanager
def _host() -> Iterator[tuple[str, int]]:
    """Run the app in the embedded host; where it is, and its process id."""
    with stubbed() as stub:
        place = Place.of(stub.argument)
        settings = {**forms.settings(place.storage), "TWILIO_API_BASE_URL": place.twilio, "PYTHONPATH": str(ROOT)}
        child = Child(
            "the host",
            [sys.executable, "-P", "-m", "local.host", "--port", "0"],
            ready=r"(http://127\.0\.0\.1:\d+)",
            env=settings,
        )
        try:
            [url] = child.wait_ready()
            yield url, child.pid
        finally:
            child.stop()


async def _hold(url: str, pid: int, function: str, *, rate: int, seconds: int) -> Held:
    """Ask at a steady rate."""
    posted = [forms.post(function) for _ in range(rate * seconds)]
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    latencies: list[float] = []
    failed = 0
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:

        async def ask(one: forms.Posted, due: float) -> None:
            nonlocal failed
            try:
                async with session.post(origin + one.target, data=one.body, headers=dict(one.headers)) as answer:
                    await answer.read()
                    good = answer.status in {200, 204}
            except (aiohttp.ClientError, TimeoutError):
                good = False
            if good:
                latencies.append(time.perf_counter() - due)
            else:
                failed += 1

        worked = processes.cpu(pid)
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number, one in enumerate(posted):
                due = begun + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(ask(one, due))
        spent = time.perf_counter() - begun
    cpu = (processes.cpu(pid) - worked) / len(posted)
    return Held(latencies or [float(PATIENCE)], len(latencies) / spent, cpu, failed)


def _shown(function: str) -> str:
    return function.replace("_", "/")


def main() -> None:
    """Measure, and print."""
    for report in measure():
        print(text(report), end="\n\n")


if __name__ == "__main__":
    main()
