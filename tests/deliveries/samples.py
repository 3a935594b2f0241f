"""Deliveries and events to start from, and Hypothesis' ideas of them."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from shared.deliveries import status
from shared.deliveries.record import Delivery, Event

NOW = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
SID = "SM" + "0123456789abcdef" * 2
OTHER_SID = "SM" + "fedcba9876543210" * 2


def a_delivery(**changes: object) -> Delivery:
    """An outbound text that has just been claimed."""
    plain = Delivery(
        id="order-1",
        channel="sms",
        direction="outbound",
        status=status.SUBMITTING,
        created_at=NOW,
        updated_at=NOW,
        to="+14155550100",
        from_="+14155550199",
        attempts=1,
        attempt="token-1",
        deadline=NOW + timedelta(seconds=20),
        expires_at=NOW + timedelta(hours=24),
        request=b'{"id":"order-1"}',
        request_hash="hash-1",
    )
    return msgspec.structs.replace(plain, **changes)


def an_event(
    word: str,
    *,
    seconds: float = 0,
    sid: str | None = SID,
    sequence: int | None = None,
    error_code: int | None = None,
    error_message: str | None = None,
) -> Event:
    """What Twilio says of that text, so many seconds later."""
    return Event(
        key=f"{sid}:{'-' if sequence is None else sequence}:{word}",
        status=word,
        at=NOW + timedelta(seconds=seconds),
        sid=sid,
        sequence=sequence,
        error_code=error_code,
        error_message=error_message,
    )


# an empty string is read back as none
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40)
moments = st.datetimes(datetime(1601, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
numbers = st.integers(0, 2**31 - 1)
words = st.sampled_from(sorted(status.ALL))
maybe = st.none()

deliveries = st.builds(
    Delivery,
    id=st.from_regex("[A-Za-z0-9][A-Za-z0-9._:~-]{0,99}", fullmatch=True),
    channel=st.sampled_from(["sms", "call", None]),
    direction=st.sampled_from(["outbound", "inbound"]),
    status=words,
    created_at=moments,
    updated_at=moments,
    to=maybe | texts,
    from_=maybe | texts,
    sid=maybe | texts,
    error_code=maybe | numbers,
    error_message=maybe | texts,
    attempts=numbers,
    metadata=st.dictionaries(texts, st.text(max_size=20), max_size=3),
    reasons=st.lists(texts, max_size=3).map(tuple),
    named=maybe | texts,
    sequence=maybe | numbers,
    request=maybe | st.binary(max_size=100),
    request_hash=maybe | texts,
    attempt=maybe | texts,
    claimed_at=maybe | moments,
    deadline=maybe | moments,
    account=maybe | texts,
    looked_at=maybe | moments,
    unowned_since=maybe | moments,
    left_at=maybe | moments,
    next_attempt_at=maybe | moments,
    expires_at=maybe | moments,
    past_sids=st.lists(texts, max_size=2).map(tuple),
    answered_by=maybe | texts,
    recording_url=maybe | texts,
    recording_seconds=maybe | numbers,
    candidates=st.lists(texts, max_size=2).map(tuple),
    replayed_at=maybe | moments,
    reopened_at=maybe | moments,
    cancel_asked_at=maybe | moments,
    cancel_asked_by=maybe | texts,
    erased_at=maybe | moments,
    erased_by=maybe | texts,
    erased=st.booleans(),
)
raws = st.dictionaries(texts, texts | numbers | st.lists(texts, max_size=2) | st.booleans(), max_size=4)
events = st.builds(
    Event,
    key=st.from_regex("[A-Za-z0-9:_-]{1,60}", fullmatch=True),
    kind=st.sampled_from([None, "flow", "recording", "transcription", "trouble"]),
    status=texts,
    at=moments,
    sid=maybe | texts,
    error_code=maybe | numbers,
    error_message=maybe | texts,
    sequence=maybe | numbers,
    by=maybe | texts,
    raw=raws,
)
