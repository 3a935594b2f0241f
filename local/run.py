"""Starts a whole set, proves that it works, shows the ways in, and stops it without leaving anything behind."""

import shutil
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType

from local import enqueue, environment, settings_file
from local.child import Child
from local.errors import LocalError
from local.follow import FollowError
from local.parts import Host, Places, choose_host, start_functions, start_storage, start_twilio
from local.proof import prove
from local.ways_in import ways_in

LOOK_SECONDS = 0.2
HEALTHY_WITHIN_SECONDS = 60
INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


class UnhealthyError(LocalError):
    """The functions run, and say that they cannot work."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `run` was asked for."""

    places: Places
    host: Host | None = None
    once: bool = False
    reset: bool = False


def run(wishes: Wishes) -> int:
    """Run a set until Ctrl-C, or with `once` until it is proven; returns the exit code. Raises LocalError."""
    parts = ExitStack()
    with _on_any_signal(signal.default_int_handler):
        try:
            return _run(wishes, parts)
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            with _on_any_signal(signal.SIG_IGN):
                parts.close()


def _run(wishes: Wishes, parts: ExitStack) -> int:
    began = time.monotonic()
    places, values, host = wishes.places, _settings(), choose_host(wishes.host)
    places.require_free_ports()
    if wishes.reset:
        shutil.rmtree(places.data, ignore_errors=True)
    children = _start(places, values, host, parts)
    print(f"Ready after {time.monotonic() - began:.1f} s. The proof: a text and a call, as events come in (UTC):")
    proven = _prove(places, values, children)
    if wishes.once:
        return 0 if proven else 1
    _stay_up(places, children)
    return 0 if proven else 1


def _settings() -> dict[str, str]:
    if settings_file.ensure():
        print(f"Made {settings_file.SETTINGS.name} from {settings_file.EXAMPLE.name}.")
    return settings_file.read()


def _start(places: Places, values: dict[str, str], host: Host, parts: ExitStack) -> list[Child]:
    print(f"Starting Azurite, the Twilio simulator and the functions ({_HOST_NAMES[host]}) …", flush=True)
    (places.home / "logs").mkdir(parents=True, exist_ok=True)
    env = environment.for_parts(
        storage=places.storage, twilio_url=places.twilio_url, functions_url=places.functions_url, values=values
    )
    children = [start_storage(places), start_twilio(places, env)]
    for child in reversed(children):
        parts.callback(child.stop)
    for child in children:
        child.wait_ready()
    _make_queue(places, values)
    functions = start_functions(places, env, host=host)
    parts.callback(functions.stop)
    functions.wait_ready(timeout=180)
    children.append(functions)
    _wait_healthy(places, children)
    return children


_HOST_NAMES: dict[Host, str] = {"embedded": "embedded host", "func": "Azure Functions Core Tools"}


def _make_queue(places: Places, values: dict[str, str]) -> None:
    # Core Tools wait until somebody makes the queue; the embedded host makes it.
    with enqueue.open_queue(environment.outbound_queue(values), values={}, connection_string=places.storage) as queue:
        enqueue.create(queue)


def _wait_healthy(places: Places, children: list[Child]) -> None:
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while not _is_healthy(places.functions_url):
        _check(children)
        if time.monotonic() > deadline:
            raise UnhealthyError(f"The functions are not healthy: see {places.log('functions', places.port)}")
        time.sleep(LOOK_SECONDS)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=10):  # noqa: S310 - our own http:// URL
            return True
    except OSError:
        return False


def _prove(places: Places, values: dict[str, str], children: list[Child]) -> bool:
    with enqueue.open_queue(environment.outbound_queue(values), values={}, connection_string=places.storage) as queue:
        try:
            return prove(
                queue,
                functions_url=places.functions_url,
                show=lambda line: print(line, flush=True),
                check=lambda: _check(children),
            )
        except FollowError as fault:
            _check(children)
            print(fault)
            return False


def _stay_up(places: Places, children: list[Child]) -> None:
    try:
        print(ways_in(places), flush=True)
        while True:
            _check(children)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        print("\nStopping.", flush=True)


def _check(children: list[Child]) -> None:
    for child in children:
        child.check()


@contextmanager
def _on_any_signal(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> Iterator[None]:
    # SIGINT is one of them: a shell that runs a command in the background has it ignore Ctrl-C.
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
