"""Erasing on request: here and at Twilio, down to the tombstone."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from tests.end_to_end.stage import Stage, new_id
from tests.samples import webhooks
from tests.web import problems

ERASED = {"to", "from", "sid", "request", "metadata", "events", "error_message", "reasons"}


async def _erase(everything: Stage, delivery_id: str) -> Any:  # noqa: ANN401 - an answer
    return await everything.app.request("DELETE", f"/api/deliveries/{delivery_id}")


async def test_a_text_is_erased_here_and_at_twilio_and_its_tombstone_stays(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155554101"
    request = {"id": delivery_id, "channel": "sms", "to": to, "body": "A secret", "metadata": {"order": "7"}}
    await everything.enqueue(request)
    before = await everything.told(delivery_id, "queued", "sent", "delivered")
    answer = await _erase(everything, delivery_id)
    assert (answer.status, answer.body) == (204, b"")
    after = await everything.get(delivery_id)
    assert (after["id"], after["status"], after["erased"]) == (delivery_id, "delivered", True)
    assert not [name for name in ERASED if after[name]]
    assert before["sid"] not in [message.sid for message in everything.twilio.messages]
    assert await everything.search(to=to) == []


async def test_it_may_be_asked_for_twice(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+14155554102", "body": "A secret"})
    await everything.told(delivery_id, "queued", "sent", "delivered")
    assert [(await _erase(everything, delivery_id)).status for _ in range(2)] == [204, 204]


async def test_the_recordings_of_a_call_are_erased_at_twilio(everything: Stage) -> None:
    ids = [new_id(), new_id()]
    for delivery_id in ids:
        request = {"id": delivery_id, "channel": "call", "to": "+14155554103", "say": "Hello", "record": True}
        await everything.enqueue(request)
    sids = [(await everything.ended(delivery_id, "completed"))["sid"] for delivery_id in ids]
    await everything.twilio.settled()
    assert set(sids) <= {recording.call_sid for recording in everything.twilio.recordings}
    assert (await _erase(everything, ids[0])).status == 204
    left = {recording.call_sid for recording in everything.twilio.recordings}
    assert [sid in left for sid in sids] == [False, True]


async def test_a_fallback_is_erased_with_the_first_one(everything: Stage) -> None:
    delivery_id, to = new_id(), "+15005550101"
    fallback = {"channel": "call", "say": "Another secret", "when": ["undelivered"]}
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": to, "body": "A secret", "fallback": fallback})
    await everything.ended(f"{delivery_id}~2", "busy")
    assert (await _erase(everything, delivery_id)).status == 204
    shown = [await everything.get(one) for one in (delivery_id, f"{delivery_id}~2")]
    assert [one["erased"] for one in shown] == [True, True]
    assert "secret" not in json.dumps(shown)


async def test_its_id_stays_a_duplicate_and_with_other_content_a_conflict(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155554104"
    request = {"id": delivery_id, "channel": "sms", "to": to, "body": "A secret"}
    await everything.enqueue(request)
    await everything.told(delivery_id, "queued", "sent", "delivered")
    await _erase(everything, delivery_id)
    tombstone = await everything.get(delivery_id)
    await everything.enqueue(request)
    other = await everything.enqueue({**request, "body": "Another secret"})
    assert [r.partition(":")[0] for r in (await everything.ended(other, "rejected"))["reasons"]] == ["id"]
    await everything.queue_is_empty()
    assert await everything.get(delivery_id) == {**tombstone, "rejections": [other]}
    assert [message for message in everything.twilio.messages if message.to == to] == []


async def test_news_of_what_was_erased_are_acknowledged_and_not_kept(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+14155554105", "body": "A secret"})
    before = await everything.told(delivery_id, "queued", "sent", "delivered")
    await _erase(everything, delivery_id)
    tombstone = await everything.get(delivery_id)
    for target in (f"/api/sms/status?delivery={delivery_id}&v=2", "/api/sms/status"):
        body = webhooks.encode(("MessageSid", before["sid"]), ("MessageStatus", "read"), ("To", "+14155554105"))
        headers = webhooks.headers(target, body, base=everything.settings["PUBLIC_BASE_URL"])
        assert (await everything.app.request("POST", target, body, headers)).status == 204
    assert await everything.get(delivery_id) == tombstone
    assert await everything.get(before["sid"]) is None


async def test_a_rejected_message_is_erased_and_twilio_is_not_asked(everything: Stage) -> None:
    message_id = await everything.enqueue({"id": "x", "to": "12", "body": "A secret"})
    await everything.ended(message_id, "rejected")
    everything.twilio.faults.add("500-before", on="any", times=1)
    try:
        assert (await _erase(everything, message_id)).status == 204
    finally:
        everything.twilio.faults.clear()
    shown = json.dumps(await everything.get(message_id))
    assert "secret" not in shown


async def test_what_is_not_over_is_not_erased(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+15005550105", "body": "A secret"})
    before = await everything.told(delivery_id, "queued", "sent")
    problems.check(await _erase(everything, delivery_id), HTTPStatus.CONFLICT)
    assert await everything.get(delivery_id) == before


@pytest.mark.parametrize("delivery_id", ["nobody-has-it", "a%2Fb", "%00"])
async def test_what_is_not_there_is_not_found(everything: Stage, delivery_id: str) -> None:
    problems.check(await _erase(everything, delivery_id), HTTPStatus.NOT_FOUND)


async def test_while_twilio_does_not_do_its_part_nothing_is_erased_here_and_it_may_be_asked_again(
    everything: Stage,
) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+14155554106", "body": "A secret"})
    before = await everything.told(delivery_id, "queued", "sent", "delivered")
    everything.twilio.faults.add("500-before", on="delete", times=1)
    try:
        problems.check(await _erase(everything, delivery_id), HTTPStatus.BAD_GATEWAY)
    finally:
        everything.twilio.faults.clear()
    assert await everything.get(delivery_id) == before
    assert (await _erase(everything, delivery_id)).status == 204
