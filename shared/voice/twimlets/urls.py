"""The state of a call in a twimlet's URLs: its parameters, which make the same flow again, and the turn. Pure."""

import dataclasses
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from shared.seal import naming, sealed
from shared.voice.flows.turn import Turn
from shared.voice.flows.turn_urls import read_turn
from shared.voice.flows.urls import state
from shared.voice.twimlets.reading import Twimlet

_STEP: Final = "step"
_WHISPER: Final = "whisper"


def twimlet_url(base_url: str, twimlet: Twimlet, *, delivery: str, turn: Turn) -> str:
    """Return where the webhook of a turn goes, which `read_twimlet_turn` reads back."""
    # the name comes first: a URL that was cut holds no state without it
    told = urlencode([*twimlet.parameters.pairs, (_STEP, turn.step), *state(turn)], errors="replace")
    path = f"{base_url}/api/twimlets/{quote(twimlet.name, safe='', errors='replace')}"
    return f"{path}?{sealed(f'{naming(delivery)}&{told}')}"


def is_turn(query: str) -> bool:
    """Tell whether this app wrote a query for a turn; one that people write has only parameters."""
    return not {_STEP, "delivery"}.isdisjoint(dict(parse_qsl(query, keep_blank_values=True)))


def read_twimlet_turn(name: str, query: str, form: Mapping[str, str]) -> Turn:
    """Read a turn back; a URL that names no step is one of old, with which a call begins here."""
    step = dict(parse_qsl(query)).get(_STEP, "")
    turn = read_turn(step, query, form)
    # it is asked for by a leg that is about to be connected
    return dataclasses.replace(turn, part="whisper") if name == _WHISPER and not step else turn
