import json
from typing import Any

import pytest

from local import __main__ as console
from tests.local.stand_in import functions

EVENTS = [
    {"status": "queued", "at": "2026-01-31T23:59:59.5Z", "sid": "SM1", "raw": {}},
    {"status": "failed", "at": "2026-02-01T00:00:02Z", "sid": "SM1", "error_code": 30005, "error_message": "gone"},
]
DELIVERY: dict[str, Any] = {
    "id": "order:1",
    "status": "failed",
    "direction": "outbound",
    "channel": "sms",
    "to": "+14155550100",
    "from": "+15005550006",
    "sid": "SM1",
    "attempts": 1,
    "created_at": "2026-01-31T23:59:59.25Z",
    "updated_at": "2026-02-01T00:00:02Z",
    "error_code": 30005,
    "error_message": "gone",
    "text": "Grüße 🎂",
    "request": "{}",
    "rejections": ["message-7"],
    "a field of a later version": [],
    "events": EVENTS,
}


def test_a_delivery_is_shown_with_its_state_and_its_timeline_by_day(capsys: pytest.CaptureFixture[str]) -> None:
    with functions((200, DELIVERY)) as told:
        assert console.main(["show", "order:1", "--url", told.url + "/", "--key", "a key"]) == 0
    assert told.asked == [("GET", "/api/deliveries/order%3A1", None)]
    assert told.keys == ["a key"]
    assert capsys.readouterr().out.splitlines() == [
        "order:1  failed",
        "  outbound sms from +15005550006 to +14155550100",
        "  SM1, 1 attempt, made 2026-01-31 23:59:59 UTC",
        "  error 30005: gone",
        "  text: Grüße 🎂",
        "  rejected messages that named this id: message-7",
        "2026-01-31 UTC",
        "  23:59:59.500  queued       SM1",
        "2026-02-01 UTC",
        "  00:00:02      failed       SM1  error 30005  gone",
    ]


def test_a_delivery_that_waits_says_for_what_and_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = {"id": "a", "status": "scheduled", "created_at": "2026-01-31T20:00:00Z", "attempts": 0}
    waiting |= {"next_attempt_at": "2026-02-01T08:00:00+01:00", "waits_for": "quiet hours"}
    with functions((200, waiting)) as told:
        assert console.main(["show", "a", "--url", told.url]) == 0
    shown = capsys.readouterr().out
    assert "  no SID, 0 attempts, made 2026-01-31 20:00:00 UTC\n" in shown
    assert "  next attempt 2026-02-01 07:00:00 UTC, waits for quiet hours\n" in shown


def test_a_rejected_message_shows_each_reason_once(capsys: pytest.CaptureFixture[str]) -> None:
    rejected: dict[str, Any] = {"id": "m", "status": "rejected", "created_at": "2026-01-31T20:00:00Z", "channel": None}
    rejected |= {"error_message": "to: no number", "reasons": ["to: no number", "body: missing"]}
    with functions((200, rejected)) as told:
        assert console.main(["show", "m", "--url", told.url]) == 0
    shown = capsys.readouterr().out
    assert shown.count("to: no number") == 1
    assert "  error: to: no number\n" in shown
    assert "  body: missing\n" in shown
    assert "outbound message from - to -" in shown


def test_a_program_gets_the_whole_answer_as_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    with functions((200, json.dumps(DELIVERY, indent=2).encode())) as told:
        assert console.main(["show", "order:1", "--json", "--url", told.url]) == 0
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert shown.isascii(), "whatever the terminal's encoding is"
    assert json.loads(shown) == DELIVERY


def test_an_id_that_no_delivery_has_is_told_with_the_rejected_messages_that_named_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problem = {"status": 404, "detail": "there is no delivery with this id", "rejections": ["m-1", "m-2"]}
    with functions((404, problem)) as told:
        assert console.main(["show", "a", "--url", told.url]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "Rejected messages that named this id: m-1, m-2",
        f"{told.url} answered 404: there is no delivery with this id",
    ]


@pytest.mark.parametrize("answer", [b"<html>", {}, {"id": "a", "status": "sent", "created_at": "today"}])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_answer_that_is_no_delivery_is_told(
    capsys: pytest.CaptureFixture[str], answer: object, options: list[str]
) -> None:
    with functions((200, answer)) as told:
        assert console.main(["show", "a", *options, "--url", told.url]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "answered something that is no delivery: " in shown.err
