from collections.abc import Sequence
from functools import reduce
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliveries import status
from shared.deliveries.record import Delivery, Event, fold, tombstone
from tests.deliveries.samples import NOW, OTHER_SID, SID, a_delivery, an_event, events


def message_history(*, service: bool, end: str) -> list[Event]:
    """What Twilio says of one text, in order: the answer to the create, then the callbacks."""
    begin = ["accepted", "queued"] if service else ["queued"]
    ends = {
        "delivered": ["sent", "delivered"],
        "read": ["sent", "delivered", "read"],
        "undelivered": ["sent", "undelivered"],
        "failed": ["failed"],
        "canceled": ["canceled"],
    }[end]
    code = {"undelivered": 30005, "failed": 30008}.get(end)
    words = begin + ends
    return [
        an_event(word, seconds=seconds, error_code=code if word == end else None)
        for seconds, word in enumerate(words, start=1)
    ]


def call_history(end: str) -> list[Event]:
    """What Twilio says of one call: the answer to the create without a number, then callbacks that carry one."""
    before = {"completed": ["initiated", "ringing", "in-progress"], "failed": ["initiated"]}
    words = [*before.get(end, ["initiated", "ringing"]), end]
    told = [an_event(word, seconds=n + 2, sequence=n) for n, word in enumerate(words)]
    return [an_event("queued", seconds=1), *told]


messages = st.builds(
    message_history,
    service=st.booleans(),
    end=st.sampled_from(["delivered", "read", "undelivered", "failed", "canceled"]),
)
calls = st.sampled_from(["completed", "busy", "no-answer", "failed", "canceled"]).map(call_history)
histories = messages.map(lambda events: (a_delivery(), events)) | calls.map(
    lambda events: (a_delivery(channel="call"), events)
)


def fold_all(delivery: Delivery, told: Sequence[Event]) -> Delivery:
    return reduce(fold, told, delivery)


@given(histories, st.data())
def test_any_order_and_any_repetition_of_a_history_comes_to_the_same_end(
    history: tuple[Delivery, list[Event]], data: st.DataObject
) -> None:
    delivery, told = history
    in_order = fold_all(delivery, told)
    repeated = told + data.draw(st.lists(st.sampled_from(told), max_size=6))
    shuffled = fold_all(delivery, data.draw(st.permutations(repeated)))
    assert shuffled.status == in_order.status == told[-1].status
    # the number of a call's highest event is only of use until the call ends
    assert msgspec.structs.replace(shuffled, sequence=None) == msgspec.structs.replace(in_order, sequence=None)


@given(histories, st.data())
def test_the_status_never_leaves_a_final_one_along_the_way(
    history: tuple[Delivery, list[Event]], data: st.DataObject
) -> None:
    delivery, told = history
    for event in data.draw(st.permutations(told * 2)):
        after = fold(delivery, event)
        if delivery.is_final:
            assert after.status == delivery.status or (delivery.status, after.status) == ("delivered", "read")
        delivery = after


@given(st.sampled_from(sorted(status.ALL)), st.sampled_from(["sms", "call"]), events)
def test_an_event_of_another_sid_changes_nothing(word: str, channel: status.Channel, event: Event) -> None:
    delivery = a_delivery(channel=channel, status=word, sid=SID)
    for stranger in (event, an_event("delivered", sid=OTHER_SID), an_event("completed", sid=None)):
        assert fold(delivery, msgspec.structs.replace(stranger, sid=stranger.sid and OTHER_SID)) is delivery


@given(histories)
def test_told_twice_an_event_changes_nothing(history: tuple[Delivery, list[Event]]) -> None:
    delivery, told = history
    for event in told:
        delivery = fold(delivery, event)
        assert fold(delivery, event) == delivery


@pytest.mark.parametrize("word", ["exploded", "partially_delivered", "submitting", "scheduled"])
def test_a_word_that_this_app_does_not_know_changes_no_status(word: str) -> None:
    delivery = a_delivery(status="sent", sid=SID)
    assert fold(delivery, an_event(word, seconds=1)) == delivery


@pytest.mark.parametrize("word", ["exploded", "scheduled", "uncertain"])
@pytest.mark.parametrize("pending", ["submitting", "uncertain", "retrying", "scheduled"])
@pytest.mark.parametrize(("channel", "lowest"), [("sms", "accepted"), ("call", "queued")])
def test_even_an_unknown_word_says_that_twilio_has_it_and_any_known_one_comes_after(
    channel: status.Channel, lowest: str, pending: str, word: str
) -> None:
    waiting = a_delivery(channel=channel, status=pending, next_attempt_at=NOW, error_code=20429)
    after = fold(waiting, an_event(word, seconds=1))
    assert (after.status, after.sid, after.next_attempt_at, after.error_code) == (lowest, SID, None, None)
    assert fold(after, an_event(word, seconds=2)) == after
    known = "ringing" if channel == "call" else "queued"
    assert fold(after, an_event(known, seconds=3)).status == known


def test_an_unknown_word_of_another_sid_changes_nothing() -> None:
    waiting = a_delivery(status="retrying", past_sids=(OTHER_SID,))
    assert fold(waiting, an_event("exploded", sid=OTHER_SID)) is waiting


@pytest.mark.parametrize(("word", "left"), [("uncertain", "canceled"), ("sent", "sent"), ("failed", "failed")])
def test_the_tombstone_of_what_was_pending_says_that_it_is_not_sent_any_more(word: str, left: str) -> None:
    assert tombstone(a_delivery(status=word)).status == left


def test_what_twilio_has_or_nobody_asked_for_is_not_ours_to_send() -> None:
    assert a_delivery(status="retrying").is_ours_to_send
    assert not a_delivery(status="queued").is_ours_to_send
    assert not a_delivery(status="scheduled", request=None).is_ours_to_send


@pytest.mark.parametrize("word", ["uncertain", "retrying", "submitting"])
def test_twilios_word_ends_the_doubt_and_the_wait(word: str) -> None:
    waiting = a_delivery(status=word, next_attempt_at=NOW, error_code=20429, error_message="Twilio is busy")
    after = fold(waiting, an_event("sent", seconds=3))
    assert (after.status, after.sid, after.next_attempt_at) == ("sent", SID, None)
    assert (after.error_code, after.error_message) == (None, None)
    assert after.updated_at == an_event("sent", seconds=3).at


@pytest.mark.parametrize("word", ["failed", "undelivered", "canceled"])
def test_a_failure_brings_its_error(word: str) -> None:
    event = an_event(word, error_code=30005, error_message="Unknown destination handset")
    after = fold(a_delivery(sid=SID, status="sent"), event)
    assert (after.error_code, after.error_message) == (30005, "Unknown destination handset")


@pytest.mark.parametrize("word", ["delivered", "sent", "read"])
def test_an_error_code_that_twilio_left_on_a_success_is_not_kept(word: str) -> None:
    after = fold(a_delivery(sid=SID, status="queued"), an_event(word, error_code=30005, error_message="old"))
    assert (after.error_code, after.error_message) == (None, None)


def test_a_late_event_keeps_the_error_of_the_end() -> None:
    ended = a_delivery(sid=SID, status="failed", error_code=30008, error_message="Unknown error")
    assert fold(ended, an_event("sent", seconds=9)) == ended


@pytest.mark.parametrize("word", ["failed", "undelivered", "canceled"])
def test_a_failure_that_is_told_with_and_without_its_error_has_it_in_either_order(word: str) -> None:
    bare = an_event(word, seconds=1)
    with_code = an_event(word, seconds=2, error_code=30003)
    whole = an_event(word, seconds=3, error_code=30003, error_message="Unreachable destination handset")
    for told in permutations([bare, with_code, whole, bare]):
        after = fold_all(a_delivery(sid=SID, status="sent"), told)
        assert (after.status, after.error_code) == (word, 30003)
        assert after.error_message == "Unreachable destination handset"


@pytest.mark.parametrize(
    ("ended", "event"),
    [
        (a_delivery(sid=SID, status="failed", error_code=30008), an_event("failed", error_code=30003)),
        (a_delivery(sid=SID, status="failed", error_code=30008), an_event("failed", error_message="of no code")),
        (a_delivery(sid=SID, status="failed"), an_event("undelivered", error_code=30003)),
        (a_delivery(sid=SID, status="delivered"), an_event("delivered", error_code=30003)),
        (a_delivery(sid=SID, status="delivered"), an_event("undelivered", error_code=30003)),
        (a_delivery(sid=SID, status="sent"), an_event("sent", error_code=30003)),
        (a_delivery(sid=SID, status="failed"), an_event("failed", sid=OTHER_SID, error_code=30003)),
    ],
    ids=["another code", "a text alone", "another end", "a success", "after a success", "no end", "another SID"],
)
def test_an_event_that_is_not_about_the_same_failure_explains_nothing(ended: Delivery, event: Event) -> None:
    assert fold(ended, event) == ended


@given(st.permutations([("ringing", 1, None), ("in-progress", 2, "human"), ("completed", 3, None)]))
def test_who_answered_is_kept_whenever_it_is_heard(told: list[tuple[str, int, str | None]]) -> None:
    call = a_delivery(channel="call", status="queued", sid=SID)
    for word, number, answered_by in told:
        raw = {} if answered_by is None else {"AnsweredBy": answered_by}
        call = fold(call, msgspec.structs.replace(an_event(word, sequence=number), raw=raw))
    assert (call.status, call.answered_by) == ("completed", "human")


def test_the_time_of_a_state_never_goes_back() -> None:
    later = a_delivery(channel="call", updated_at=an_event("x", seconds=60).at)
    assert fold(later, an_event("ringing", seconds=1, sequence=1)).updated_at == later.updated_at


def test_an_event_without_a_number_keeps_the_number_of_the_call() -> None:
    ringing = a_delivery(channel="call", sid=SID, status="ringing", sequence=1)
    assert fold(ringing, an_event("completed", seconds=1)).sequence == 1


def test_only_what_has_ended_is_final() -> None:
    assert a_delivery(status="delivered").is_final
    assert a_delivery(channel=None, status="rejected").is_final
    assert not a_delivery(status="uncertain").is_final


def noted(kind: str, **raw: object) -> Event:
    """Something that happened in a call beside its status."""
    return Event(key=f"{SID}:{kind}", kind=kind, status="in-progress", at=NOW, raw=raw)  # type: ignore[arg-type]  # any word


CALL = a_delivery(channel="call", status="in-progress", sid=SID)
RECORDED = {"RecordingStatus": "completed", "RecordingUrl": "https://example.com/RE1", "RecordingDuration": "7"}


def test_a_recording_is_kept_with_its_link_and_its_length_and_changes_no_status() -> None:
    after = fold(CALL, noted("recording", **RECORDED))
    assert after == msgspec.structs.replace(CALL, recording_url="https://example.com/RE1", recording_seconds=7)


@pytest.mark.parametrize(
    "event",
    [
        noted("recording", **{**RECORDED, "RecordingStatus": "in-progress"}),
        noted("transcription", **RECORDED, TranscriptionText="Hello"),
        noted("trouble", **RECORDED, ErrorCode="11200"),
        noted("flow", step="menu", digits="1"),
        noted("flow", answered_by=["human", "fax"]),
    ],
)
def test_what_else_happens_in_a_call_changes_nothing(event: Event) -> None:
    assert fold(CALL, event) == CALL


@pytest.mark.parametrize("seconds", ["", "x", "-1", "1" * 7, ["7", "8"]])
def test_a_length_that_is_none_is_not_kept(seconds: object) -> None:
    after = fold(CALL, noted("recording", **{**RECORDED, "RecordingDuration": seconds}))
    assert (after.recording_url, after.recording_seconds) == ("https://example.com/RE1", None)


def test_who_answered_is_kept_from_the_first_turn_of_a_flow_and_from_a_status() -> None:
    assert fold(CALL, noted("flow", answered_by="machine_end_beep")).answered_by == "machine_end_beep"
    told = msgspec.structs.replace(an_event("completed", sequence=3), raw={"AnsweredBy": "human"})
    assert fold(CALL, told).answered_by == "human"


def test_of_what_was_erased_no_recording_and_nobody_who_answered_is_kept() -> None:
    erased = tombstone(CALL)
    for event in (noted("recording", **RECORDED), noted("flow", answered_by="human")):
        assert fold(erased, event) == erased
