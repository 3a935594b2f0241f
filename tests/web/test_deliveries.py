"""GET deliveries/{id} and POST deliveries/search."""

import base64
import json
import os
import uuid
from http import HTTPStatus
from typing import Any

import pytest

from tests.samples import webhooks
from tests.web import problems
from tests.web.app import App, Door, settings_of

SEARCH = "/api/deliveries/search"


def _number() -> str:
    """A recipient that no other test has."""
    return f"+1415{int.from_bytes(os.urandom(3)) % 9_000_000 + 1_000_000}"


async def _request(app: App, **fields: Any) -> str:  # noqa: ANN401 - whatever a request holds
    """Have the app take a request; nobody listens where Twilio should be, so that it is put off."""
    delivery_id = str(uuid.uuid4())
    await app.take(json.dumps({"id": delivery_id, "channel": "sms", "body": "Hello", **fields}).encode())
    return delivery_id


async def _search(door: Door, **wanted: Any) -> Any:  # noqa: ANN401 - a JSON document
    answer = await door.request("POST", SEARCH, json.dumps(wanted).encode())
    assert answer.status == 200, answer
    return answer.json()


async def test_a_delivery_shows_what_was_asked_for_and_what_became_of_it(app: App, door: Door) -> None:
    to = _number()
    delivery_id = await _request(app, to=to, metadata={"order": "7"})
    answer = await door.request("GET", f"/api/deliveries/{delivery_id}")
    assert (answer.status, answer.content_type) == (200, "application/json")
    delivery = answer.json()
    shown = {name: delivery[name] for name in ("id", "channel", "direction", "status", "to", "from", "attempts")}
    assert shown == {
        "id": delivery_id,
        "channel": "sms",
        "direction": "outbound",
        "status": "retrying",
        "to": to,
        "from": "+15005550006",
        "attempts": 1,
    }
    assert delivery["metadata"] == {"order": "7"}
    assert json.loads(delivery["request"])["body"] == "Hello"
    assert [event["status"] for event in delivery["events"]] == ["retrying"]


async def test_nothing_of_the_machinery_is_shown(app: App, door: Door) -> None:
    delivery = (await door.request("GET", f"/api/deliveries/{await _request(app, to=_number())}")).json()
    assert not delivery.keys() & {"request_hash", "attempt", "deadline", "sequence", "version"}
    assert not delivery["events"][0].keys() & {"key"}


async def test_a_message_that_cannot_be_sent_is_shown_whole_with_every_reason(app: App, door: Door) -> None:
    message = '{"id": "wanted", "channel": "sms", "to": "12", "body": "Grüße", "colour": "red"}'
    message_id = await app.take(message.encode())
    delivery = (await door.request("GET", f"/api/deliveries/{message_id}")).json()
    assert (delivery["status"], delivery["channel"], delivery["request"]) == ("rejected", "sms", message)
    assert {reason.partition(":")[0] for reason in delivery["reasons"]} == {"to", "colour"}
    problems.check(await door.request("GET", "/api/deliveries/wanted"), HTTPStatus.NOT_FOUND)


async def test_bytes_that_are_no_text_are_shown_as_far_as_they_can_be(app: App, door: Door) -> None:
    message_id = await app.take(b"\xff\xfe\x00 and more")
    delivery = (await door.request("GET", f"/api/deliveries/{message_id}")).json()
    assert (delivery["status"], delivery["request"]) == ("rejected", "\ufffd\ufffd\0 and more")


@pytest.mark.parametrize(
    "delivery_id",
    [
        "nobody-has-it",
        "search",
        "SM00000000000000000000000000000000",
        "..",
        "a%2Fb",
        "a%5Cb",
        "a%23b",
        "a%3Fb",
        "%00",
        "%C3%A9",
        "%F0%9F%8E%89",
        "%FF",
        "'%20or%20'1'%20eq%20'1",
        "%27",
        "~",
        "a~b",
        "%20",
        "a%0Ab",
        "x" * 5000,
    ],
)
async def test_an_id_that_nobody_has_is_not_found_however_strange(door: Door, delivery_id: str) -> None:
    answer = await door.request("GET", f"/api/deliveries/{delivery_id}")
    problems.check(answer, HTTPStatus.NOT_FOUND)


async def test_a_recipients_deliveries_come_newest_first_a_page_at_a_time(app: App, door: Door) -> None:
    to = _number()
    ids = [await _request(app, to=to) for _ in range(5)]
    await _request(app, to=_number())
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        page = await _search(door, to=to, limit=2, **({"cursor": cursor} if cursor else {}))
        found += [delivery["id"] for delivery in page["deliveries"]]
        cursor, pages = page["cursor"], pages + 1
        assert len(page["deliveries"]) <= 2
        assert pages < 10
    assert found == ids[::-1]


@pytest.mark.parametrize("written", ["+1 415 {} {}", "+1-415-{}-{}", "+1415{}{}", "\u202a+1\u202f415{}{}\u202c\u200b"])
async def test_a_recipient_is_found_however_the_number_is_written(app: App, written: str) -> None:
    to = _number()
    delivery_id = await _request(app, to=to)
    page = await _search(app, to=written.format(to[5:8], to[8:]))
    assert [delivery["id"] for delivery in page["deliveries"]] == [delivery_id]


async def test_a_national_number_is_found_where_a_region_is_set(azurite: str) -> None:
    async with App.load(settings_of(azurite, DEFAULT_REGION="US")) as app:
        to = _number()
        delivery_id = await _request(app, to=to)
        for written in (to.removeprefix("+1"), f"011{to.removeprefix('+')}"):
            page = await _search(app, to=written)
            assert [delivery["id"] for delivery in page["deliveries"]] == [delivery_id]


@pytest.mark.parametrize("to", ["client:alice", "sip:alice@example.com", "rcs:acme_agent", "12345", "messenger:1"])
async def test_an_own_end_may_be_searched_for(door: Door, to: str) -> None:
    assert (await _search(door, to=to)).keys() == {"deliveries", "cursor"}


async def test_a_search_by_status_finds_what_stands_in_it_now(app: App) -> None:
    to = _number()
    put_off = await _request(app, to=to)
    sid = webhooks.new_sid("SM")
    body = webhooks.encode(("MessageSid", sid), ("MessageStatus", "failed"), ("ErrorCode", "30003"), ("To", to))
    target = f"/api/sms/status?delivery={put_off}&v=2"
    assert [d["id"] for d in (await _search(app, to=to, status="retrying"))["deliveries"]] == [put_off]
    assert (await app.request("POST", target, body, webhooks.headers(target, body))).status == 204
    assert (await _search(app, to=to, status="retrying"))["deliveries"] == []
    assert [d["id"] for d in (await _search(app, to=to, status="failed"))["deliveries"]] == [put_off]
    assert put_off in [d["id"] for d in (await _search(app, status="failed", limit=100))["deliveries"]]


async def test_a_search_by_time_takes_both_ends_in(app: App) -> None:
    to = _number()
    ids = [await _request(app, to=to) for _ in range(3)]
    first, second, third = [(await app.delivery(delivery_id))["created_at"] for delivery_id in ids]
    for wanted, expected in (
        ({"since": second}, ids[:0:-1]),
        ({"until": second}, ids[1::-1]),
        ({"since": first, "until": third}, ids[::-1]),
        ({"since": second, "until": second}, ids[1:2]),
        ({"until": "2001-01-01T00:00:00Z"}, []),
        ({"since": "2999-01-01T00:00:00+14:00"}, []),
    ):
        page = await _search(app, to=to, **wanted)
        assert [delivery["id"] for delivery in page["deliveries"]] == expected, wanted


async def test_an_empty_object_finds_the_newest_of_all(app: App, door: Door) -> None:
    delivery_id = await _request(app, to=_number())
    answer = await door.request("POST", SEARCH, b"{}")
    assert answer.status == 200
    assert answer.json()["deliveries"][0]["id"] == delivery_id


async def test_inbound_texts_are_found_by_the_number_that_got_them(app: App, door: Door) -> None:
    sid, to = webhooks.new_sid("SM"), _number()
    body = webhooks.encode(("MessageSid", sid), ("From", "+14155550177"), ("To", to), ("Body", "Hi"))
    await app.request("POST", "/api/sms/inbound", body, webhooks.headers("/api/sms/inbound", body))
    [delivery] = (await _search(door, to=to, status="received"))["deliveries"]
    assert (delivery["id"], delivery["direction"]) == (sid, "inbound")


async def _comes_in(app: App, number: str) -> str:
    sid = webhooks.new_sid("SM")
    body = webhooks.encode(("MessageSid", sid), ("From", number), ("To", "+15005550006"), ("Body", "Hi"))
    await app.request("POST", "/api/sms/inbound", body, webhooks.headers("/api/sms/inbound", body))
    return sid


async def test_all_of_a_person_is_found_by_the_address_texts_that_came_in_and_rejected_requests_too(
    app: App, door: Door
) -> None:
    number = _number()
    sent = await _request(app, to=number)
    came = await _comes_in(app, number)
    rejected = await app.take(json.dumps({"id": "x", "channel": "sms", "to": number, "colour": "red"}).encode())
    await _request(app, to=_number())
    page = await _search(door, address=number)
    assert [each["id"] for each in page["deliveries"]] == [rejected, came, sent]
    for wanted, expected in (
        ({"direction": "inbound"}, [came]),
        ({"direction": "outbound"}, [rejected, sent]),
        ({"status": "rejected"}, [rejected]),
    ):
        page = await _search(door, address=number, **wanted)
        assert [each["id"] for each in page["deliveries"]] == expected, wanted
    assert [each["id"] for each in (await _search(door, **{"from": number}))["deliveries"]] == [came]
    assert [each["id"] for each in (await _search(door, to=number))["deliveries"]] == [rejected, sent]


async def test_a_search_takes_the_day_of_today_without_a_time(app: App, door: Door) -> None:
    to = _number()
    delivery_id = await _request(app, to=to)
    today = (await app.delivery(delivery_id))["created_at"][:10]
    assert [d["id"] for d in (await _search(door, to=to, since=today, until=today))["deliveries"]] == [delivery_id]
    assert (await _search(door, to=to, until="2026-01-01"))["deliveries"] == []


async def test_the_id_that_a_rejected_message_named_leads_to_it(app: App, door: Door) -> None:
    wanted = str(uuid.uuid4())
    bad = json.dumps({"id": wanted, "channel": "sms", "to": _number(), "colour": "red"}).encode()
    rejected = [await app.take(bad) for _ in range(2)]
    answer = await door.request("GET", f"/api/deliveries/{wanted}")
    problems.check(answer, HTTPStatus.NOT_FOUND)
    assert answer.json()["rejections"] == rejected[::-1]
    shown = await app.delivery(rejected[0])
    assert (shown["named"], shown["rejections"]) == (wanted, [])


async def test_other_content_that_was_refused_under_a_used_id_is_named_with_the_delivery(app: App, door: Door) -> None:
    to = _number()
    used = await _request(app, to=to)
    other = json.dumps({"id": used, "channel": "sms", "to": to, "body": "Other content"}).encode()
    rejected = await app.take(other)
    assert (await door.request("GET", f"/api/deliveries/{used}")).json()["rejections"] == [rejected]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"direction": "sideways"}, "direction"),
        ({"channel": "fax"}, "channel"),
        ({"error_code": "30003"}, "error_code"),
        ({"since": "2026-02-30"}, "since"),
        ({"address": 14155550100}, "address"),
        ({"limit": 101}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"status": "teleported"}, "status"),
        ({"status": "' or '1' eq '1"}, "status"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"until": 5}, "until"),
        ({"cursor": "made up"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"cursor": base64.urlsafe_b64encode(b"' or 1").decode()}, "cursor"),
        ({"cursor": base64.urlsafe_b64encode(b"9" * 18 + b"~").decode() + "x"}, "cursor"),
        ({"to": 14155550100}, "to"),
        ({"to": "4155550100"}, "to"),
        ({"to": "0014155550100"}, "to"),
        ({"to": "hello"}, "to"),
        ({"to": "' or PartitionKey ne '"}, "to"),
        ({"to": ""}, "to"),
        ({"to": "x" * 5000}, "to"),
        ({"to": "\u0000"}, "to"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused(door: Door, wanted: dict[str, Any], field: str) -> None:
    faults = problems.check(
        await door.request("POST", SEARCH, json.dumps(wanted).encode()), HTTPStatus.UNPROCESSABLE_ENTITY
    )
    assert faults.keys() == {field}


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"null", b"{}".ljust(10_001)])
async def test_a_search_that_is_no_document_is_refused(door: Door, body: bytes) -> None:
    problems.check(await door.request("POST", SEARCH, body), HTTPStatus.UNPROCESSABLE_ENTITY)


@pytest.mark.parametrize(
    "wanted",
    [
        {"cursor": base64.urlsafe_b64encode(b"0" * 18 + b"~' or '1' eq '1").decode(), "limit": 1},
        {"cursor": base64.urlsafe_b64encode(b"0" * 18).decode(), "limit": 1},
        {"cursor": base64.urlsafe_b64encode(b"9" * 18).decode(), "limit": 1},
        {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z", "limit": 1},
        {"since": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-14:00", "limit": 1},
        {"since": "9999-12-31T23:59:59Z", "until": "0001-01-01T00:00:00Z"},
        {"until": "0001-01-01T00:00:00Z", "status": "failed"},
        {"until": "9999-12-31T23:59:59Z", "status": "failed", "limit": 1},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"since": "0001-01-01T00:00:00+14:00", "until": "0001-01-01T00:00:00+14:00"},
        {"since": "0001-01-01T00:00:00+14:00", "cursor": base64.urlsafe_b64encode(b"9" * 18).decode()},
    ],
)
async def test_a_strange_search_is_answered(app: App, wanted: dict[str, Any]) -> None:
    assert (await _search(app, **wanted)).keys() == {"deliveries", "cursor"}
