"""`python -m local.host --port P [--app DIR] [--queue-lease SECONDS]`: run a function app."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import azure.functions as func

from local.host.errors import HostError
from local.host.host import GRACE_SECONDS, LEASE_SECONDS, Host
from local.host.indexing import Function, HttpTrigger, QueueTrigger, TimerTrigger
from local.host.loading import load
from local.host.restart import Beginning
from local.host.settings import read_json, read_local_settings

logger = logging.getLogger("local.host")

_SEVEN_DAYS = 7 * 24 * 3600
_LAST_PORT = 65535


def main() -> None:
    """Run the app of a folder until Ctrl-C or SIGTERM; exit with 1 and one sentence where it cannot be run."""
    options = _parse_arguments()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="[%(asctime)s] %(levelname)s %(name)s: %(message)s",
    )
    # Azure's clients log every request with its URL, and every answer of a storage in trouble.
    for name, level in {"azure": logging.WARNING, "azure.storage": logging.ERROR, "asyncio": logging.WARNING}.items():
        logging.getLogger(name).setLevel(level)
    # Azure ends the process with the app's clients open, and so does this host: no news
    logging.getLogger("asyncio").addFilter(lambda record: not record.getMessage().startswith("Unclosed "))
    try:
        threads_left = _run(options)
    except HostError as exc:
        sys.exit(str(exc))
    except KeyboardInterrupt:
        return
    if threads_left:
        # Python would wait for the threads of sync functions that ignore the end of the host.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Run an Azure Functions app locally.")
    parser.add_argument("--port", type=_number(0, _LAST_PORT), required=True, help="port of 127.0.0.1; 0: a free one")
    parser.add_argument("--app", type=Path, default=Path(), help="the app's folder (default: this one)")
    parser.add_argument(
        "--queue-lease",
        type=_number(1, _SEVEN_DAYS),
        default=LEASE_SECONDS,
        metavar="SECONDS",
        help="how long a message stays invisible after a crash (default: %(default)s)",
    )
    parser.add_argument(
        "--grace",
        type=_number(0, _SEVEN_DAYS),
        default=GRACE_SECONDS,
        metavar="SECONDS",
        help="how long running functions may take to end after Ctrl-C (default: %(default)s)",
    )
    parser.add_argument("--verbose", action="store_true", help="more log lines, and tracebacks")
    return parser.parse_args()


def _number(least: int, most: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a number from {least} to {most}, got {text!r}")
        return int(text)

    return convert


def _run(options: argparse.Namespace) -> int:
    folder = options.app.resolve()
    beginning = Beginning.now()
    for name, value in read_local_settings(folder).items():
        os.environ.setdefault(name, value)
    host_json = read_json(folder / "host.json")
    if host_json is None:
        raise HostError(f"there is no host.json in {folder}")
    os.chdir(folder)
    app = _load(folder, verbose=options.verbose)
    return asyncio.run(_serve(app, host_json, folder, options, beginning))


def _load(folder: Path, *, verbose: bool) -> func.FunctionApp:
    try:
        return load(folder)
    except HostError:
        raise
    except Exception as exc:
        if verbose:
            traceback.print_exc()
        raise HostError(f"function_app.py could not be loaded: {exc}") from exc


async def _serve(
    app: func.FunctionApp,
    host_json: dict[str, object],
    folder: Path,
    options: argparse.Namespace,
    beginning: Beginning,
) -> int:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with Host.start(
        app=app,
        host_json=host_json,
        settings=dict(os.environ),
        port=options.port,
        directory=folder,
        queue_lease_seconds=options.queue_lease,
        grace_seconds=options.grace,
    ) as host:
        print(f"Functions host on {host.url}")
        for function in host.functions:
            print(f"  {function.name}: {_describe(function, host)}{' (disabled)' if function.disabled else ''}")
        sys.stdout.flush()
        watch, stopped = asyncio.create_task(host.watch()), asyncio.create_task(stop.wait())
        await asyncio.wait([watch, stopped], return_when=asyncio.FIRST_COMPLETED)
        if watch.done():
            await watch
        watch.cancel()
    if not stop.is_set():
        logger.warning("restarting the process after a timeout, as Azure restarts its worker process")
        # Here and not after the event loop, which would wait for what ignores its end.
        beginning.again(port=host.port)
    return host.threads_left


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # On Windows the loop has no signal handlers of its own.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _describe(function: Function, host: Host) -> str:
    match function.trigger:
        case HttpTrigger(route=route, methods=methods):
            path = "/".join(part for part in (host.route_prefix, route) if part)
            return f"[{','.join(sorted(methods)) if methods else 'all methods'}] {host.url}/{path}"
        case QueueTrigger(queue=queue):
            return f"queue {queue}"
        case TimerTrigger(schedule=schedule):
            return f"timer {schedule.text}"


if __name__ == "__main__":
    main()
