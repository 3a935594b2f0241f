"""`python -m local run` and `python -m local send`: what `dev.py` hands over to, in its virtual environment.

Only the standard library is imported before the arguments are known to be good.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.errors import LocalError
from local.parts import PORT, STORAGE_PORT, TWILIO_PORT, Places

HOME = Path(__file__).resolve().parents[1] / ".switchboard"
REQUEST_FIELDS = ("id", "channel", "to", "from", "body", "say")


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; returns the exit code, after one sentence where something is wrong."""
    options = parser().parse_args(arguments)
    if options.check:
        return 0
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return _run(options) if options.command == "run" else _send(options)
    except LocalError as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """The whole command line; every option says what it is for."""
    whole = argparse.ArgumentParser(prog="dev.py", allow_abbrev=False)
    whole.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="start everything and prove that it works", allow_abbrev=False))
    _add_send(
        commands.add_parser(
            "send",
            help="enqueue one request",
            allow_abbrev=False,
            description="Enqueues one request and prints its id. With --follow the exit code is 0 only "
            "if it ends as delivered, read or completed.",
        )
    )
    return whole


def _add_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("--once", action="store_true", help="stop after the proof; exit code 0 only if it worked")
    command.add_argument("--reset", action="store_true", help="begin with an empty storage")
    command.add_argument("--host", choices=["embedded", "func"], help="default: func where it is on PATH")
    command.add_argument("--port", type=_port, default=PORT, help="of the functions (%(default)s)")
    command.add_argument("--twilio-port", type=_port, default=TWILIO_PORT, help="of the simulator (%(default)s)")
    command.add_argument(
        "--storage-port", type=_port, default=STORAGE_PORT, help="the first of Azurite's three (%(default)s)"
    )
    command.add_argument("--home", type=Path, default=HOME, help="the folder of data and logs (%(default)s)")


def _add_send(command: argparse.ArgumentParser) -> None:
    command.add_argument("--to", help="the recipient, E.164")
    command.add_argument("--body", help="send a text that says this")
    command.add_argument("--say", help="make a call that says this")
    command.add_argument("--from", help="the sender, instead of the default one")
    command.add_argument("--channel", choices=["sms", "call"], help="default: sms with --body, call with --say")
    command.add_argument("--id", help="the request's id; the same id is sent once, ever (default: a new one)")
    command.add_argument("--json", metavar="FILE", help="the request as a JSON object; - is standard input")
    command.add_argument("--follow", action="store_true", help="print the timeline until it ends")
    command.add_argument("--url", type=_url, default=f"http://127.0.0.1:{PORT}", help="of the functions (%(default)s)")
    command.add_argument(
        "--key", default=os.environ.get("SWITCHBOARD_KEY"), help="a function key (default: SWITCHBOARD_KEY)"
    )
    command.add_argument(
        "--storage-port",
        type=_port,
        help="the local storage of `dev.py run --storage-port` "
        "(default: AzureWebJobsStorage of the environment, else of local.settings.json)",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65533:  # noqa: PLR2004 - the storage takes two more
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65533, got {text!r}")
    return int(text)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"expected an http:// or https:// URL, got {text!r}")
    return text


def _run(options: argparse.Namespace) -> int:
    from local.run import Wishes, run  # noqa: PLC0415 - needs what is installed, unlike --help

    places = Places(
        port=options.port,
        twilio_port=options.twilio_port,
        storage_port=options.storage_port,
        home=options.home.resolve(),
    )
    return run(Wishes(places=places, host=options.host, once=options.once, reset=options.reset))


def _send(options: argparse.Namespace) -> int:
    from local.send import Wishes, send  # noqa: PLC0415 - needs what is installed, unlike --help

    given = {name: getattr(options, name) for name in REQUEST_FIELDS}
    return send(
        Wishes(
            json_file=options.json,
            fields={name: value for name, value in given.items() if value is not None},
            storage_port=options.storage_port,
            follow=options.follow,
            url=options.url,
            key=options.key,
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
