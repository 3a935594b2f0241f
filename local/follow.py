"""Prints the timeline of deliveries while it comes about, from the functions' HTTP API."""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from local.colours import painted_status
from local.enqueue import Sent
from local.errors import LocalError

POLL_SECONDS = 0.2
ANSWER_SECONDS = 10
SUCCESS = frozenset({"delivered", "read", "completed"})
FINAL = SUCCESS | {
    "undelivered",
    "failed",
    "canceled",
    "busy",
    "no-answer",
    "rejected",
    "suppressed",
    "expired",
}


class FollowError(LocalError):
    """The functions do not answer, or not with a delivery."""


class Event(msgspec.Struct, frozen=True):
    """One thing that happened to a delivery."""

    status: str
    at: datetime
    sid: str | None = None
    error_code: int | str | None = None
    error_message: str | None = None
    kind: str | None = None
    raw: dict[str, Any] = {}


class Delivery(msgspec.Struct, frozen=True):
    """A delivery as `GET deliveries/{id}` shows it, as far as this console wants to know."""

    id: str
    status: str
    error_code: int | str | None = None
    error_message: str | None = None
    events: tuple[Event, ...] = ()
    request: str | None = None

    def asked_for(self, request: Mapping[str, object]) -> bool:
        """Whether it was this request that it was made for."""
        try:
            return self.request is None or msgspec.json.decode(self.request) == request
        except msgspec.DecodeError:
            return False

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected (after `delivered`, a `read` may come)."""
        return self.status in FINAL

    @property
    def succeeded(self) -> bool:
        """Whether the recipient got it."""
        return self.status in SUCCESS


def read_delivery(delivery_id: str, *, url: str, key: str | None = None) -> Delivery | None:
    """One delivery, or None before it is taken from the queue; raises FollowError."""
    address = f"{url.rstrip('/')}/api/deliveries/{urllib.parse.quote(delivery_id, safe='')}"
    request = urllib.request.Request(address, headers={"x-functions-key": key} if key else {})  # noqa: S310 - the console takes http URLs only
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - the same
            return msgspec.json.decode(answer.read(), type=Delivery)
    except urllib.error.HTTPError as refusal:
        with refusal:
            if refusal.code == http.HTTPStatus.NOT_FOUND:
                return None
            hint = " (a function key? --key)" if refusal.code == http.HTTPStatus.UNAUTHORIZED else ""
            raise FollowError(f"{url} answered {refusal.code} when asked for a delivery{hint}") from refusal
    except (OSError, http.client.HTTPException) as fault:
        raise FollowError(f"No functions answer at {url}: are they running?") from fault
    except msgspec.MsgspecError as fault:
        raise FollowError(f"{url} answered something that is no delivery: {fault}") from fault


def find_delivery(sent: Sent, *, url: str, key: str | None = None) -> Delivery | None:
    """The delivery of what was enqueued, or None before it is taken from the queue; raises FollowError.

    A message that is refused is recorded under its own id: it never occupies the id that it names, which may be
    somebody else's delivery.
    """
    refused = read_delivery(sent.message_id, url=url, key=key)
    if refused is not None:
        return refused
    named = read_delivery(sent.request_id, url=url, key=key)
    return named if named is not None and named.asked_for(sent.request) else None


def follow(
    finders: Mapping[str, Callable[[], Delivery | None]],
    *,
    show: Callable[[str], None],
    timeout: float | None = None,
    check: Callable[[], None] = lambda: None,
) -> dict[str, Delivery | None]:
    """Show each event of what the finders find as it comes in, until all are final or time is over.

    Returns each delivery by its label as last seen. `timeout` is in seconds; `check` is called at every look
    and may raise to give up.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    seen: dict[str, Delivery | None] = dict.fromkeys(finders)
    shown: list[tuple[str, Event]] = []
    while True:
        check()
        for label in (label for label, last in seen.items() if last is None or not last.is_final):
            seen[label] = now = finders[label]()
            for event in now.events if now else ():
                if (label, event) not in shown:
                    shown.append((label, event))
                    show(describe(label, event))
        over = deadline is not None and time.monotonic() >= deadline
        if over or all(last is not None and last.is_final for last in seen.values()):
            return seen
        time.sleep(POLL_SECONDS)


def _what(event: Event) -> str:
    """What a flow's event tells: `alert: acknowledged`, `menu: input 1`."""
    if event.kind != "flow":
        return ""
    told = [event.raw.get(name) for name in ("event", "outcome", "digits", "speech", "dial", "result", "problem")]
    return f"{event.raw.get('step')}: {' '.join(str(each) for each in told if each)}"


def describe(label: str, event: Event) -> str:
    """One event as a line: when (UTC), which delivery, what, and the code of an error."""
    at = event.at.astimezone(UTC)
    # Twilio tells the times of calls in whole seconds.
    time_of_day = at.strftime("%H:%M:%S.%f")[:-3] if at.microsecond else at.strftime("%H:%M:%S")
    code = f"error {event.error_code}" if event.error_code else ""
    what = f"{event.kind or event.status:<11}"
    what = what if event.kind else painted_status(what, event.status)
    words = (f"{time_of_day:<12}", label, what, event.sid, _what(event), code, event.error_message)
    return "  " + "  ".join(word for word in words if word).rstrip()
