"""Texts that come twice, fail half way, or were erased: on record once, answered alike, and never lost in between."""

import json
import uuid
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest
from azure.core.exceptions import ResourceNotFoundError

from tests.inbound.post import Post
from tests.samples import webhooks
from tests.web.app import NUMBER, PUBLIC_BASE_URL


async def test_a_text_that_twilio_brings_twice_is_answered_alike_and_on_record_once(post: Post) -> None:
    sid = webhooks.new_sid("SM")
    first, second = [ET.tostring(await post.bring("order 1", sid=sid)) for _ in range(2)]
    assert first == second
    assert len(await post.noted(sid)) == 1
    assert {message["id"] for message in await post.passed_on()} == {sid}


async def test_a_text_that_comes_again_brings_nothing_back_of_an_erased_delivery(post: Post) -> None:
    delivery_id, sid = str(uuid.uuid4()), webhooks.new_sid("SM")
    await post.app.take(json.dumps({"id": delivery_id, "channel": "sms", "to": post.person, "body": "Hi"}).encode())
    await post.bring("claim yes", sid=sid)
    assert await post.noted(delivery_id, "answer")
    delivery = await post.app.wiring.log.get(delivery_id)
    assert delivery is not None
    await post.app.wiring.log.erase(delivery, now=delivery.updated_at)
    await post.bring("claim yes", sid=sid)
    assert (await post.app.delivery(delivery_id))["events"] == []


async def test_what_twilio_tells_of_a_reply_is_a_delivery_of_its_own(post: Post) -> None:
    sid, reply = webhooks.new_sid("SM"), webhooks.new_sid("SM")
    await post.bring("hours", sid=sid)
    target = f"/api/sms/status?delivery={sid}&v=2"
    for status in ("sent", "delivered", "delivered"):
        body = webhooks.encode(("MessageSid", reply), ("MessageStatus", status), ("From", NUMBER), ("To", post.person))
        headers = webhooks.headers(target, body, base=post.app.settings["PUBLIC_BASE_URL"])
        assert (await post.app.request("POST", target, body, headers)).status == 204
    shown = await post.app.delivery(reply)
    assert (shown["answers"], shown["direction"], shown["status"], shown["to"]) == (
        sid,
        "outbound",
        "delivered",
        post.person,
    )
    assert [event["status"] for event in shown["events"]] == ["sent", "delivered"]
    inbound = await post.app.delivery(sid)
    assert (inbound["status"], [event["kind"] for event in inbound["events"]]) == ("received", [None, "reply"])


async def test_a_text_whose_webhook_failed_is_passed_on_from_the_fallback_and_not_answered(post: Post) -> None:
    sid = webhooks.new_sid("SM")
    trouble = (("ErrorCode", "11200"), ("ErrorUrl", f"{PUBLIC_BASE_URL}/api/sms/inbound"))
    assert len(await post.bring("order 1", *trouble, sid=sid, route="fallback/sms")) == 0
    assert [message["id"] for message in await post.passed_on()] == [sid]
    assert [event["kind"] for event in (await post.app.delivery(sid))["events"]] == [None, "trouble"]


async def test_a_text_that_cannot_be_passed_on_comes_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_message: object, **_more: object) -> str:
        raise ResourceNotFoundError

    queue = post.app.wiring._queue(post.queue.queue_name)
    monkeypatch.setattr(queue, "put", fail)
    sid = webhooks.new_sid("SM")
    assert len(await post.bring("order 1", sid=sid, status=503)) == 0
    assert await post.noted(sid) == []
    trouble = (("ErrorCode", "11200"), ("ErrorUrl", "http://x"))
    assert len(await post.bring("order 1", *trouble, sid=sid, route="fallback/sms")) == 0
    assert [event["kind"] for event in (await post.app.delivery(sid))["events"]] == [None, "trouble"]
    monkeypatch.undo()
    assert await post.reply("order 1", sid=sid) == "We look for 1."
    assert len(await post.passed_on()) == 1


async def test_what_was_erased_is_not_answered_when_it_comes_again(post: Post) -> None:
    sid, since = webhooks.new_sid("SM"), datetime.now(UTC).isoformat()
    await post.bring("hours", sid=sid)
    assert (await post.app.request("DELETE", f"/api/deliveries/{sid}")).status == 204
    assert await post.reply("hours", sid=sid) is None
    assert (await post.app.delivery(sid))["events"] == []
    search = json.dumps({"to": NUMBER, "since": since}).encode()
    found = (await post.app.request("POST", "/api/deliveries/search", search)).json()["deliveries"]
    assert sid not in {delivery["id"] for delivery in found}


async def test_a_fault_of_the_app_is_answered_with_twiml_too_and_the_text_comes_again(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_given: object, **_more: object) -> None:
        raise KeyError

    sid = webhooks.new_sid("SM")
    monkeypatch.setattr(post.app.wiring.texts, "answer", fail)
    assert len(await post.bring("hours", sid=sid, status=503)) == 0
    [line] = [record for record in caplog.records if record.exc_info]
    assert line.__dict__["delivery"] == sid
    monkeypatch.undo()
    assert await post.reply("hours", sid=sid) == "Nine to five & <later>."
