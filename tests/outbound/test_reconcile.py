from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries.record import Delivery
from shared.outbound.provider import Resource
from shared.outbound.reconcile import begins, candidates, is_alike, is_nearer
from shared.outbound.request import Request
from tests.deliveries.samples import NOW, a_delivery
from tests.fakes import FROM_NUMBER, SERVICE_SID, a_sid, an_answer
from tests.outbound.samples import CALL, TEXT, decoded

ENDS = NOW + timedelta(seconds=20)
DELIVERY = a_delivery(claimed_at=NOW, deadline=ENDS, created_at=NOW - timedelta(hours=2))
REQUEST = decoded().request
BODY = str(TEXT["body"])
OTHER_SERVICE = "MG" + "f" * 32


def at_twilio(**changes: Any) -> Resource:  # noqa: ANN401 - any field of it
    """What this very attempt would have left there."""
    fields = {
        "from_": FROM_NUMBER,
        "body": BODY,
        "direction": "outbound-api",
        "created_at": NOW + timedelta(seconds=1),
        **changes,
    }
    return an_answer(a_sid(), **fields)


def is_candidate(resource: Resource, request: Request = REQUEST) -> bool:
    return candidates([resource], DELIVERY, request) == [resource]


def test_what_the_attempt_left_behind_is_a_candidate() -> None:
    assert is_candidate(at_twilio())


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NOW - timedelta(seconds=10), True),
        (NOW - timedelta(seconds=10, microseconds=1), False),
        (NOW, True),
        (ENDS, True),
        (ENDS + timedelta(seconds=10), True),
        (ENDS + timedelta(seconds=10, microseconds=1), False),
        (None, True),
    ],
)
def test_only_what_was_made_in_the_attempts_time_can_be_its_own(moment: datetime | None, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_candidate(at_twilio(created_at=moment)) is expected


def test_the_look_goes_back_to_the_last_claim_and_not_to_the_first() -> None:
    assert begins(DELIVERY) == NOW - timedelta(seconds=10)
    assert begins(a_delivery(claimed_at=None)) == NOW - timedelta(seconds=10)


def test_an_attempt_without_a_deadline_has_no_end() -> None:
    late = at_twilio(created_at=NOW + timedelta(days=1))
    assert candidates([late], a_delivery(claimed_at=NOW, deadline=None), REQUEST) == [late]


@pytest.mark.parametrize(
    ("asked", "seen", "expected"),
    [
        (FROM_NUMBER, {"from_": FROM_NUMBER}, True),
        (FROM_NUMBER, {"from_": FROM_NUMBER, "service": SERVICE_SID}, False),
        (FROM_NUMBER, {"from_": None, "service": SERVICE_SID}, False),
        (FROM_NUMBER, {"from_": "+14155550198"}, False),
        (FROM_NUMBER, {"from_": None}, True),
        ("12345", {"from_": "12345"}, True),
        ("Acme Inc", {"from_": "Acme"}, False),
        (SERVICE_SID, {"from_": None, "service": SERVICE_SID}, True),
        (SERVICE_SID, {"from_": FROM_NUMBER, "service": SERVICE_SID}, True),
        (SERVICE_SID, {"from_": FROM_NUMBER, "service": None}, False),
        (SERVICE_SID, {"from_": None, "service": OTHER_SERVICE}, False),
    ],
)
def test_the_sender_must_fit_and_a_messaging_service_picks_its_number_later(
    asked: str,
    seen: dict[str, object],
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert is_candidate(at_twilio(**seen), decoded({**TEXT, "from": asked}).request) is expected


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("outbound-api", True), (None, True), ("inbound", False), ("outbound-reply", False), ("outbound-dial", False)],
)
def test_only_what_a_create_made_can_be_its_own(direction: str | None, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_candidate(at_twilio(direction=direction)) is expected


@pytest.mark.parametrize(
    ("body", "alike"),
    [
        (BODY, True),
        (f"Sent from your Twilio trial account - {BODY}", True),
        (f"Oh, by the way: {BODY}", False),
        (f"Sent from your Twilio trial account - Oh, by the way: {BODY}", False),
        (f"{BODY} ", False),
        (BODY.upper(), False),
        ("", False),
        (None, False),
    ],
)
def test_the_text_tells_what_is_alike_and_a_trial_account_puts_its_own_before_it(body: str | None, alike: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_alike(at_twilio(body=body), REQUEST) is alike
    assert is_candidate(at_twilio(body=body)), "but the text never rules anything out"


@pytest.mark.parametrize("trial", ["", "Sent from your Twilio trial account - "])
@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("two\n", "two"),
        ("two\r\n\n", "two"),
        ("one\ntwo\n", "one\ntwo"),
        (" two ", "two"),
        ("\ttwo", "two"),
        ("two\n", "two\n"),
    ],
)
def test_white_space_may_be_missing_at_the_ends_as_twilio_trims_some(asked: str, listed: str, trial: str) -> None:
    assert is_alike(at_twilio(body=trial + listed), msgspec.structs.replace(REQUEST, body=asked))


@pytest.mark.parametrize(
    ("asked", "listed"),
    [("one\ntwo", "one two"), ("one  two", "one two"), ("two\n.", "two"), ("two\n", "too"), ("two", "two\n")],
)
def test_white_space_within_a_text_or_added_to_it_counts(asked: str, listed: str) -> None:
    assert not is_alike(at_twilio(body=listed), msgspec.structs.replace(REQUEST, body=asked))


def test_a_text_that_begins_as_a_trial_account_does_is_alike_with_and_without_that() -> None:
    asked = msgspec.structs.replace(REQUEST, body="Sent from your Twilio trial account - two")
    assert is_alike(at_twilio(body=asked.body), asked)
    assert is_alike(at_twilio(body=f"Sent from your Twilio trial account - {asked.body}"), asked)
    assert not is_alike(at_twilio(body="two"), asked)


def test_what_was_asked_for_without_a_text_is_alike_only_where_none_is_seen() -> None:
    """What a content template says is made at Twilio: it can't be told from another's text, nor taken for it."""
    media = decoded(body=..., media_urls=["https://example.com/a.png"]).request
    template = decoded(body=..., content_sid="HX" + "0" * 32).request
    for request in (decoded(CALL).request, media, template):
        assert is_alike(at_twilio(body=None), request)
        assert is_alike(at_twilio(body=""), request)
        assert not is_alike(at_twilio(body="whatever"), request)


def test_what_is_alike_comes_first_and_twilios_order_stays_otherwise() -> None:
    others = [at_twilio(body="One"), at_twilio(body="Two")]
    alike = [at_twilio(), at_twilio()]
    listed = [others[0], alike[0], others[1], alike[1]]
    assert candidates(listed, DELIVERY, REQUEST) == [*alike, *others]


def test_of_those_that_are_alike_the_one_next_to_the_claim_comes_first() -> None:
    far, before, near, unknown = (
        at_twilio(created_at=moment and NOW + timedelta(seconds=moment)) for moment in (15, -4, 3, None)
    )
    assert candidates([unknown, far, before, near], DELIVERY, REQUEST) == [near, before, far, unknown]
    nearer = at_twilio(created_at=NOW, body="Something else")
    assert candidates([nearer, far], DELIVERY, REQUEST) == [far, nearer], "but the text counts more"


resources = st.builds(
    at_twilio,
    from_=st.sampled_from([FROM_NUMBER, None, "+14155550198"]),
    service=st.sampled_from([SERVICE_SID, OTHER_SERVICE, None]),
    body=st.sampled_from([BODY, f"Sent from your Twilio trial account - {BODY}", "Something else", None]),
    direction=st.sampled_from(["outbound-api", "outbound-reply", "inbound", None]),
    created_at=st.none() | st.integers(-40, 60).map(lambda seconds: NOW + timedelta(seconds=seconds)),
)


@given(st.lists(resources, max_size=8), st.sampled_from([FROM_NUMBER, SERVICE_SID]), st.data())
def test_each_is_judged_by_itself_whatever_else_is_listed_and_in_any_order(
    listed: list[Resource], sender: str, data: st.DataObject
) -> None:
    request = decoded({**TEXT, "from": sender}).request
    found = candidates(listed, DELIVERY, request)
    assert {resource.sid for resource in found} == {
        resource.sid for resource in listed if is_candidate(resource, request)
    }
    alike = [is_alike(resource, request) for resource in found]
    assert alike == sorted(alike, reverse=True)
    shuffled = candidates(data.draw(st.permutations(listed)), DELIVERY, request)
    assert {resource.sid for resource in shuffled} == {resource.sid for resource in found}
    for resource in found:
        assert resource.created_at is None or -10 <= (resource.created_at - NOW).total_seconds() <= 30
        assert resource.direction in {"outbound-api", None}
        assert resource.service == (sender if sender == SERVICE_SID else None)
        assert sender == SERVICE_SID or resource.from_ in {sender, None}


def claimed(seconds: float, **changes: object) -> Delivery:
    """Another delivery to the same recipient, claimed so many seconds after the first, whose outcome is not known."""
    begun = NOW + timedelta(seconds=seconds)
    fields = {"id": "order-9", "status": "uncertain", "claimed_at": begun, "deadline": begun + timedelta(seconds=20)}
    return a_delivery(**{**fields, **changes})


@pytest.mark.parametrize(
    ("change", "nearer"),
    [
        ({}, True),
        ({"status": "submitting"}, True),
        ({"status": "retrying"}, False),
        ({"status": "sent"}, False),
        ({"sid": "SM1"}, False),
        ({"id": "order-1"}, False),
        ({"claimed_at": NOW + timedelta(seconds=13)}, False),
        ({"claimed_at": NOW + timedelta(seconds=30)}, False),
    ],
    ids=str,
)
def test_another_delivery_is_nearer_that_claimed_the_same_nearer_to_it_and_has_none_yet(
    change: dict[str, object],
    nearer: bool,  # noqa: FBT001 - a column of the table
) -> None:
    resource = at_twilio(created_at=NOW + timedelta(seconds=6))
    assert is_nearer(resource, claimed(5, **change), REQUEST, than=DELIVERY) is nearer


def test_another_delivery_that_asked_for_something_else_is_not_nearer() -> None:
    resource = at_twilio(created_at=NOW + timedelta(seconds=6))
    for other in (decoded(body="Something else").request, decoded({**TEXT, "from": "+14155550198"}).request):
        assert not is_nearer(resource, claimed(5), other, than=DELIVERY)
    assert not is_nearer(resource, claimed(5, past_sids=(resource.sid,)), REQUEST, than=DELIVERY)


@given(st.integers(-10, 30), st.integers(-20, 20))
def test_of_two_deliveries_at_most_one_is_nearer(made: int, after: int) -> None:
    resource = at_twilio(created_at=NOW + timedelta(seconds=made))
    first, second = claimed(0, id="order-1"), claimed(after)
    assert not (is_nearer(resource, first, REQUEST, than=second) and is_nearer(resource, second, REQUEST, than=first))
