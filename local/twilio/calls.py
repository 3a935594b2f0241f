"""Calls: what a create asks for, what is remembered, what the REST API shows.

https://www.twilio.com/docs/voice/api/call-resource
"""

from datetime import datetime

import msgspec

from local.twilio.account import API_VERSION, Account
from local.twilio.dates import rfc2822, rfc2822_or_none
from local.twilio.errors import RestError
from local.twilio.forms import Form, first, is_url, method_of
from local.twilio.numbers import CALL_FROM, CALL_TO, formatted, is_callable, refusal
from local.twilio.recordings import RecordingOrder, read_recording
from local.twilio.store import Record
from local.twilio.twiml import Heard, Source

MAX_TWIML = 4000
DEFAULT_TIME_LIMIT = 14_400
DEFAULT_RING_LIMIT = 60
EVENTS = ("initiated", "ringing", "answered", "completed")
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
SUBRESOURCES = (
    "Events",
    "Notifications",
    "Payments",
    "Recordings",
    "Siprec",
    "Streams",
    "Transcriptions",
    "UserDefinedMessageSubscriptions",
    "UserDefinedMessages",
)


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """That a machine is to be detected, and whether the call waits for that.

    https://www.twilio.com/docs/voice/answering-machine-detection
    """

    mode: str
    waits: bool = True
    callback: Source | None = None

    def finds(self, answered_by: str) -> str:
        """What is told of who answered: where the end of a greeting is awaited, how it ended."""
        if not answered_by.startswith("machine_"):
            return answered_by
        if self.mode == "Enable":
            return "machine_start"
        return "machine_end_beep" if answered_by == "machine_start" else answered_by


class CallOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A create request that was found good."""

    to: str
    from_: str
    source: Source
    fallback: Source | None
    status_callback: Source | None
    events: frozenset[str]
    time_limit: int
    ring_limit: int
    detection: Detection | None
    recording: RecordingOrder | None


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a live person to do something: the verb, and for how many seconds that would be."""

    verb: str
    seconds: float


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that Twilio's debugger would show: a code, the words, and the URL at fault."""

    code: int
    message: str
    url: str | None = None


class Call(Record, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A call as it is now.

    `history` holds every status that it had, `transcript` what was heard, `seconds` how long that would have
    taken, and `notes` what Twilio's debugger would show. `listening` is what waits for a live person at present.
    """

    account_sid: str
    from_: str
    direction: str
    status: str
    history: tuple[tuple[str, datetime], ...]
    updated: datetime
    started: datetime | None = None
    ended: datetime | None = None
    answered_by: str | None = None
    parent_sid: str | None = None
    forwarded_from: str | None = None
    caller_name: str | None = None
    seconds: float = 0.0
    listening: Listening | None = None
    transcript: tuple[Heard, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def answered(self) -> datetime | None:
        """When somebody answered."""
        return next((moment for status, moment in self.history if status == "in-progress"), None)

    @property
    def duration(self) -> int:
        """Seconds from answer to end, at least one where it was answered."""
        return max(1, round(self.seconds)) if self.status == "completed" else 0


def read_order(form: Form) -> CallOrder:
    """Check a create request; RestError with Twilio's code where it would be refused."""
    to, from_ = first(form, "To") or "", first(form, "From") or ""
    _check_addresses(to=to, from_=from_)
    source = read_source(form)
    if source is None:
        raise RestError(21205)
    callback = first(form, "StatusCallback")
    if callback and not is_url(callback):
        raise RestError(21609)
    limit, rings = first(form, "TimeLimit") or "", first(form, "Timeout") or ""
    return CallOrder(
        to=to,
        from_=from_,
        source=source,
        fallback=read_fallback(form),
        status_callback=Source(url=callback, method=method_of(form, "StatusCallbackMethod")) if callback else None,
        events=_events(form),
        time_limit=int(limit) if limit.isdecimal() and int(limit) else DEFAULT_TIME_LIMIT,
        ring_limit=int(rings) if rings.isdecimal() and int(rings) else DEFAULT_RING_LIMIT,
        detection=_detection(form),
        recording=read_recording(form),
    )


def read_source(form: Form) -> Source | None:
    """Where a call's TwiML comes from: the Url if there is one, else the Twiml itself.

    Raises RestError: 21205 for a Url that cannot be requested, 20001 for more TwiML than Twilio takes.
    """
    url, twiml = first(form, "Url"), first(form, "Twiml")
    if url is not None:
        if not is_url(url):
            raise RestError(21205)
        return Source(url=url, method=method_of(form, "Method"))
    if twiml is not None and len(twiml) > MAX_TWIML:
        raise RestError(20001, f"The 'Twiml' parameter is longer than {MAX_TWIML} characters.")
    return None if twiml is None else Source(twiml=twiml)


def read_fallback(form: Form) -> Source | None:
    """Where TwiML comes from when the first source fails; RestError 21205 where that is no URL."""
    url = first(form, "FallbackUrl")
    if url is not None and not is_url(url):
        raise RestError(21205)
    return None if url is None else Source(url=url, method=method_of(form, "FallbackMethod"))


def call_json(account: Account, call: Call) -> dict[str, object]:
    """A call as the REST API shows it, field by field as Twilio's OpenAPI document has it."""
    return {
        "sid": call.sid,
        "date_created": rfc2822(call.created),
        "date_updated": rfc2822(call.updated),
        "parent_call_sid": call.parent_sid,
        "account_sid": call.account_sid,
        "to": call.to,
        "to_formatted": formatted(call.to),
        "from": call.from_,
        "from_formatted": formatted(call.from_),
        "phone_number_sid": None,
        "status": call.status,
        "start_time": rfc2822_or_none(call.started),
        "end_time": rfc2822_or_none(call.ended),
        "duration": str(call.duration) if call.status == "completed" else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": call.answered_by,
        "api_version": API_VERSION,
        "forwarded_from": call.forwarded_from,
        "group_sid": None,
        "caller_name": call.caller_name,
        "queue_time": "0",
        "stir_verstat": None,
        "trunk_sid": None,
        "uri": account.uri(f"/Calls/{call.sid}"),
        "subresource_uris": {_snake(name): account.uri(f"/Calls/{call.sid}/{name}") for name in SUBRESOURCES},
    }


def _check_addresses(*, to: str, from_: str) -> None:
    if not to:
        raise RestError(21201)
    if not from_:
        raise RestError(21213)
    refused = refusal(CALL_FROM, from_) or refusal(CALL_TO, to)
    if refused:
        raise RestError(refused)
    if not is_callable(to):
        raise RestError(21211)
    if not is_callable(from_):
        raise RestError(21212)


def _detection(form: Form) -> Detection | None:
    mode = first(form, "MachineDetection")
    if mode not in {"Enable", "DetectMessageEnd"}:
        return None
    url, waits = first(form, "AsyncAmdStatusCallback"), (first(form, "AsyncAmd") or "").lower() != "true"
    method = method_of(form, "AsyncAmdStatusCallbackMethod")
    return Detection(mode=mode, waits=waits, callback=Source(url=url, method=method) if url and not waits else None)


def _events(form: Form) -> frozenset[str]:
    # The parameter repeats; some clients put all of them into one value, with spaces between.
    asked = {event for value in form.get("StatusCallbackEvent", []) for event in value.split()}
    return frozenset(asked) & frozenset(EVENTS) or frozenset({"completed"})


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
