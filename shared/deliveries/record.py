"""What is kept of a delivery and of each event, as frozen values, and how an event changes a delivery: pure."""

from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from shared.deliveries import status as statuses
from shared.deliveries.status import Channel

_MOST_DIGITS: Final = 6
Direction = Literal["outbound", "inbound"]

# Statuses that an error explains; Twilio may leave an old ErrorCode on others.
_FAILURES: Final = frozenset({"failed", "undelivered", "busy", "no-answer", "canceled"})


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of one request, or of one inbound message or call."""

    id: str
    channel: Channel | None = None
    """none where a message can't be used and does not say"""
    direction: Direction
    status: str
    created_at: datetime
    updated_at: datetime
    to: str | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    sid: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    attempts: int = 0
    metadata: dict[str, str] = {}
    reasons: tuple[str, ...] = ()
    named: str | None = None
    """the id that a message names which can't be used: it has not got it"""
    mentions: tuple[str, ...] = ()
    """addresses, beside `to`, that can be read in a message which can't be used"""
    sequence: int | None = None
    """the highest SequenceNumber of a call's events so far"""
    request: bytes | None = None
    """what was asked for, byte for byte"""
    request_hash: str | None = None
    attempt: str | None = None
    """the random token of the attempt that claimed it last"""
    claimed_at: datetime | None = None
    """when that attempt began"""
    deadline: datetime | None = None
    """when Twilio's answer to that attempt must be in"""
    account: str | None = None
    """the SID of the Twilio account that the attempt was made in; rows of earlier versions do not have it"""
    looked_at: datetime | None = None
    """when a look at Twilio found nothing of the attempt; only a second look, later, is believed"""
    unowned_since: datetime | None = None
    """since when looks find candidates that belong to no delivery yet: it is looked again, for some minutes"""
    left_at: datetime | None = None
    """when it was left for a person; rows of earlier versions have `candidates` alone then"""
    next_attempt_at: datetime | None = None
    waits_for: str | None = None
    """why it is not sent before that"""
    expires_at: datetime | None = None
    origin: str | None = None
    """the schedule, or the first delivery, that it was derived from"""
    answers: str | None = None
    """the delivery that it is an answer to: of a text that came in, or of what this app answered by itself"""
    fallback_at: datetime | None = None
    """from when on the second way is gone where nothing final was heard"""
    text: str | None = None
    """what the template said when the request was taken: a later attempt says the same"""
    encoding: str | None = None
    """GSM-7 or UCS-2, of a text"""
    segments: int | None = None
    answered_by: str | None = None
    """whom Twilio took who answered a call for: human, machine_start, machine_end_beep, fax …"""
    recording_url: str | None = None
    recording_seconds: int | None = None
    past_sids: tuple[str, ...] = ()
    """what earlier attempts were at Twilio, before somebody asked for another"""
    candidates: tuple[str, ...] = ()
    """what the last attempt may be at Twilio: messages or calls that belonged to no delivery when a look found them"""
    replayed_at: datetime | None = None
    """when somebody last asked to send it again; earlier versions kept that of rejected messages only"""
    cancel_asked_at: datetime | None = None
    """when somebody asked to cancel it while it waited: it is not sent from then on, and ends as `canceled`"""
    cancel_asked_by: str | None = None
    """who asked for that, where they named themselves"""
    reopened_at: datetime | None = None
    """when it was opened again, having been over"""
    callback_form: int | None = None
    """the form of all URLs that Twilio was given for it, see `shared.seal`; none: some may have no fixed end"""
    erased: bool = False
    """only the tombstone is left, id, status and hash, or the rest is being removed"""
    erased_at: datetime | None = None
    """when its erasure began; tombstones of earlier versions have none"""
    erased_by: str | None = None
    """who asked for it, where they named themselves; nobody did where its retention ended"""
    version: str | None = None
    """the row's ETag when it was read"""

    @property
    def is_final(self) -> bool:
        """Nothing more is expected to happen to it."""
        return statuses.is_final(self.channel, self.status)

    @property
    def is_ours_to_send(self) -> bool:
        """Twilio hasn't got it, as far as is known, and there is a request to send."""
        return self.status in statuses.PENDING and self.request is not None

    @property
    def is_replayed_message(self) -> bool:
        """A message that was never a request went to the queue again: what becomes of it is on another record."""
        return self.request_hash is None and self.replayed_at is not None

    @property
    def is_refused(self) -> bool:
        """It is a message that never became a request: it stands under its queue message's id."""
        return self.status == statuses.REJECTED and self.request_hash is None

    @property
    def is_left_for_a_person(self) -> bool:
        """It may be at Twilio, no look can tell, and it is not sent again before one can."""
        if self.status != statuses.UNCERTAIN or self.sid is not None:
            return False
        return self.left_at is not None or (bool(self.candidates) and self.unowned_since is None)


Kind = Literal["answer", "browser", "flow", "recording", "reply", "transcription", "trouble"]
RECORDED: Final = "completed"
"""the status of a recording that can be listened to"""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a delivery. Two events of one delivery with the same key are one event, told twice."""

    key: str
    kind: Kind | None = None
    """what it is about, where that is not the delivery's status; `status` is then only what it was at that time"""
    status: str
    at: datetime
    sid: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    sequence: int | None = None
    by: str | None = None
    """who asked for it, where somebody did and named themselves"""
    raw: dict[str, Any] = {}


def fold(delivery: Delivery, event: Event) -> Delivery:
    """Return the delivery as it is after Twilio's event; the same delivery where the event comes twice.

    A late event changes no status, and adds what was missing: the error of a failure that was told without, and who
    answered a call. Twilio promises no order, and an ErrorCode only where it knows one:
    https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks.

    An event of another SID than the delivery's, or of an earlier attempt, or of what was erased, changes nothing. Where
    Twilio did not have it yet, any word ends that, even one that this app doesn't know.
    """
    if event.kind is not None:
        return _noted(delivery, event)
    if delivery.erased or event.sid is None or event.sid in delivery.past_sids or delivery.sid not in {None, event.sid}:
        return delivery
    is_news = delivery.status in statuses.PENDING
    word = statuses.as_twilios(delivery.channel, event.status) if is_news else event.status
    if not statuses.supersedes(
        delivery.channel,
        word,
        delivery.status,
        new_sequence=event.sequence,
        current_sequence=delivery.sequence,
    ):
        return _completed(delivery, event)
    failed = word in _FAILURES
    return msgspec.structs.replace(
        delivery,
        status=word,
        sid=event.sid,
        sequence=event.sequence if event.sequence is not None else delivery.sequence,
        error_code=event.error_code if failed else None,
        error_message=event.error_message if failed else None,
        next_attempt_at=None,
        candidates=() if is_news else delivery.candidates,
        answered_by=_told(event, "AnsweredBy") or delivery.answered_by,
        updated_at=max(delivery.updated_at, event.at),
    )


def _completed(delivery: Delivery, event: Event) -> Delivery:
    """Return a delivery with what was missing and a late event tells; the same one where that is nothing."""
    tells_error = event.status == delivery.status in _FAILURES and delivery.error_code in {None, event.error_code}
    code, message = (event.error_code, event.error_message) if tells_error else (None, None)
    after = msgspec.structs.replace(
        delivery,
        sid=delivery.sid or event.sid,
        error_code=delivery.error_code or code,
        error_message=delivery.error_message or message,
        answered_by=delivery.answered_by or _told(event, "AnsweredBy"),
    )
    return delivery if after == delivery else after


def _noted(delivery: Delivery, event: Event) -> Delivery:
    if delivery.erased:
        return delivery
    answered_by = _told(event, "answered_by")
    if event.kind == "flow" and answered_by:
        return msgspec.structs.replace(delivery, answered_by=answered_by)
    if event.kind != "recording" or _told(event, "RecordingStatus") != RECORDED:
        return delivery
    seconds = _told(event, "RecordingDuration") or ""
    return msgspec.structs.replace(
        delivery,
        recording_url=_told(event, "RecordingUrl") or delivery.recording_url,
        recording_seconds=int(seconds) if seconds.isdecimal() and len(seconds) <= _MOST_DIGITS else None,
    )


def _told(event: Event, name: str) -> str | None:
    """Return a value of the payload; None where it is no text, as one that stands there twice."""
    value = event.raw.get(name)
    return value if isinstance(value, str) and value else None


def tombstone(delivery: Delivery) -> Delivery:
    """Return what stays of a delivery for ever, so that its id is never sent again.

    What Twilio hasn't got, as far as is known, is canceled with it.
    """
    return Delivery(
        id=delivery.id,
        channel=delivery.channel,
        direction=delivery.direction,
        status=statuses.CANCELED if delivery.status in statuses.PENDING else delivery.status,
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        request_hash=delivery.request_hash,
        erased=True,
        erased_at=delivery.erased_at,
        erased_by=delivery.erased_by,
    )
