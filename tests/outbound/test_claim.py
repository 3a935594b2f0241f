from datetime import datetime, timedelta

import msgspec
import pytest

from shared.deliveries import status
from shared.outbound.claim import (
    Attempt,
    Next,
    claimed_again,
    due_at,
    look_due_at,
    new_delivery,
    next_step,
    settled_at,
    ticks,
)
from shared.outbound.request import VALID_FOR
from shared.seal import SEALED
from tests.deliveries.samples import NOW, a_delivery
from tests.fakes import FROM_NUMBER
from tests.outbound.samples import a_message, decoded

LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
SETTLE = timedelta(minutes=1)
SEND = 10.0
ATTEMPT = timedelta(seconds=20)


def begin(now: datetime = NOW) -> Attempt:
    return Attempt.begin(now, send_seconds=SEND)


NEXT_STEPS = [
    ("submitting", {"deadline": LATER}, Next.COME_BACK),
    ("submitting", {"deadline": NOW}, Next.DOUBT),
    ("submitting", {"deadline": EARLIER}, Next.DOUBT),
    ("submitting", {"deadline": None}, Next.DOUBT),
    ("uncertain", {"deadline": LATER}, Next.COME_BACK),
    ("uncertain", {"deadline": EARLIER}, Next.COME_BACK),
    ("uncertain", {"deadline": LATER - SETTLE}, Next.COME_BACK),
    ("uncertain", {"deadline": NOW - SETTLE}, Next.FIND_OUT),
    ("uncertain", {"deadline": EARLIER - SETTLE}, Next.FIND_OUT),
    ("uncertain", {"deadline": None, "updated_at": NOW - SETTLE}, Next.FIND_OUT),
    ("uncertain", {"deadline": NOW - SETTLE, "next_attempt_at": LATER}, Next.COME_BACK),
    ("uncertain", {"deadline": NOW - SETTLE, "next_attempt_at": NOW}, Next.FIND_OUT),
    ("uncertain", {"deadline": NOW - 3 * SETTLE, "looked_at": LATER - SETTLE}, Next.COME_BACK),
    ("uncertain", {"deadline": NOW - 3 * SETTLE, "looked_at": NOW - SETTLE}, Next.FIND_OUT),
    ("uncertain", {"deadline": LATER - SETTLE, "looked_at": NOW - 2 * SETTLE}, Next.COME_BACK),
    ("retrying", {"next_attempt_at": LATER}, Next.COME_BACK),
    ("retrying", {"next_attempt_at": NOW}, Next.SEND),
    ("retrying", {"next_attempt_at": EARLIER}, Next.SEND),
    ("retrying", {"next_attempt_at": None}, Next.SEND),
    *[(word, {"erased": True}, Next.ACKNOWLEDGE) for word in ("submitting", "uncertain", "retrying")],
    *[(word, {"sid": "SM1"}, Next.ACKNOWLEDGE) for word in ("submitting", "uncertain", "retrying")],
    *[
        (word, {}, Next.ACKNOWLEDGE)
        for word in sorted(status.ALL - {"scheduled", "submitting", "uncertain", "retrying"})
    ],
]


@pytest.mark.parametrize(("word", "fields", "expected"), NEXT_STEPS)
def test_the_state_of_a_delivery_says_what_to_do_with_a_message_of_its_request(
    word: str, fields: dict[str, object], expected: Next
) -> None:
    delivery = a_delivery(status=word, **fields)
    assert next_step(delivery, content="hash-1", now=NOW, settle=SETTLE) is expected


@pytest.mark.parametrize("word", sorted(status.ALL))
def test_other_content_is_refused_whatever_the_state_is(word: str) -> None:
    delivery = a_delivery(status=word, erased=word == "delivered")
    assert next_step(delivery, content="hash-2", now=NOW, settle=SETTLE) is Next.REFUSE


def test_each_attempt_has_a_token_that_no_other_has() -> None:
    assert len({begin().token for _ in range(100)}) == 100


def test_both_clocks_of_an_attempt_run_from_its_beginning() -> None:
    before = ticks()
    attempt = begin()
    assert attempt.deadline == NOW + ATTEMPT
    assert before + ATTEMPT.total_seconds() <= attempt.not_after <= ticks() + ATTEMPT.total_seconds()


@pytest.mark.parametrize("seconds", [1, 10, 60])
def test_an_attempt_has_the_time_of_two_sends_one_to_claim_and_one_to_send(seconds: float) -> None:
    assert Attempt.begin(NOW, send_seconds=seconds).deadline == NOW + timedelta(seconds=2 * seconds)


@pytest.mark.parametrize(
    ("word", "fields", "expected"),
    [
        ("submitting", {"deadline": LATER}, LATER),
        ("submitting", {"deadline": None}, NOW + SETTLE),
        ("uncertain", {"deadline": LATER}, LATER + SETTLE),
        ("uncertain", {"deadline": None}, NOW + SETTLE),
        ("retrying", {"next_attempt_at": LATER, "deadline": EARLIER}, LATER),
    ],
)
def test_what_waits_says_until_when(word: str, fields: dict[str, object], expected: datetime) -> None:
    assert due_at(a_delivery(status=word, **fields), settle=SETTLE) == expected


def test_twilios_list_is_believed_when_the_attempt_is_over_and_things_have_settled() -> None:
    assert settled_at(a_delivery(deadline=LATER), settle=SETTLE) == LATER + SETTLE


@pytest.mark.parametrize(
    ("settle", "between"),
    [(timedelta(0), timedelta(seconds=1)), (SETTLE, SETTLE), (timedelta(days=1), timedelta(days=1))],
)
def test_the_second_look_is_as_far_from_the_first_as_the_first_from_the_deadline_and_a_second_at_least(
    settle: timedelta, between: timedelta
) -> None:
    looked = a_delivery(status="uncertain", deadline=NOW - settle, looked_at=NOW)
    assert look_due_at(looked, settle=settle) == NOW + between == due_at(looked, settle=settle)


def test_a_new_claim_begins_the_looks_anew_and_says_in_which_account() -> None:
    looked = a_delivery(status="uncertain", looked_at=NOW, unowned_since=NOW, left_at=NOW, candidates=("SM1",))
    attempt = Attempt.begin(LATER, send_seconds=SEND, account="AC2")
    claim = claimed_again(looked, attempt, decoded().request)
    assert (claim.looked_at, claim.unowned_since, claim.left_at, claim.candidates) == (None, None, None, ())
    assert claim.account == "AC2"


def test_a_claim_holds_the_request_its_hash_the_token_and_the_deadline() -> None:
    message = a_message(metadata={"a": "b"})
    attempt = begin()
    request = decoded(metadata={"a": "b"})
    delivery = new_delivery(request, message, attempt, enqueued_at=None)
    assert delivery == a_delivery(
        from_=FROM_NUMBER,
        metadata={"a": "b"},
        request=message,
        request_hash=request.hash,
        attempt=attempt.token,
        claimed_at=NOW,
        deadline=NOW + ATTEMPT,
        expires_at=NOW + VALID_FOR,
        encoding="GSM-7",
        segments=1,
        callback_form=SEALED,
    )


def test_a_request_that_says_when_it_expires_expires_then() -> None:
    request = decoded(expires_at="2026-03-02T13:00:00+01:00")
    assert new_delivery(request, b"", begin(), enqueued_at=NOW).expires_at == request.request.expires_at


@pytest.mark.parametrize(("enqueued_at", "begins"), [(None, NOW), (EARLIER, EARLIER), (LATER, LATER)])
def test_by_default_a_request_may_wait_for_a_day_from_when_it_was_enqueued(
    enqueued_at: datetime | None, begins: datetime
) -> None:
    assert new_delivery(decoded(), b"", begin(), enqueued_at=enqueued_at).expires_at == begins + VALID_FOR


def test_the_clock_of_a_deadline_never_goes_back() -> None:
    read = [ticks() for _ in range(1000)]
    assert read == sorted(read)


def test_only_a_delivery_that_no_earlier_version_attempted_is_known_to_have_sealed_urls() -> None:
    scheduled, attempted = a_delivery(status="scheduled", attempts=0), a_delivery(status="retrying", attempts=1)
    claimed = [claimed_again(each, begin(), decoded().request).callback_form for each in (scheduled, attempted)]
    assert claimed == [SEALED, None]


def test_another_attempt_counts_itself_and_keeps_the_rest() -> None:
    waiting = a_delivery(status="retrying", next_attempt_at=NOW, attempts=3, error_code=20429, version="1")
    attempt = begin(LATER)
    assert claimed_again(waiting, attempt, decoded().request) == msgspec.structs.replace(
        waiting,
        status="submitting",
        attempts=4,
        attempt=attempt.token,
        claimed_at=LATER,
        deadline=LATER + ATTEMPT,
        next_attempt_at=None,
        updated_at=LATER,
    )
