"""`python3 dev.py bench`: what a message costs, beside its peers; every number as a ratio within one run.

Each part runs by itself, too: `python -m bench.NAME`. Only the standard library is imported before the arguments are
known to be good.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench.talking import ChildFailedError
from local.errors import LocalError

PARTS: Final = {
    "message": "CPU and memory of a message, beside other ways to send it",
    "throughput": "messages a second, by how long Twilio takes",
    "transactions": "storage transactions of a message, counted at the wire",
    "webhooks": "latency and CPU of Twilio's webhooks",
    "cold_start": "from the process's start to the first webhook answered",
    "growth": "whether a message or a lookup costs more as deliveries add up",
    "open_deliveries": "how housekeeping gets through open deliveries without receipts",
    "flow_step": "a step of a call flow beside the bare twilio library",
    "schedule_timer": "the timer with few and with many schedules",
}
INTERRUPTED: Final = 130


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for, print each table when it is there, and write all of them as JSON; the exit code.

    A part that fails keeps no other from being measured; the exit code is 1 then.
    """
    options = _parser().parse_args(arguments)
    if options.check:
        return 0
    if options.quick:
        print("== --quick shows that it works: its numbers, and what is met or missed, say nothing\n", flush=True)
    found: dict[str, Any] = {}
    failed = []
    try:
        _write(found, options.json)
        for name in options.parts or PARTS:
            try:
                found[name] = _measure(name, quick=options.quick)
            except (ChildFailedError, LocalError, SystemExit) as fault:
                print(f"== {name} failed: {fault}\n", file=sys.stderr, flush=True)
                failed.append(name)
            _write(found, options.json)
    except OSError as fault:
        print(f"dev.py bench cannot go on: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        print(f"As JSON: {options.json}")
    return 1 if failed else 0


def _measure(name: str, *, quick: bool) -> list[Any]:
    from bench.report import as_json, text  # noqa: PLC0415 - not the standard library alone

    begun = time.monotonic()
    print(f"== {name}: {PARTS[name]}", flush=True)
    reports = importlib.import_module(f"bench.{name}").measure(quick=quick)
    for report in reports:
        print(text(report), end="\n\n", flush=True)
    print(f"== {name}: {time.monotonic() - begun:.0f} s\n", flush=True)
    return [json.loads(as_json(report)) for report in reports]


def _write(found: dict[str, Any], file: Path | None) -> None:
    """Write what there is so far: at the very beginning, too, as a file that can't be written is told of first."""
    if file:
        file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(PARTS)}, got {name!r}")
    return name


def _parser() -> argparse.ArgumentParser:
    shown = "\n".join(f"  {name:15} {what}" for name, what in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="dev.py bench",
        epilog="examples:\n  python3 dev.py bench\n  python3 dev.py bench message webhooks --json bench.json",
        description=f"Measures what a message costs; docs/explanation/performance.md says how to read it.\n\n{shown}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("parts", nargs="*", type=_part, metavar="PART", help="default: all")
    parser.add_argument("--quick", action="store_true", help="a few rounds only: it shows that it works, and no more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all of it as JSON, too")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
