import time
from datetime import timedelta

import msgspec
import pytest

from shared.deliveries import status
from shared.outbound.claim import ATTEMPT, Attempt, Next, claimed_again, new_delivery, next_step
from shared.outbound.request import VALID_FOR
from shared.twilio_api import SEND_SECONDS
from tests.deliveries.samples import NOW, a_delivery
from tests.fakes import FROM_NUMBER
from tests.outbound.samples import a_message, decoded

LATER, EARLIER = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)

NEXT_STEPS = [
    ("submitting", {"deadline": LATER}, Next.COME_BACK),
    ("submitting", {"deadline": NOW}, Next.FIND_OUT),
    ("submitting", {"deadline": EARLIER}, Next.FIND_OUT),
    ("submitting", {"deadline": None}, Next.FIND_OUT),
    ("uncertain", {"deadline": EARLIER}, Next.FIND_OUT),
    ("uncertain", {"deadline": LATER}, Next.FIND_OUT),
    ("retrying", {"next_attempt_at": LATER}, Next.COME_BACK),
    ("retrying", {"next_attempt_at": NOW}, Next.SEND),
    ("retrying", {"next_attempt_at": EARLIER}, Next.SEND),
    ("retrying", {"next_attempt_at": None}, Next.SEND),
    *[
        (word, {}, Next.ACKNOWLEDGE)
        for word in sorted(status.ALL - {"scheduled", "submitting", "uncertain", "retrying"})
    ],
]


@pytest.mark.parametrize(("word", "fields", "expected"), NEXT_STEPS)
def test_the_state_of_a_delivery_says_what_to_do_with_a_message_of_its_request(
    word: str, fields: dict[str, object], expected: Next
) -> None:
    assert next_step(a_delivery(status=word, **fields), content="hash-1", now=NOW) is expected


@pytest.mark.parametrize("word", sorted(status.ALL))
def test_other_content_is_refused_whatever_the_state_is(word: str) -> None:
    assert next_step(a_delivery(status=word), content="hash-2", now=NOW) is Next.REFUSE


def test_each_attempt_has_a_token_that_no_other_has() -> None:
    assert len({Attempt.begin(NOW).token for _ in range(100)}) == 100


def test_both_clocks_of_an_attempt_run_from_its_beginning() -> None:
    before = time.monotonic()
    attempt = Attempt.begin(NOW)
    assert attempt.deadline == NOW + ATTEMPT
    assert before + ATTEMPT.total_seconds() <= attempt.not_after <= time.monotonic() + ATTEMPT.total_seconds()


def test_an_attempt_leaves_time_for_a_whole_send() -> None:
    assert ATTEMPT.total_seconds() > SEND_SECONDS


def test_a_claim_holds_the_request_its_hash_the_token_and_the_deadline() -> None:
    message = a_message(metadata={"a": "b"})
    attempt = Attempt.begin(NOW)
    request = decoded(metadata={"a": "b"})
    delivery = new_delivery(request, message, attempt)
    assert delivery == a_delivery(
        from_=FROM_NUMBER,
        metadata={"a": "b"},
        request=message,
        request_hash=request.hash,
        attempt=attempt.token,
        deadline=NOW + ATTEMPT,
        expires_at=NOW + VALID_FOR,
    )


def test_a_request_that_says_when_it_expires_expires_then() -> None:
    request = decoded(expires_at="2026-03-02T13:00:00+01:00")
    assert new_delivery(request, b"", Attempt.begin(NOW)).expires_at == request.request.expires_at


def test_another_attempt_counts_itself_and_keeps_the_rest() -> None:
    waiting = a_delivery(status="retrying", next_attempt_at=NOW, attempts=3, error_code=20429, version="1")
    attempt = Attempt.begin(LATER)
    assert claimed_again(waiting, attempt) == msgspec.structs.replace(
        waiting,
        status="submitting",
        attempts=4,
        attempt=attempt.token,
        deadline=LATER + ATTEMPT,
        next_attempt_at=None,
        updated_at=LATER,
    )
