"""Status callbacks: what Twilio says is on record once, in its order, whichever way it arrives."""

import asyncio
import itertools
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import pytest

from tests.samples import webhooks
from tests.web.app import App, Door

CALL_EVENTS = ("initiated", "ringing", "in-progress", "completed")


async def _tell(door: Door, name: str, sid: str, *, delivery: str | None = None, more: bytes = b"") -> int:
    kind = name.partition("-")[0]
    target = f"/api/{kind}/status" + (f"?delivery={delivery}" if delivery else "")
    body = webhooks.body(name, sid=sid) + more
    return (await door.request("POST", target, body, webhooks.headers(target, body))).status


async def _show(door: Door, delivery_id: str) -> Any:  # noqa: ANN401 - a JSON document
    answer = await door.request("GET", f"/api/deliveries/{delivery_id}")
    assert answer.status == 200, answer
    return answer.json()


def _statuses(delivery: Any) -> list[str]:  # noqa: ANN401 - a JSON document
    return [event["status"] for event in delivery["events"]]


async def test_a_text_is_told_from_sent_to_delivered(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    assert await _tell(door, "sms-status-sent", sid) == 204
    assert (await _show(door, sid))["status"] == "sent"
    assert await _tell(door, "sms-status-delivered", sid) == 204
    delivery = await _show(door, sid)
    assert _statuses(delivery) == ["sent", "delivered"]
    assert {name: delivery[name] for name in ("status", "sid", "to", "from", "channel", "direction")} == {
        "status": "delivered",
        "sid": sid,
        "to": "+14155550177",
        "from": "+15005550006",
        "channel": "sms",
        "direction": "outbound",
    }


async def test_everything_that_twilio_said_is_kept_blank_and_repeated_fields_too(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    await _tell(door, "sms-status-delivered", sid, more=b"&Blank=&Tag=b&Tag=a&Tag=b&New=%C3%A9%00%F0%9F%8E%89")
    raw = (await _show(door, sid))["events"][0]["raw"]
    assert raw["RawDlrDoneDate"] == "2611230503"
    assert (raw["Blank"], raw["Tag"], raw["New"]) == ("", ["b", "a", "b"], "é\0🎉")


async def test_an_undelivered_text_keeps_its_code_and_words(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    await _tell(door, "sms-status-sent", sid)
    await _tell(door, "sms-status-undelivered", sid)
    delivery = await _show(door, sid)
    expected = ("undelivered", 30003, "Unreachable destination handset")
    assert (delivery["status"], delivery["error_code"], delivery["error_message"]) == expected
    event = delivery["events"][-1]
    assert (event["status"], event["error_code"], event["error_message"]) == expected


@pytest.mark.parametrize("codes", [("", "30003"), ("30003", ""), ("", "30003", ""), ("30003", "30003")])
async def test_a_failure_told_with_and_without_its_code_has_it_in_either_order(
    door: Door, codes: tuple[str, ...]
) -> None:
    sid = webhooks.new_sid("SM")
    for code in codes:
        more = (("ErrorCode", code),) if code else ()
        body = webhooks.encode(("MessageSid", sid), ("MessageStatus", "undelivered"), *more)
        assert (
            await door.request("POST", "/api/sms/status", body, webhooks.headers("/api/sms/status", body))
        ).status == 204
    delivery = await _show(door, sid)
    assert (delivery["status"], delivery["error_code"]) == ("undelivered", 30003)
    assert {event["error_code"] for event in delivery["events"]} == {int(code) if code else None for code in codes}


async def test_a_sid_in_capitals_is_the_same_one(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    capitals = sid.upper()
    assert await _tell(door, "sms-status-sent", capitals) == 204
    assert await _tell(door, "sms-status-delivered", sid) == 204
    delivery = await _show(door, sid)
    assert (delivery["id"], delivery["sid"], delivery["status"]) == (sid, sid, "delivered")
    assert _statuses(delivery) == ["sent", "delivered"]
    assert delivery["events"][0]["raw"]["MessageSid"] == capitals, "what Twilio said is kept as it came"


@pytest.mark.parametrize("code", ["", "none", "12345678901234567890", "-1", "٣٠"])
async def test_an_error_code_that_is_no_number_does_not_stop_the_event(door: Door, code: str) -> None:
    sid = webhooks.new_sid("SM")
    more = webhooks.encode(("MessageSid", sid), ("MessageStatus", "failed"), ("ErrorCode", code))
    answer = await door.request("POST", "/api/sms/status", more, webhooks.headers("/api/sms/status", more))
    assert answer.status == 204
    delivery = await _show(door, sid)
    assert (delivery["status"], delivery["error_code"]) == ("failed", None)
    assert delivery["events"][0]["raw"]["ErrorCode"] == code


async def test_the_same_event_told_again_changes_nothing(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    await _tell(door, "sms-status-sent", sid)
    await _tell(door, "sms-status-delivered", sid)
    before = await _show(door, sid)
    for name in ("sms-status-delivered", "sms-status-sent", "sms-status-delivered"):
        assert await _tell(door, name, sid) == 204
    assert await _show(door, sid) == before


async def test_an_event_that_comes_late_is_kept_and_changes_nothing_else(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    await _tell(door, "sms-status-delivered", sid)
    before = await _show(door, sid)
    await _tell(door, "sms-status-sent", sid)
    after = await _show(door, sid)
    assert sorted(_statuses(after)) == ["delivered", "sent"]
    assert {**after, "events": ()} == {**before, "events": ()}


async def test_a_delivered_text_never_becomes_undelivered(door: Door) -> None:
    sid = webhooks.new_sid("SM")
    await _tell(door, "sms-status-delivered", sid)
    await _tell(door, "sms-status-undelivered", sid)
    delivery = await _show(door, sid)
    assert (delivery["status"], delivery["error_code"]) == ("delivered", None)
    assert len(delivery["events"]) == 2


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1::4])
async def test_a_calls_events_stand_in_twilios_order_however_they_arrive(app: App, order: tuple[int, ...]) -> None:
    sid = webhooks.new_sid("CA")
    for number in order:
        assert await _tell(app, f"voice-status-{CALL_EVENTS[number]}", sid) == 204
    delivery = await _show(app, sid)
    assert delivery["status"] == "completed"
    assert _statuses(delivery) == list(CALL_EVENTS)
    assert [event["sequence"] for event in delivery["events"]] == [0, 1, 2, 3]
    assert [event["at"][:19] for event in delivery["events"]] == [f"2026-11-23T05:00:0{n}" for n in range(4)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
async def test_within_one_second_the_sequence_number_knows_the_order(app: App, order: tuple[int, ...]) -> None:
    sid = webhooks.new_sid("CA")
    timestamp = format_datetime(datetime.now(UTC))
    for number in order:
        fields = {"CallSid": sid, "CallStatus": CALL_EVENTS[number], "SequenceNumber": str(number)}
        body = webhooks.encode(*fields.items(), ("Timestamp", timestamp))
        await app.request("POST", "/api/voice/status", body, webhooks.headers("/api/voice/status", body))
    delivery = await _show(app, sid)
    assert _statuses(delivery) == list(CALL_EVENTS[:3])
    assert {parsedate_to_datetime(timestamp)} == {
        datetime.fromisoformat(event["at"]).replace(microsecond=0) for event in delivery["events"]
    }


async def test_all_events_at_once_leave_one_timeline(door: Door) -> None:
    sid = webhooks.new_sid("CA")
    told = await asyncio.gather(*(_tell(door, f"voice-status-{name}", sid) for name in CALL_EVENTS * 3))
    assert set(told) == {204}
    delivery = await _show(door, sid)
    assert (delivery["status"], _statuses(delivery)) == ("completed", list(CALL_EVENTS))


async def test_a_calls_status_before_its_end_goes_by_sequence_number(door: Door) -> None:
    sid = webhooks.new_sid("CA")
    await _tell(door, "voice-status-in-progress", sid)
    await _tell(door, "voice-status-ringing", sid)
    assert (await _show(door, sid))["status"] == "in-progress"


async def test_how_long_a_call_took_and_how_it_ended_on_the_wire_is_on_record(door: Door) -> None:
    sid = webhooks.new_sid("CA")
    await _tell(door, "voice-status-completed", sid)
    raw = (await _show(door, sid))["events"][0]["raw"]
    assert {raw[name] for name in ("CallDuration", "Duration", "SipResponseCode")} == {"7", "1", "200"}
    assert raw["CallbackSource"] == "call-progress-events"


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "yesterday",
        "2026-11-23T05:00:00Z",
        "Mon, 23 Nov 2026 05:00:00",
        "Mon, 99 Nov 2026 05:00:00 +0000",
        "Fri, 31 Dec 9999 23:59:59 -0100",
        "Mon, 01 Jan 0001 00:00:00 +0100",
        "Mon, 23 Nov 99999999999999999999 05:00:00 +0000",
        "Mon, 23 Nov 2026 05:00:00 +99999999999",
        "Sun, 31 Dec 1600 23:59:59 +0000",
        "Mon, 01 Jan 0002 00:00:00 +0000",
    ],
)
async def test_a_timestamp_that_is_none_does_not_stop_the_event(door: Door, timestamp: str) -> None:
    sid = webhooks.new_sid("CA")
    body = webhooks.encode(("CallSid", sid), ("CallStatus", "ringing"), ("Timestamp", timestamp))
    answer = await door.request("POST", "/api/voice/status", body, webhooks.headers("/api/voice/status", body))
    assert answer.status == 204
    assert (await _show(door, sid))["events"][0]["raw"]["Timestamp"] == timestamp


@pytest.mark.parametrize("word", ["teleported", "partially_delivered", "Teleported-2"])
async def test_a_status_that_nobody_knows_is_kept_and_changes_nothing(door: Door, word: str) -> None:
    sid = webhooks.new_sid("SM")
    await _tell(door, "sms-status-sent", sid)
    body = webhooks.encode(("MessageSid", sid), ("MessageStatus", word))
    answer = await door.request("POST", "/api/sms/status", body, webhooks.headers("/api/sms/status", body))
    assert answer.status == 204
    delivery = await _show(door, sid)
    assert (delivery["status"], _statuses(delivery)) == ("sent", ["sent", word])


@pytest.mark.parametrize("delivery", ["nobody-knows-it", "a%2Fb", "%C3%A9", "x" * 300, "%00", "~", ""])
async def test_a_callback_that_names_no_delivery_of_ours_is_kept_under_its_sid(door: Door, delivery: str) -> None:
    sid = webhooks.new_sid("SM")
    assert await _tell(door, "sms-status-sent", sid, delivery=delivery) == 204
    assert (await _show(door, sid))["status"] == "sent"


async def test_news_of_another_message_under_a_deliverys_id_change_it_in_nothing(door: Door) -> None:
    mine, other = webhooks.new_sid("SM"), webhooks.new_sid("SM")
    await _tell(door, "sms-status-sent", mine)
    assert await _tell(door, "sms-status-delivered", other, delivery=mine) == 204
    delivery = await _show(door, mine)
    assert (delivery["status"], delivery["sid"]) == ("sent", mine)
    assert [event["sid"] for event in delivery["events"]] == [mine, other], "but it is on record"


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("/api/sms/status", {"MessageSid": "SM1", "MessageStatus": "sent"}),
        ("/api/sms/status", {"MessageSid": "SM" + "0" * 32}),
        ("/api/sms/status", {"MessageStatus": "sent"}),
        ("/api/sms/status", {"MessageSid": "SM" + "0" * 32, "MessageStatus": "Sent!"}),
        ("/api/voice/status", {"CallSid": "CA" + "0" * 32}),
        ("/api/voice/status", {"CallSid": "../" + "0" * 31, "CallStatus": "ringing"}),
    ],
)
async def test_a_signed_callback_that_lacks_its_essentials_answers_400(
    door: Door, target: str, fields: dict[str, str]
) -> None:
    body = webhooks.encode(*fields.items())
    answer = await door.request("POST", target, body, webhooks.headers(target, body))
    assert (answer.status, answer.body) == (400, b"")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_posts_are_callbacks(door: Door, method: str) -> None:
    assert (await door.request(method, "/api/sms/status")).status == 404
