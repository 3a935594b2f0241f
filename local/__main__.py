"""`python -m local run`, `send` and the others: what `dev.py` hands over to, in its virtual environment.

Only the standard library is imported before the arguments are known to be good.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from local import examples, lookup_options
from local.errors import LocalError
from local.lookup_options import add_functions
from local.option_types import count, end, moment, port
from local.parts import PORT, STORAGE_PORT, TWILIO_PORT, Places

HOME = Path(__file__).resolve().parents[1] / ".switchboard"
TEMPLATES = HOME.parent / "templates"
FLOWS = HOME.parent / "flows"
REPLIES = HOME.parent / "replies.toml"
REQUEST_FIELDS = ("id", "channel", "to", "from", "body", "say", "flow")
SEARCH_FIELDS = ("status", "to", "from", "error_code", "origin", "channel", "since", "until")


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; returns the exit code, after one sentence where something is wrong."""
    options = parser().parse_args(arguments)
    if options.check:
        return 0
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        return _COMMANDS[options.command](options)
    except LocalError as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of a pipe, such as `head`, has enough. https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser() -> argparse.ArgumentParser:
    """The whole command line; every option says what it is for."""
    whole = argparse.ArgumentParser(prog="dev.py", allow_abbrev=False)
    whole.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = partial(_add, commands)
    _add_run(add("run", help="start everything and prove that it works"))
    _add_send(
        add(
            "send",
            help="enqueue one request",
            description="Enqueues one request and prints its id. With --follow the exit code is 0 only\n"
            "if it ends as delivered, read or completed.",
        )
    )
    lookup_options.add_show(add("show", help="show a delivery and its timeline"))
    lookup_options.add_search(add("search", help="find deliveries"))
    lookup_options.add_tail(
        add(
            "tail",
            help="print events as they are recorded",
            description="Prints each event that is recorded from now on, of the newest deliveries. Ctrl-C stops it.",
        )
    )
    _add_replay(add("replay", help="send rejected or failed deliveries again"))
    _add_template(add("template", help="show, list and check the message templates"))
    _add_flow(add("flow", help="show, list and check the call flows"))
    _add_replies(add("replies", help="try, list and check the rules that answer texts"))
    _add_soak(
        add(
            "soak",
            help="send thousands of requests while everything fails, and count",
            description="Two hosts that are killed every few seconds, with faults of Twilio, of proxies and of the\n"
            "storage, and adverse lists, at random. The exit code is 0 only if every request was sent once.",
        )
    )
    return whole


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, **texts: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        epilog=examples.of(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        help=texts["help"],
        description=texts.get("description"),
    )


def _add_template(command: argparse.ArgumentParser) -> None:
    verbs = command.add_subparsers(dest="verb", required=True, metavar="VERB")
    render = verbs.add_parser("render", help="show the text, its encoding and its segments", allow_abbrev=False)
    render.add_argument("name", help="the template")
    render.add_argument("--data", default="{}", metavar="JSON", help="its values, a JSON object; @FILE reads a file")
    render.add_argument("--locale", help="such as de-AT (default: the template's first)")
    render.add_argument("--channel", choices=["sms", "call"], help="default: the template's first")
    listing = verbs.add_parser("list", help="name the templates and the values that they take", allow_abbrev=False)
    check = verbs.add_parser("check", help="name everything that is wrong with them", allow_abbrev=False)
    for verb in (render, listing, check):
        verb.add_argument("--folder", type=Path, default=TEMPLATES, help="where they are (%(default)s)")


def _add_flow(command: argparse.ArgumentParser) -> None:
    verbs = command.add_subparsers(dest="verb", required=True, metavar="VERB")
    show = verbs.add_parser("show", help="print a flow as a Mermaid diagram", allow_abbrev=False)
    show.add_argument("name", help="the flow")
    listing = verbs.add_parser("list", help="name the flows and the values that they take", allow_abbrev=False)
    check = verbs.add_parser("check", help="name everything that is wrong with them", allow_abbrev=False)
    for verb in (show, listing, check):
        verb.add_argument("--folder", type=Path, default=FLOWS, help="where they are (%(default)s)")


def _add_replies(command: argparse.ArgumentParser) -> None:
    verbs = command.add_subparsers(dest="verb", required=True, metavar="VERB")
    trial = verbs.add_parser("try", help="show what a text would get", allow_abbrev=False)
    trial.add_argument("text", help="what somebody writes")
    trial.add_argument("--to", default="", metavar="NUMBER", help="your number that they write to (default: any)")
    listing = verbs.add_parser("list", help="name the rules and the texts that they are for", allow_abbrev=False)
    check = verbs.add_parser("check", help="name everything that is wrong with them", allow_abbrev=False)
    for verb in (trial, listing, check):
        verb.add_argument("--file", type=Path, default=REPLIES, help="where they are (%(default)s)")
        verb.add_argument("--templates", type=Path, default=TEMPLATES, help="the folder of templates (%(default)s)")


def _add_soak(command: argparse.ArgumentParser) -> None:
    command.add_argument("--requests", type=count, default=2000, help="how many (%(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of everything that happens at random (%(default)s)")
    command.add_argument(
        "--schedules",
        type=count,
        metavar="N",
        help="instead: so many schedules due in one minute, and a host that is killed half way",
    )


def _add_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("--once", action="store_true", help="stop after the proof; exit code 0 only if it worked")
    command.add_argument("--reset", action="store_true", help="begin with an empty storage")
    command.add_argument("--host", choices=["embedded", "func"], help="default: func where it is on PATH")
    command.add_argument("--port", type=port, default=PORT, help="of the functions (%(default)s)")
    command.add_argument("--twilio-port", type=port, default=TWILIO_PORT, help="of the simulator (%(default)s)")
    command.add_argument(
        "--storage-port", type=port, default=STORAGE_PORT, help="the first of Azurite's three (%(default)s)"
    )
    command.add_argument("--home", type=Path, default=HOME, help="the folder of data and logs (%(default)s)")


def _add_send(command: argparse.ArgumentParser) -> None:
    command.add_argument("--to", help="the recipient, E.164")
    command.add_argument("--body", help="send a text that says this")
    command.add_argument("--say", help="make a call that says this")
    command.add_argument("--flow", metavar="NAME", help="make a call that walks this call flow")
    command.add_argument("--data", metavar="JSON", help="the flow's values, a JSON object; @FILE reads a file")
    command.add_argument("--from", help="the sender, instead of the default one")
    command.add_argument("--channel", choices=["sms", "call"], help="default: sms with --body, else call")
    command.add_argument("--id", help="the request's id; the same id is sent once, ever (default: a new one)")
    command.add_argument("--json", metavar="FILE", help="the request as a JSON object; - is standard input")
    command.add_argument("--follow", action="store_true", help="print the timeline until it ends")
    add_functions(command)
    command.add_argument(
        "--storage-port",
        type=port,
        help="the local storage of `dev.py run --storage-port` "
        "(default: AzureWebJobsStorage of the environment, else of local.settings.json)",
    )


def _add_replay(command: argparse.ArgumentParser) -> None:
    command.add_argument("id", nargs="*", help="a delivery: it is sent again without a question")
    command.add_argument("--status", help="all that are in this status, such as failed or rejected")
    command.add_argument("--to", help="all to this recipient")
    command.add_argument("--from", help="all from this sender")
    command.add_argument("--error-code", type=count, metavar="CODE", help="all with this code, such as 30008")
    command.add_argument("--origin", help="all that this schedule or delivery made")
    command.add_argument("--channel", choices=["sms", "call"], help="of these, those of this channel")
    command.add_argument("--since", type=moment, help="of these, those made at this time or later: ISO 8601, else UTC")
    command.add_argument("--until", type=end, help="of these, those made at this time or before; a day counts whole")
    command.add_argument(
        "--include",
        action="append",
        default=[],
        choices=["opted-out", "invalid"],
        help="also recipients who opted out, or whom Twilio called invalid; may be repeated",
    )
    command.add_argument("--again", action="store_true", help="also what was replayed before")
    command.add_argument("--dry-run", action="store_true", help="show what would be sent, and send nothing")
    command.add_argument("--yes", action="store_true", help="send what a search finds without a question")
    command.add_argument("--by", metavar="NAME", help="who asks for it, kept with each delivery")
    add_functions(command)


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
            data=options.data,
            storage_port=options.storage_port,
            follow=options.follow,
            url=options.url,
            key=options.key,
        )
    )


def _replay(options: argparse.Namespace) -> int:
    from local.asking import Functions  # noqa: PLC0415 - needs what is installed, unlike --help
    from local.replay import Wishes, replay  # noqa: PLC0415 - likewise

    given = {name: getattr(options, name) for name in SEARCH_FIELDS}
    return replay(
        Wishes(
            ids=tuple(options.id),
            search={name: value for name, value in given.items() if value is not None},
            functions=Functions(options.url, options.key),
            include=tuple(options.include),
            again=options.again,
            dry_run=options.dry_run,
            yes=options.yes,
            by=options.by,
        )
    )


def _template(options: argparse.Namespace) -> int:
    from local import template  # noqa: PLC0415 - needs what is installed, unlike --help

    if options.verb == "list":
        return template.show_all(options.folder)
    if options.verb == "check":
        return template.check(options.folder)
    wishes = template.Wishes(name=options.name, data=options.data, locale=options.locale, channel=options.channel)
    return template.render(options.folder, wishes)


def _flow(options: argparse.Namespace) -> int:
    from local import flow  # noqa: PLC0415 - needs what is installed, unlike --help

    if options.verb == "show":
        return flow.show(options.folder, options.name)
    return flow.show_all(options.folder) if options.verb == "list" else flow.check(options.folder)


def _replies(options: argparse.Namespace) -> int:
    from local import replies  # noqa: PLC0415 - needs what is installed, unlike --help

    if options.verb == "try":
        return replies.try_out(options.file, options.templates, text=options.text, to=options.to)
    if options.verb == "list":
        return replies.show_all(options.file, options.templates)
    return replies.check(options.file, options.templates)


def _soak(options: argparse.Namespace) -> int:
    if options.schedules is not None:
        from local.harness import schedules  # noqa: PLC0415 - needs what is installed, unlike --help

        return schedules.main(schedules=options.schedules)
    from local.harness.soak import main as soak  # noqa: PLC0415 - likewise

    return soak(requests=options.requests, seed=options.seed)


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "send": _send,
    "replay": _replay,
    "soak": _soak,
    "template": _template,
    "flow": _flow,
    "replies": _replies,
    **lookup_options.COMMANDS,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
