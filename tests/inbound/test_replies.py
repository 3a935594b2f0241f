"""Texts that come in and what becomes of them, over the app's own webhook, with rules of these tests' own."""

import json
import uuid
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueClient

from shared.inbound.desk import OPTED_OUT, TOO_LONG, UNWRITABLE
from tests.inbound.post import OTHER, SERVICE, Post
from tests.samples import webhooks
from tests.web.app import NUMBER, App, settings_of


async def test_a_text_is_answered_by_its_rule_and_twilio_is_told_where_to_tell_what_becomes_of_that(post: Post) -> None:
    sid = webhooks.new_sid("SM")
    [message] = await post.bring("Opening hours?", sid=sid)
    assert (message.tag, message.text, len(message)) == ("Message", "Nine to five & <later>.", 0)
    told = f"{post.app.settings['PUBLIC_BASE_URL']}/api/sms/status?delivery={sid}&v=2#rc=5&rp=all"
    assert message.attrib == {"statusCallback": told}
    assert await post.noted(sid) == [{"rule": "hours", "text": "Nine to five & <later>."}]
    assert await post.reply("what hours") is None


async def test_media_go_along(post: Post) -> None:
    sid = webhooks.new_sid("SM")
    [message] = await post.bring("where", sid=sid)
    media = ["https://example.com/map.png?a=1&b=2", "https://example.com/way.pdf"]
    assert [(part.tag, part.text) for part in message] == [("Body", "Here."), *(("Media", url) for url in media)]
    assert await post.noted(sid) == [{"rule": "map", "text": "Here.", "media": media}]


async def test_a_text_is_passed_on_before_it_is_answered(post: Post) -> None:
    sid = webhooks.new_sid("MM")
    media = (("NumMedia", "1"), ("MediaUrl0", "https://example.com/a"), ("MediaContentType0", "image/png"))
    assert await post.reply("Order: 4711, please", *media, sid=sid) == "We look for 4711, please."
    [message] = await post.passed_on()
    received_at = message.pop("received_at")
    assert received_at == (await post.app.delivery(sid))["created_at"]
    assert message == {
        "id": sid,
        "from": post.person,
        "to": NUMBER,
        "service": None,
        "body": "Order: 4711, please",
        "media": [{"url": "https://example.com/a", "type": "image/png"}],
        "rule": "order",
        "rest": "4711, please",
        "answers": None,
        "form": {"MessageSid": sid, "From": post.person, "To": NUMBER, "Body": "Order: 4711, please", **dict(media)},
        "left_out": 0,
    }
    [noted] = await post.noted(sid)
    assert noted == {"rule": "order", "text": "We look for 4711, please.", "forwarded": post.queue.queue_name}


async def test_a_rule_may_pass_on_and_say_nothing_or_do_nothing_at_all(post: Post) -> None:
    claim, thanks, other = (webhooks.new_sid("SM") for _ in range(3))
    assert await post.reply("claim 1", sid=claim) is None
    assert await post.reply("Thanks!", sid=thanks) is None
    assert await post.reply("What?", sid=other) is None
    assert await post.noted(claim) == [{"rule": "claim", "forwarded": post.queue.queue_name}]
    assert await post.noted(thanks) == await post.noted(other) == []
    assert [message["id"] for message in await post.passed_on()] == [claim]


async def test_a_rule_of_one_number_or_service_is_for_no_other(post: Post) -> None:
    assert await post.reply("hello") is None
    assert await post.reply("hello", to=OTHER) == "The shop."
    assert await post.reply("hello", to=f"whatsapp:{OTHER}", sender=f"whatsapp:{post.person}") == "The shop."
    assert await post.reply("hello", ("MessagingServiceSid", SERVICE)) == "The service."
    assert await post.reply("hello", ("MessagingServiceSid", SERVICE.replace("5", "6"))) is None


@pytest.mark.parametrize("sender", [NUMBER, f"whatsapp:{NUMBER}", OTHER, "+15005550009"])
async def test_none_of_our_own_numbers_is_answered_or_passed_on(post: Post, sender: str) -> None:
    """Neither the default one, nor one that a rule is for, nor one that writes to itself."""
    to = sender if sender == "+15005550009" else NUMBER
    assert await post.reply("hours", sender=sender, to=to) is None
    assert await post.reply("order 1", sender=sender, to=to) is None
    assert await post.passed_on() == []


async def test_an_own_number_is_known_in_every_spelling(azurite: str) -> None:
    settings = settings_of(azurite, SMS_REPLY="Hi", TWILIO_FROM_NUMBER="+525512345678")
    async with App.load(settings) as app, QueueClient.from_connection_string(azurite, "none") as queue:
        assert await Post(app, queue).reply("hello", sender="whatsapp:+5215512345678") is None
        assert await Post(app, queue).reply("hello", sender="+5215587654321", to="+525587654321") is None
        assert await Post(app, queue).reply("hello", sender=webhooks.new_number()) == "Hi"


async def test_a_rule_for_a_number_is_for_every_spelling_of_it(azurite: str, tmp_path: Path) -> None:
    rule = '[rules.shop]\nnumbers = ["+5215512345678"]\nwords = ["hello"]\nreply = "The shop."\n'
    (tmp_path / "replies.toml").write_text(rule, "utf-8")
    replies = tmp_path / "replies.toml"
    async with (
        App.load(settings_of(azurite), replies=replies) as app,
        QueueClient.from_connection_string(azurite, "none") as queue,
    ):
        for to in ("whatsapp:+525512345678", "whatsapp:+5215512345678", "+525512345678"):
            assert await Post(app, queue).reply("hello", to=to) == "The shop."


@pytest.mark.parametrize("prefix", ["whatsapp:US.", "messenger:", "rcs:+1415"])
async def test_a_sender_of_any_channel_is_answered_and_capped(post: Post, prefix: str) -> None:
    sender = prefix + webhooks.new_number()[-7:]
    replies = [await post.reply("hours", sender=sender) for _ in range(6)]
    assert [reply is not None for reply in replies] == [True] * 5 + [False]


async def test_one_sender_is_answered_five_times_in_an_hour_and_told_so_on_record(post: Post) -> None:
    sids = [webhooks.new_sid("SM") for _ in range(7)]
    replies = [await post.reply("hours", sid=sid) for sid in sids]
    assert [reply is not None for reply in replies] == [True] * 5 + [False] * 2
    [noted] = await post.noted(sids[-1])
    assert noted["problem"] == "its sender had 5 replies within the hour"
    assert await post.reply("order 1") is None
    assert len(await post.passed_on()) == 1, "the cap is on replies only"
    assert await post.reply("hours", sid=sids[0]) == "Nine to five & <later>.", "it counts already"


async def test_words_for_consent_are_capped_too_below_what_twilio_takes_for_a_loop(azurite: str) -> None:
    settings = settings_of(azurite, OPT_OUT_REPLIES="app", HELP_REPLY="Ask", SMS_REPLY="Hi", REPLIES_PER_HOUR="0")
    async with App.load(settings) as app, QueueClient.from_connection_string(azurite, "none") as queue:
        post = Post(app, queue)
        assert await post.reply("hello") is None
        replies = [await post.reply("HELP") for _ in range(16)]
    assert [reply == "Ask" for reply in replies] == [True] * 14 + [False] * 2


async def test_who_opted_out_is_not_answered_and_who_comes_back_is(post: Post) -> None:
    sid = webhooks.new_sid("SM")
    assert await post.reply("STOP") is None
    assert await post.reply("hours", sid=sid) is None
    [noted] = await post.noted(sid)
    assert (noted["rule"], noted["problem"]) == ("hours", OPTED_OUT)
    assert await post.reply("hello", to=OTHER) == "The shop.", "STOP was said to the other number"
    assert await post.reply("START") is None
    assert await post.reply("hours") is not None


async def test_who_opted_out_of_a_service_is_not_answered_through_it(post: Post) -> None:
    of_service = ("MessagingServiceSid", SERVICE)
    await post.bring("STOP", of_service, to=OTHER)
    assert await post.reply("hours", of_service) is None
    assert await post.reply("hours") is not None


@pytest.mark.parametrize(("text", "problem"), [("repeat me", UNWRITABLE), ("echo " + "x" * 900, TOO_LONG)])
async def test_a_reply_that_cannot_be_written_is_silence_and_on_record(post: Post, text: str, problem: str) -> None:
    sid = webhooks.new_sid("SM")
    assert len(await post.bring(text, sid=sid)) == 0
    [noted] = await post.noted(sid)
    assert noted["problem"] == problem


@pytest.mark.parametrize("text", ["echo </Message><Redirect>http://x</Redirect>", "echo {{ 7*7 }} \x01 \ufffe & 'a'"])
async def test_what_a_sender_writes_comes_back_as_text(post: Post, text: str) -> None:
    [message] = await post.bring(text)
    said = text.removeprefix("echo ").replace("\x01", " ").replace("\ufffe", " ")
    assert (message.text, len(message)) == (said * 2, 0)


@pytest.mark.parametrize("text", ["echo", "echo \x01"], ids=["nothing", "what nobody sees"])
async def test_a_reply_that_says_nothing_is_silence_and_takes_nothing_of_the_cap(post: Post, text: str) -> None:
    sid = webhooks.new_sid("SM")
    assert len(await post.bring(text, sid=sid)) == 0
    assert await post.noted(sid) == [{"rule": "echo"}]
    assert [await post.reply("hours") is not None for _ in range(6)] == [True] * 5 + [False]


async def test_a_text_is_linked_to_the_delivery_that_it_answers(post: Post) -> None:
    delivery_id, sid = str(uuid.uuid4()), webhooks.new_sid("SM")
    await post.app.take(
        json.dumps({"id": delivery_id, "channel": "sms", "to": post.person, "body": "Coming?"}).encode()
    )
    for _ in range(2):
        await post.bring("claim yes", sid=sid)
    assert (await post.app.delivery(sid))["answers"] == delivery_id
    assert await post.noted(delivery_id, "answer") == [{"message": sid}]
    assert (await post.passed_on())[0]["answers"] == delivery_id


async def test_punctuation_is_made_plain_where_the_setting_says_so(azurite: str) -> None:
    settings = settings_of(azurite, SMS_REPLY="“Hi” \u2013 you", SMS_PLAIN_PUNCTUATION="true")
    async with App.load(settings) as app, QueueClient.from_connection_string(azurite, "none") as queue:
        assert await Post(app, queue).reply("hello") == '"Hi" - you'


async def test_yes_is_an_answer_from_who_did_not_opt_out_and_start_from_who_did(post: Post) -> None:
    answer, start = webhooks.new_sid("SM"), webhooks.new_sid("SM")
    assert await post.reply("Yes", sid=answer) == "Good."
    assert await post.app.wiring.consents.find(post.person) == [], "nothing is known of consent by that"
    await post.bring("STOP")
    for _ in range(2):  # brought again, it still is what it was
        assert await post.reply("YES", sid=start) is None
    [consent] = await post.app.wiring.consents.find(post.person)
    assert (consent.state, consent.by) == ("opted-in", start)
    assert await post.reply("yes") == "Good."
    passed_on = {message["id"] for message in await post.passed_on()}
    assert answer in passed_on
    assert start not in passed_on


async def test_what_twilio_tells_beside_the_text_is_passed_on_with_it(post: Post) -> None:
    more = (("Latitude", "52.52"), ("Label", "Büro"), ("ButtonPayload", "p-1"), ("ProfileName", "Zoë"), ("Blank", ""))
    await post.bring("claim", *more)
    [message] = await post.passed_on()
    assert message["form"].items() >= dict(more).items()
    assert (message["form"]["Body"], message["form"]["From"], message["left_out"]) == ("claim", post.person, 0)
