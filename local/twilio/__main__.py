"""`python -m local.twilio --port P`: the simulator as a process of its own."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import msgspec

from local.twilio.fault_plan import FaultPlan
from local.twilio.lists import Lists
from local.twilio.server import Simulator

REQUIRED = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")


def main() -> int:
    """Serve until Ctrl-C; returns the exit code."""
    options = _arguments().parse_args()
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if missing:
        print(f"Set {' and '.join(missing)} in the environment: any values will do.", file=sys.stderr)
        return 1
    try:
        lists = msgspec.json.decode(options.lists, type=Lists)
    except msgspec.MsgspecError as exc:
        print(f"The Twilio simulator cannot use --lists: {exc}.", file=sys.stderr)
        return 1
    try:
        faults = _read_faults(options.faults)
    except (OSError, msgspec.MsgspecError) as exc:
        print(f"The Twilio simulator cannot use the faults in {options.faults}: {exc}.", file=sys.stderr)
        return 1
    try:
        asyncio.run(_serve(options, faults, lists))
    except KeyboardInterrupt:
        return 0
    except OSError as exc:
        reason = exc.strerror or exc
        print(f"The Twilio simulator cannot listen on 127.0.0.1:{options.port}: {reason}.", file=sys.stderr)
        return 1
    return 0


async def _serve(options: argparse.Namespace, faults: FaultPlan, lists: Lists) -> None:
    async with Simulator.start(
        account_sid=os.environ["TWILIO_ACCOUNT_SID"],
        auth_token=os.environ["TWILIO_AUTH_TOKEN"],
        api_key_sid=os.environ.get("TWILIO_API_KEY_SID") or None,
        api_key_secret=os.environ.get("TWILIO_API_KEY_SECRET") or None,
        port=options.port,
        pace=options.pace,
        webhooks=options.webhooks,
        faults=faults,
        lists=lists,
    ) as simulator:
        print(f"Twilio simulator on {simulator.url}", flush=True)
        await asyncio.Event().wait()


def _read_faults(path: Path | None) -> FaultPlan:
    return FaultPlan() if path is None else FaultPlan.read(path.read_bytes())


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.twilio", description="A Twilio for one machine.")
    parser.add_argument("--port", type=int, required=True, help="where to listen; 0 takes any free port")
    parser.add_argument("--webhooks", metavar="URL", help="the app, for inbound texts and calls that name no URL")
    parser.add_argument("--pace", type=float, default=1.0, help="scales every delay: 1 is plausible, 0 is at once")
    parser.add_argument(
        "--faults", metavar="FILE", type=Path, help="what goes wrong, as JSON: local/twilio/control.py says how"
    )
    parser.add_argument(
        "--lists", metavar="JSON", default="{}", help='how lists come, as control.py says: \'{"order": "adverse"}\''
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
