"""`python3 dev.py bench`: what a message costs, beside its peers; every number as a ratio within one run.

Each part runs by itself, too: `python -m bench.NAME`.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.report import as_json, text

PARTS: Final = {
    "message": "CPU and memory of a message, beside other ways to send it",
    "throughput": "messages a second, by how long Twilio takes",
    "transactions": "storage transactions of a message, counted at the wire",
    "webhooks": "latency and CPU of Twilio's webhooks",
    "cold_start": "from the process's start to the first webhook answered",
    "growth": "whether a message or a lookup costs more as deliveries add up",
    "flow_step": "a step of a call flow beside the bare twilio library",
    "schedule_timer": "the timer with few and with many schedules",
}


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for, print each table when it is there, and write all of them as JSON; the exit code."""
    options = _parser().parse_args(arguments)
    found = {}
    for name in options.parts or PARTS:
        begun = time.monotonic()
        print(f"== {name}: {PARTS[name]}", flush=True)
        reports = importlib.import_module(f"bench.{name}").measure(quick=options.quick)
        for report in reports:
            print(text(report), end="\n\n", flush=True)
        print(f"== {name}: {time.monotonic() - begun:.0f} s\n", flush=True)
        found[name] = [json.loads(as_json(report)) for report in reports]
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        print(f"As JSON: {options.json}")
    return 0


def _parser() -> argparse.ArgumentParser:
    shown = "\n".join(f"  {name:15} {what}" for name, what in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="dev.py bench",
        description=f"Measures what a message costs; docs/performance.md says how to read it.\n\n{shown}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help="default: all")
    parser.add_argument("--quick", action="store_true", help="a few rounds only: it shows that it works, and no more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all of it as JSON, too")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
