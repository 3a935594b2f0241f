"""The state of a call in its URLs: where each webhook of a flow goes, and what comes back with it. Pure.

Twilio signs the whole URL with its query, and nobody else knows the token: what is read here is what was written here,
by this deploy or by one before it. https://www.twilio.com/docs/usage/webhooks/webhooks-security
Each URL ends in a fixed parameter: see `shared.seal`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, cast, get_args
from urllib.parse import parse_qsl, quote, urlencode

from shared.seal import naming, sealed, unsealed
from shared.voice.flows.turn import Part, Turn, whole_number

LONGEST: Final = 2000
"""characters of a URL; inputs that don't fit any more are left out, the oldest first"""
MOST_AGAIN: Final = 3
"""how often a turn is put off, because of trouble inside, before the caller hears that it can't be"""
RETRIED: Final = "#rc=5&rp=all"
"""asks Twilio to try a callback again: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides"""
_KEPT: Final = (
    *("Digits", "SpeechResult", "Confidence", "AnsweredBy"),
    *("DialCallStatus", "DialBridged", "DialCallSid", "DialCallDuration", "QueueResult", "QueueTime", "QueuePosition"),
    *("RecordingUrl", "RecordingSid", "RecordingDuration"),
)
"""what Twilio tells once only: a redirect to the same turn has to bring it along"""
_LONGEST_TOLD: Final = 250
"""characters of each of them"""
_INPUT: Final = "i."
_PARTS: Final = get_args(Part)


def flow_url(base_url: str, *, flow: str, delivery: str, turn: Turn) -> str:
    """Return where the webhook of a turn goes, which `read_turn` reads back."""
    path = f"{base_url}/api/voice/flow/{_quoted(flow)}/{_quoted(turn.step)}"
    # the name comes first: a URL that was cut holds no state without it
    head = "&".join([f"{path}?{naming(delivery)}", *(_encoded([pair]) for pair in state(turn))])
    inputs = [(_INPUT + step, given) for step, given in turn.inputs.items()]
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
        inputs={name.removeprefix(_INPUT): given for name, given in read.items() if name.startswith(_INPUT)},
        form={name: read[name] for name in _KEPT if name in read} | dict(form),
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
    told = [(name, form[name][:_LONGEST_TOLD]) for name in _KEPT if form.get(name) and name not in read]
    kept = [pair for pair in pairs if pair[0] != "again"]
    return f"{path}?{sealed(_encoded([*kept, *told, ('again', str(again))]))}"


def _read(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _fitting(pairs: list[tuple[str, str]], *, room: int) -> list[str]:
    """The last ones that there is room for, in their order."""
    encoded: list[str] = []
    for pair in reversed(pairs):
        encoded.append(_encoded([pair]))
        if sum(len(each) + 1 for each in encoded) > room:
            del encoded[-1]
            break
    return encoded[::-1]


def _encoded(pairs: Iterable[tuple[str, str]]) -> str:
    # an asterisk stays, as the name of a delivery may hold one: see `shared.seal`
    return urlencode(list(pairs), errors="replace", safe="*")


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="replace")
