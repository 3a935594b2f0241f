import itertools

import pytest

from shared.deliveries import status
from shared.deliveries.status import Channel

MESSAGE_FINALS = ("delivered", "undelivered", "failed", "canceled", "read", "received")
CALL_FINALS = ("completed", "busy", "no-answer", "failed", "canceled")
MESSAGE_OPEN = ("accepted", "queued", "sending", "sent")
CALL_OPEN = ("queued", "initiated", "ringing", "in-progress")


def test_the_words_are_those_of_the_contract_and_no_others() -> None:
    ours = {"scheduled", "submitting", "uncertain", "retrying", "rejected", "suppressed", "expired", "canceled"}
    messages = set(MESSAGE_FINALS) | set(MESSAGE_OPEN)
    calls = set(CALL_FINALS) | set(CALL_OPEN)
    assert ours | messages | calls == status.ALL
    assert {word for word in status.ALL if status.is_twilios("sms", word)} == messages
    assert {word for word in status.ALL if status.is_twilios("call", word)} == calls


@pytest.mark.parametrize(("channel", "finals"), [("sms", MESSAGE_FINALS), ("call", CALL_FINALS), (None, ())])
def test_the_finals_of_a_channel_end_it_and_nothing_else_does(channel: Channel | None, finals: tuple[str, ...]) -> None:
    ended = {word for word in status.ALL if status.is_final(channel, word)}
    assert ended == {*finals, "rejected", "suppressed", "expired"}


@pytest.mark.parametrize("channel", ["sms", "call"])
def test_a_final_status_never_goes_back_and_only_delivered_becomes_read(channel: Channel) -> None:
    followed = {
        (current, new)
        for current, new in itertools.product(status.ALL, status.ALL)
        if status.is_final(channel, current)
        and status.supersedes(channel, new, current, new_sequence=9, current_sequence=1)
    }
    assert followed == ({("delivered", "read")} if channel == "sms" else set())


@pytest.mark.parametrize(("channel", "ladder"), [("sms", MESSAGE_OPEN), ("call", CALL_OPEN)])
def test_an_open_status_only_climbs(channel: Channel, ladder: tuple[str, ...]) -> None:
    for (low, current), (high, new) in itertools.product(enumerate(ladder), repeat=2):
        assert status.supersedes(channel, new, current) == (high > low)


@pytest.mark.parametrize("ours", ["scheduled", "submitting", "uncertain", "retrying"])
@pytest.mark.parametrize("channel", ["sms", "call"])
def test_any_word_of_twilios_takes_the_place_of_a_pending_one(channel: Channel, ours: str) -> None:
    words = {word for word in status.ALL if status.is_twilios(channel, word)}
    assert {word for word in status.ALL if status.supersedes(channel, word, ours)} == words


def test_the_sequence_number_of_a_call_goes_before_its_rank() -> None:
    assert not status.supersedes("call", "in-progress", "ringing", new_sequence=1, current_sequence=2)
    assert status.supersedes("call", "ringing", "in-progress", new_sequence=3, current_sequence=2)


def test_a_final_word_of_a_call_counts_whatever_its_sequence_number_is() -> None:
    assert status.supersedes("call", "completed", "ringing", new_sequence=0, current_sequence=2)


@pytest.mark.parametrize("current", sorted(status.ALL))
@pytest.mark.parametrize("new", ["exploded", "", "submitting", "partially_delivered"])
def test_a_word_that_is_not_twilios_takes_no_place(current: str, new: str) -> None:
    assert not status.supersedes("sms", new, current)
    assert not status.supersedes("call", new, current)
    assert not status.supersedes(None, "delivered", current)


def test_what_somebody_looks_for_has_an_index_of_its_own_and_success_has_none() -> None:
    assert status.NOTABLE.isdisjoint({"delivered", "read", "completed", "sent", "queued", "submitting"})
    assert {"failed", "undelivered", "rejected", "uncertain", "busy", "no-answer"} <= status.NOTABLE <= status.ALL
