"""A queued request becomes a text, and all that happens to it is on record."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from azure.storage.queue.aio import QueueClient

from tests.end_to_end.stage import Stage, eventually, new_id, stage


def _of(everything: Stage, to: str) -> list[Any]:
    return [message for message in everything.twilio.messages if message.to == to]


async def test_a_queued_text_ends_delivered_with_its_whole_timeline(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155551001"
    body = "Grüße 🎉 <b>&amp;</b>\nsecond line"
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": to, "body": body, "metadata": {"order": "7"}})
    delivery = await everything.told(delivery_id, "queued", "sent", "delivered")
    [message] = _of(everything, to)
    assert (message.body, message.from_, message.status) == (body, "+15005550006", "delivered")
    assert {event["sid"] for event in delivery["events"]} == {delivery["sid"]} == {message.sid}
    assert (delivery["attempts"], delivery["error_code"], delivery["metadata"]) == (1, None, {"order": "7"})
    assert delivery["events"][0]["raw"]["num_segments"] == "1"
    assert "RawDlrDoneDate" in delivery["events"][2]["raw"]


async def test_every_callback_was_signed_accepted_at_once_and_named_its_delivery(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+14155551002", "body": "Hello"})
    delivery = await everything.ended(delivery_id, "delivered")
    await everything.twilio.settled()
    callbacks = [hook for hook in everything.twilio.webhooks if ("MessageSid", delivery["sid"]) in hook.fields]
    assert [dict(hook.fields)["MessageStatus"] for hook in callbacks] == ["sent", "delivered"]
    for hook in callbacks:
        assert (hook.status, hook.attempts, hook.method) == (204, 1, "POST")
        base = everything.settings["PUBLIC_BASE_URL"]
        assert hook.url == f"{base}/api/sms/status?delivery={delivery_id}&v=2#rc=5&rp=all"


async def test_a_posted_request_ends_delivered(everything: Stage) -> None:
    answer = await everything.request(
        "POST", "/api/send", {"channel": "sms", "to": "+14155551003", "media_urls": ["https://example.com/a.png"]}
    )
    assert answer.status == 202
    delivery = await everything.ended(answer.json()["id"], "delivered")
    [message] = _of(everything, "+14155551003")
    assert (message.media, message.body) == (("https://example.com/a.png",), "")
    assert delivery["sid"].startswith("MM")


async def test_a_text_with_media_keeps_their_order(everything: Stage) -> None:
    delivery_id, to = new_id(), "+14155551004"
    media = [f"https://example.com/{number}.jpg?a=1&b=%20" for number in (3, 1, 2)]
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": to, "body": "Look", "media_urls": media})
    await everything.ended(delivery_id, "delivered")
    [message] = _of(everything, to)
    assert message.media == tuple(media)


@pytest.mark.parametrize(
    ("to", "from_", "sender"),
    [
        ("+14155551005", "MG0123456789abcdef0123456789abcdef", None),
        ("+14155551006", "12345", "12345"),
        ("+14155551007", "Acme Inc", "Acme Inc"),
        ("whatsapp:+14155551008", None, "whatsapp:+15005550006"),
        ("+1 (415) 555-1009", "+1 500 555 0006", "+15005550006"),
    ],
    ids=["service", "short code", "name", "WhatsApp", "written differently"],
)
async def test_the_sender_is_the_one_that_was_asked_for(
    everything: Stage, to: str, from_: str | None, sender: str | None
) -> None:
    delivery_id = new_id()
    request = {"id": delivery_id, "channel": "sms", "to": to, "body": "Hello", **({"from": from_} if from_ else {})}
    await everything.enqueue(request)
    delivery = await everything.ended(delivery_id, "delivered")
    [message] = _of(everything, delivery["to"])
    assert message.service == (from_ if sender is None else None)
    assert sender in {None, message.from_}


async def test_a_messaging_service_is_the_default_sender_where_one_is_set(azurite: str) -> None:
    service = "MG" + "a" * 32
    async with stage(azurite, TWILIO_MESSAGING_SERVICE_SID=service) as everything:
        delivery_id = new_id()
        await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+14155551010", "body": "Hello"})
        delivery = await everything.told(delivery_id, "accepted", "queued", "sent", "delivered")
        [message] = everything.twilio.messages
    assert (message.service, delivery["from"]) == (service, service)


@pytest.mark.parametrize(
    ("to", "status", "code"),
    [
        ("+15005550001", "failed", 21211),
        ("+15005550002", "failed", 21612),
        ("+15005550003", "failed", 21408),
        ("+15005550004", "suppressed", 21610),
        ("+15005550009", "failed", 21614),
        ("+15008216089", "failed", 21608),
        ("+15005550101", "undelivered", 30003),
        ("+15005550103", "failed", 30008),
        ("+15005550104", "failed", 21610),
        ("+15008300071", "undelivered", 30007),
    ],
)
async def test_what_does_not_arrive_ends_with_twilios_code(everything: Stage, to: str, status: str, code: int) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": to, "body": "Hello"})
    delivery = await everything.ended(delivery_id, status)
    assert delivery["error_code"] == code
    assert delivery["error_message"]
    assert [event["error_code"] for event in delivery["events"] if event["status"] == status] == [code]
    assert delivery_id in [found["id"] for found in await everything.search(to=to, status=status)]


@pytest.mark.parametrize(("sender", "code"), [("+15005550001", 21212), ("+15005550007", 21606)])
async def test_a_sender_that_cannot_send_fails_that_request(everything: Stage, sender: str, code: int) -> None:
    delivery_id = new_id()
    await everything.enqueue(
        {"id": delivery_id, "channel": "sms", "to": "+14155551011", "from": sender, "body": "Hello"}
    )
    assert (await everything.ended(delivery_id, "failed"))["error_code"] == code


async def test_a_sender_whose_queue_is_full_is_tried_again_later(azurite: str) -> None:
    delivery_id = new_id()
    async with stage(azurite) as everything:
        await everything.enqueue(
            {"id": delivery_id, "channel": "sms", "to": "+14155551012", "from": "+15005550008", "body": "Hello"}
        )
        delivery = await everything.ended(delivery_id, "retrying")
        async with everything.queue() as queue:
            waiting = (await queue.get_queue_properties()).approximate_message_count
    assert (delivery["error_code"], waiting) == (21611, 1)
    assert delivery["next_attempt_at"] > delivery["updated_at"]


async def test_what_became_read_stays_read(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "whatsapp:+15005550106", "body": "Hello"})
    await everything.told(delivery_id, "queued", "sent", "delivered", "read")


async def test_a_text_that_comes_in_is_on_record_and_answered(azurite: str) -> None:
    async with stage(azurite, SMS_REPLY="Thanks & <bye>") as everything:
        arrival = await everything.simulate(
            "inbound/message",
            **{"from": "+14155551013", "to": "+15005550006", "body": "Is anybody there? é"},
            media_urls=["https://example.com/a.png"],
        )
        delivery = await everything.ended(arrival["sid"], "received")
        [reply] = [message for message in everything.twilio.messages if message.direction == "outbound-reply"]
    assert arrival["notes"] == []
    assert (delivery["direction"], delivery["from"], delivery["to"]) == ("inbound", "+14155551013", "+15005550006")
    assert delivery["events"][0]["raw"]["Body"] == "Is anybody there? é"
    assert (reply.to, reply.from_, reply.body) == ("+14155551013", "+15005550006", "Thanks & <bye>")


async def test_what_becomes_of_a_reply_is_on_record_as_an_answer_to_the_text(everything: Stage) -> None:
    """`ping` is the rule of the tests' replies.toml."""
    text = {"from": "+14155551017", "to": "+15005550006", "body": "Ping"}
    arrival = await everything.simulate("inbound/message", **text)
    [reply] = arrival["replies"]
    delivery = await everything.told(reply["sid"], "sent", "delivered")
    assert (delivery["answers"], delivery["direction"], delivery["to"]) == (arrival["sid"], "outbound", "+14155551017")
    [received, replied] = (await everything.get(arrival["sid"]))["events"]
    assert (received["status"], replied["kind"]) == ("received", "reply")
    assert replied["raw"] == {"rule": "ping", "text": "Pong. This number is answered by a program."}


async def test_a_text_that_answers_one_of_ours_is_linked_to_it(everything: Stage) -> None:
    delivery_id = new_id()
    await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+14155551018", "body": "Are you coming?"})
    await everything.ended(delivery_id, "delivered")
    arrival = await everything.simulate(
        "inbound/message", **{"from": "+14155551018", "to": "+15005550006", "body": "On my way"}
    )
    assert (await everything.get(arrival["sid"]))["answers"] == delivery_id
    answered = await everything.get(delivery_id)
    assert [event["raw"] for event in answered["events"] if event["kind"] == "answer"] == [{"message": arrival["sid"]}]


async def test_a_text_with_media_goes_to_the_queue_of_another_system_and_is_answered_with_media(
    azurite: str, tmp_path: Path
) -> None:
    name = f"other-{new_id()}"
    rules = tmp_path / "replies.toml"
    media = "https://example.com/form.pdf?a=1&b=2"
    rules.write_text(f"""
        [rules.claim]
        prefixes = ["claim"]
        numbers = ["+15005550006"]
        forward = "{name}"
        reply = "We look at {{{{ rest }}}}."
        media = ["{media}"]
        """)
    async with (
        stage(azurite, rules) as everything,
        QueueClient.from_connection_string(azurite, name) as queue,
    ):
        arrival = await everything.simulate(
            "inbound/message",
            **{"from": "+14155551020", "to": "+15005550006", "body": "Claim: 12 <b>"},
            media_urls=["https://example.com/photo.jpg"],
        )
        [message] = await queue.peek_messages(32)
        await everything.told(arrival["replies"][0]["sid"], "sent", "delivered")
        [reply] = [message for message in everything.twilio.messages if message.direction == "outbound-reply"]
    passed_on = json.loads(base64.b64decode(message.content, validate=True))
    assert {key: passed_on[key] for key in ("id", "from", "rule", "rest", "body")} == {
        "id": arrival["sid"],
        "from": "+14155551020",
        "rule": "claim",
        "rest": "12 <b>",
        "body": "Claim: 12 <b>",
    }
    assert passed_on["media"] == [{"url": "https://example.com/photo.jpg", "type": "image/jpeg"}]
    assert arrival["notes"] == []
    assert (reply.body, reply.media) == ("We look at 12 <b>.", (media,))


async def test_two_robots_do_not_text_each_other_for_ever(azurite: str) -> None:
    """Each answer of ours is answered at once, with a text that is answered again."""
    async with stage(azurite, SMS_REPLY="How can I help you?", REPLIES_PER_HOUR="3") as everything:
        robot, rounds = {"from": "+14155551019", "to": "+15005550006", "body": "How can I help you?"}, 0
        while (await everything.simulate("inbound/message", **robot))["replies"]:
            rounds += 1
    assert rounds == 3


async def test_a_text_that_comes_in_is_not_answered_where_no_reply_is_set(everything: Stage) -> None:
    arrival = await everything.simulate(
        "inbound/message", **{"from": "+14155551014", "to": "+15005550006", "body": "Hello"}
    )
    assert (await everything.get(arrival["sid"]))["status"] == "received"
    assert (arrival["replies"], arrival["notes"]) == ([], [])


async def test_the_search_finds_what_was_sent_to_somebody(everything: Stage) -> None:
    ids = [new_id() for _ in range(3)]
    for delivery_id in ids:
        await everything.enqueue({"id": delivery_id, "channel": "sms", "to": "+14155551015", "body": "Hello"})
    for delivery_id in ids:
        await everything.ended(delivery_id, "delivered")

    async def look() -> bool:
        found = await everything.search(to="+1 415 555 1015", status="delivered")
        return {delivery["id"] for delivery in found} == set(ids)

    await eventually(look)
