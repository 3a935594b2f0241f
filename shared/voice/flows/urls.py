"""The URLs of a flow's webhooks, whose query holds the state of the call: `turn_urls` reads it. Pure.

Each URL ends in a fixed parameter: see `shared.seal`.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlencode

from shared.seal import naming, sealed
from shared.voice.flows.turn import Turn

LONGEST: Final = 2000
"""characters of a URL; inputs that don't fit any more are left out, the oldest first"""
RETRIED: Final = "#rc=5&rp=all"
"""asks Twilio to try a callback again: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides"""
INPUT: Final = "i."
"""begins the name of an input"""


def flow_url(base_url: str, *, flow: str, delivery: str, turn: Turn) -> str:
    """Return the URL of the webhook of a turn, which `turn_urls.read_turn` reads back."""
    path = f"{base_url}/api/voice/flow/{_quoted(flow)}/{_quoted(turn.step)}"
    # the name comes first: a URL that was cut holds no state without it
    head = "&".join([f"{path}?{naming(delivery)}", *(encoded([pair]) for pair in state(turn))])
    inputs = [(INPUT + step, given) for step, given in turn.inputs.items()]
    return sealed("&".join([head, *_fitting(inputs, room=LONGEST - len(sealed(head)))]))


def state(turn: Turn) -> list[tuple[str, str]]:
    """Return what a URL has to tell of a turn beside its step and its inputs."""
    counters = {"try": turn.tries, "n": turn.index, "turn": turn.count}
    pairs: list[tuple[str, str]] = [("part", turn.part)] if turn.part != "enter" else []
    return pairs + [(name, str(number)) for name, number in counters.items() if number]


def callback_url(base_url: str, route: str, *, delivery: str) -> str:
    """Return where Twilio tells what becomes of a delivery, and tries again where that fails.

    The id rides in the query, and the signature covers it.
    """
    return f"{base_url}/api/{route}?{sealed(naming(delivery))}{RETRIED}"


def _fitting(pairs: list[tuple[str, str]], *, room: int) -> list[str]:
    """Return the last pairs that fit into so many characters, encoded, in their order."""
    fitting: list[str] = []
    for pair in reversed(pairs):
        fitting.append(encoded([pair]))
        if sum(len(each) + 1 for each in fitting) > room:
            del fitting[-1]
            break
    return fitting[::-1]


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs as the query of a URL."""
    # an asterisk stays, as the name of a delivery may hold one: see `shared.seal`
    return urlencode(list(pairs), errors="replace", safe="*")


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="replace")
