"""The options of `show`, `search` and `tail`, and what they start. Only the standard library is imported at first."""

import argparse
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from local.option_types import count, end, moment, url
from local.parts import PORT

_FILTERS: Final = ("to", "from", "address", "direction", "channel", "origin", "since")
_SEARCH_FILTERS: Final = (*_FILTERS, "status", "error_code", "until")


def add_functions(command: argparse.ArgumentParser) -> None:
    """Add the options that say where the functions are."""
    command.add_argument("--url", type=url, default=f"http://127.0.0.1:{PORT}", help="of the functions (%(default)s)")
    command.add_argument(
        "--key", default=os.environ.get("SWITCHBOARD_KEY"), help="a function key (default: SWITCHBOARD_KEY)"
    )


def add_show(command: argparse.ArgumentParser) -> None:
    """Add the options of `show`."""
    command.add_argument("id", help="the delivery")
    command.add_argument("--json", action="store_true", help="print the answer of the functions as one line of JSON")
    add_functions(command)


def add_search(command: argparse.ArgumentParser) -> None:
    """Add the options of `search`."""
    command.add_argument("--status", help="in this status, such as failed or rejected")
    command.add_argument("--error-code", type=count, metavar="CODE", help="with this code, such as 30008")
    _add_filters(command)
    command.add_argument("--since", type=moment, help="made at this time or later: ISO 8601, UTC without an offset")
    command.add_argument("--until", type=end, help="made at this time or before; a day counts whole")
    command.add_argument("--limit", type=count, default=50, help="the most to print (%(default)s)")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_functions(command)


def add_tail(command: argparse.ArgumentParser) -> None:
    """Add the options of `tail`."""
    _add_filters(command)
    command.add_argument(
        "--since", type=moment, help="watch deliveries made at this time or later (default: 10 minutes ago)"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_functions(command)


def _add_filters(command: argparse.ArgumentParser) -> None:
    command.add_argument("--to", help="to this recipient")
    command.add_argument("--from", help="from this sender")
    command.add_argument("--address", help="with this address at either end")
    command.add_argument("--direction", choices=["outbound", "inbound"])
    command.add_argument("--channel", choices=["sms", "call"])
    command.add_argument("--origin", help="made by this schedule or delivery")


def _show(options: argparse.Namespace) -> int:
    from local.asking import Functions  # noqa: PLC0415 - needs what is installed, unlike --help
    from local.show import show  # noqa: PLC0415 - likewise

    return show(options.id, functions=Functions(options.url, options.key), as_json=options.json)


def _search(options: argparse.Namespace) -> int:
    from local.asking import Functions  # noqa: PLC0415 - needs what is installed, unlike --help
    from local.search import search  # noqa: PLC0415 - likewise

    functions = Functions(options.url, options.key)
    return search(_given(options, _SEARCH_FILTERS), limit=options.limit, functions=functions, as_json=options.json)


def _tail(options: argparse.Namespace) -> int:
    from local.asking import Functions  # noqa: PLC0415 - needs what is installed, unlike --help
    from local.tail import tail  # noqa: PLC0415 - likewise

    functions = Functions(options.url, options.key)
    return tail(_given(options, _FILTERS), functions=functions, as_json=options.json)


def _given(options: argparse.Namespace, names: tuple[str, ...]) -> Mapping[str, Any]:
    values = {name: getattr(options, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


COMMANDS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {"show": _show, "search": _search, "tail": _tail}
