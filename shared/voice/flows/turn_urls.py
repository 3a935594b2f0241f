"""Read a turn back from the URL of its webhook, and repeat a turn after an error. Pure.

Twilio signs the whole URL with its query, and nobody else knows the token: this app wrote what is read here, in this
deploy or an earlier one. https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from collections.abc import Mapping
from typing import Final, cast, get_args
from urllib.parse import parse_qsl

from shared.seal import sealed, unsealed
from shared.voice.flows.registry import all_kinds
from shared.voice.flows.turn import Part, Turn, whole_number
from shared.voice.flows.urls import INPUT, encoded

MOST_AGAIN: Final = 3
"""how often a turn is put off, because of trouble inside, before the caller hears that it can't be"""
_LONGEST_TOLD: Final = 250
"""characters of each field of Twilio that a URL carries"""
_OF_CALL: Final = "AnsweredBy"
"""a field of the request for a call's first document"""
_PARTS: Final = get_args(Part)


def read_turn(step: str, query: str, form: Mapping[str, str]) -> Turn:
    """Read a turn back from its URL's query; what is missing there, or is not as it was written, is as at first."""
    read = _read(query)
    part = read.get("part")
    return Turn(
        step=step,
        part=cast("Part", part) if part in _PARTS else "enter",
        tries=whole_number(read.get("try")) or 0,
        index=whole_number(read.get("n")) or 0,
        count=whole_number(read.get("turn")) or 0,
        again=whole_number(read.get("again")) or 0,
        inputs={name.removeprefix(INPUT): given for name, given in read.items() if name.startswith(INPUT)},
        form={name: read[name] for name in _told_once() if name in read} | dict(form),
    )


def is_turn(query: str) -> bool:
    """Tell whether this app wrote a query for a turn; one that people write, such as `turn=100`, names no delivery."""
    return "delivery" in _read(query)


def once_more(url: str, form: Mapping[str, str]) -> str | None:
    """Return where a turn that met trouble is tried again, with all that Twilio told; None where that was enough."""
    path, _, query = url.partition("?")
    pairs = parse_qsl(unsealed(query.partition("#")[0]), keep_blank_values=True)
    read = dict(pairs)
    again = (whole_number(read.get("again")) or 0) + 1
    if again > MOST_AGAIN:
        return None
    told = [(name, form[name][:_LONGEST_TOLD]) for name in _told_once() if form.get(name) and name not in read]
    kept = [pair for pair in pairs if pair[0] != "again"]
    return f"{path}?{sealed(encoded([*kept, *told, ('again', str(again))]))}"


def _read(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _told_once() -> tuple[str, ...]:
    """Return the fields that Twilio sends only once: the URL of a repeated turn has to carry them."""
    return tuple(dict.fromkeys([_OF_CALL, *(name for kind in all_kinds().values() for name in kind.form_fields)]))
