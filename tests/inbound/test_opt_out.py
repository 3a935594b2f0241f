"""Opting out and in again, over HTTP: by a text, by Advanced Opt-Out's word, and by a callback's error."""

import json
import uuid
from collections.abc import AsyncIterator
from xml.etree import ElementTree as ET

import pytest

from local.twilio import Simulator
from tests.samples import webhooks
from tests.web.app import NUMBER, TOKEN, App, settings_of

SERVICE, OTHER_NUMBER = "MG" + "5" * 32, "+15005550010"


@pytest.fixture
async def app(azurite: str) -> AsyncIterator[App]:
    """An app with a Twilio of its own, which tells nothing of what becomes of its messages."""
    async with (
        Simulator.start(account_sid="AC" + "0" * 32, auth_token=TOKEN, pace=0) as simulator,
        App.load(settings_of(azurite, TWILIO_API_BASE_URL=simulator.url, PUBLIC_BASE_URL="http://127.0.0.1:1")) as app,
    ):
        yield app


@pytest.fixture
def recipient() -> str:
    """Somebody whom no other test has."""
    return webhooks.new_number()


async def _post(app: App, target: str, *fields: tuple[str, str]) -> int:
    body = webhooks.encode(*fields)
    headers = webhooks.headers(target, body, base=app.settings["PUBLIC_BASE_URL"])
    return (await app.request("POST", target, body, headers)).status


async def _reply_to(
    app: App,
    text: str,
    *more: tuple[str, str],
    sender: str | None = None,
    sid: str | None = None,
    to: str = NUMBER,
) -> str | None:
    """What our app would have Twilio answer to a text."""
    target = "/api/sms/inbound"
    body = webhooks.encode(
        ("MessageSid", sid or webhooks.new_sid("SM")),
        ("From", sender or webhooks.new_number()),
        ("To", to),
        ("Body", text),
        *more,
    )
    answer = await app.request("POST", target, body, webhooks.headers(target, body))
    assert answer.status == 200
    return ET.fromstring(answer.body).findtext("Message")  # noqa: S314 - what our own app wrote


async def _says(app: App, recipient: str, text: str, *more: tuple[str, str], to: str = NUMBER) -> None:
    fields = (("MessageSid", webhooks.new_sid("SM")), ("From", recipient), ("To", to), ("Body", text), *more)
    assert await _post(app, "/api/sms/inbound", *fields) == 200


async def _becomes(app: App, recipient: str, *, sender: str = NUMBER, channel: str = "sms") -> str:
    """Have something sent to the recipient, and return the first status that it has."""
    delivery_id = str(uuid.uuid4())
    content = {"body": "Hello"} if channel == "sms" else {"say": "Hello"}
    request = {"id": delivery_id, "channel": channel, "to": recipient, "from": sender, **content}
    await app.take(json.dumps(request).encode())
    return str((await app.delivery(delivery_id))["events"][0]["status"])


@pytest.mark.parametrize("text", ["STOP", " stop\n", "Unsubscribe"])
async def test_stop_holds_texts_from_that_number_back_and_nothing_else(app: App, recipient: str, text: str) -> None:
    await _says(app, recipient, text)
    assert await _becomes(app, recipient) == "suppressed"
    assert await _becomes(app, recipient, sender=OTHER_NUMBER) == "queued"
    assert await _becomes(app, recipient, channel="call") == "queued"
    assert await _becomes(app, recipient, sender=SERVICE) == "accepted"


@pytest.mark.parametrize("text", ["START", "yes", "Unstop"])
async def test_start_lets_them_go_again(app: App, recipient: str, text: str) -> None:
    await _says(app, recipient, "STOP")
    assert await _becomes(app, recipient) == "suppressed"
    await _says(app, recipient, text)
    assert await _becomes(app, recipient) == "queued"


@pytest.mark.parametrize(
    "text", ["Opt out", "Opt-out", "Stop.", "STOP!", "STOP ALL", '"STOP"', "\u200eSTOP", "STOP\u200b"]
)
async def test_an_opt_out_that_twilio_does_not_know_holds_texts_back_too(app: App, recipient: str, text: str) -> None:
    await _says(app, recipient, text)
    assert await _becomes(app, recipient) == "suppressed"
    [consent] = await app.wiring.consents.find(recipient)
    assert (consent.state, consent.how) == ("opted-out", "keyword")
    await _says(app, recipient, "START")
    assert await _becomes(app, recipient) == "queued"


@pytest.mark.parametrize("text", ["Please stop", "HELP", "Stop it!", "stop by later", ""])
async def test_other_texts_change_nothing(app: App, recipient: str, text: str) -> None:
    await _says(app, recipient, text)
    assert await _becomes(app, recipient) == "queued"


async def test_who_stops_a_service_stops_it_whole_and_starts_it_whole(app: App, recipient: str) -> None:
    await _says(app, recipient, "STOP", ("MessagingServiceSid", SERVICE))
    assert await _becomes(app, recipient, sender=SERVICE) == "suppressed"
    assert await _becomes(app, recipient) == "suppressed"
    assert await _becomes(app, recipient, sender="MG" + "6" * 32) == "accepted"
    await _says(app, recipient, "START", ("MessagingServiceSid", SERVICE))
    assert await _becomes(app, recipient, sender=SERVICE) == "accepted"


async def test_the_word_of_advanced_opt_out_counts_in_any_language(app: App, recipient: str) -> None:
    await _says(app, recipient, "Arrêt", ("OptOutType", "STOP"))
    assert await _becomes(app, recipient) == "suppressed"
    await _says(app, recipient, "Encore", ("OptOutType", "START"))
    assert await _becomes(app, recipient) == "queued"


@pytest.mark.parametrize(
    ("text", "more", "how"),
    [
        ("STOP", (), "keyword"),
        ("Arrêt", (("OptOutType", "STOP"),), "opt-out-type"),
        ("STOP", (("OptOutType", ""),), "keyword"),
    ],
)
async def test_how_and_by_which_text_it_was_said_is_on_record(
    app: App, recipient: str, text: str, more: tuple[tuple[str, str], ...], how: str
) -> None:
    sid = webhooks.new_sid("SM")
    fields = (("MessageSid", sid), ("From", recipient), ("To", NUMBER), ("Body", text), *more)
    assert await _post(app, "/api/sms/inbound", *fields) == 200
    [consent] = await app.wiring.consents.find(recipient)
    assert (consent.sender, consent.state, consent.how, consent.by) == (NUMBER, "opted-out", how, sid)


@pytest.mark.parametrize("more", [(), (("OptOutType", "HELP"),)], ids=["keyword", "OptOutType"])
async def test_who_asks_for_help_after_a_stop_is_still_held_back(
    app: App, recipient: str, more: tuple[tuple[str, str], ...]
) -> None:
    await _says(app, recipient, "STOP")
    await _says(app, recipient, "HELP", *more)
    assert await _becomes(app, recipient) == "suppressed"


async def test_start_lifts_what_twilio_had_told_of(app: App, recipient: str) -> None:
    """21610 in a callback holds later texts back; the text that brought it has failed."""
    delivery_id = str(uuid.uuid4())
    request = {"id": delivery_id, "channel": "sms", "to": recipient, "body": "Hello"}
    await app.take(json.dumps(request).encode())
    sid = (await app.delivery(delivery_id))["sid"]
    fields = (("MessageSid", sid), ("MessageStatus", "failed"), ("ErrorCode", "21610"), ("To", recipient))
    for _ in range(2):
        assert await _post(app, f"/api/sms/status?delivery={delivery_id}&v=2", *fields) == 204
    delivery = await app.delivery(delivery_id)
    assert (delivery["status"], delivery["error_code"]) == ("failed", 21610)
    assert await _becomes(app, recipient) == "suppressed"
    assert await _becomes(app, recipient, sender=OTHER_NUMBER) == "queued"
    await _says(app, recipient, "START")
    assert await _becomes(app, recipient) == "queued"


async def test_a_callback_that_comes_again_later_does_not_take_a_start_back(app: App, recipient: str) -> None:
    delivery_id = str(uuid.uuid4())
    request = {"id": delivery_id, "channel": "sms", "to": recipient, "body": "Hello"}
    await app.take(json.dumps(request).encode())
    sid = (await app.delivery(delivery_id))["sid"]
    fields = (("MessageSid", sid), ("MessageStatus", "failed"), ("ErrorCode", "21610"), ("To", recipient))
    await _post(app, f"/api/sms/status?delivery={delivery_id}&v=2", *fields)
    await _says(app, recipient, "START")
    await _post(app, f"/api/sms/status?delivery={delivery_id}&v=2", *fields)
    assert await _becomes(app, recipient) == "queued"


async def test_a_webhook_that_comes_again_does_not_take_back_what_was_said_since(app: App, recipient: str) -> None:
    """Twilio repeats webhooks, and whoever got hold of a signed one may."""
    start = (("MessageSid", webhooks.new_sid("SM")), ("From", recipient), ("To", NUMBER), ("Body", "START"))
    assert await _post(app, "/api/sms/inbound", *start) == 200
    await _says(app, recipient, "STOP")
    assert await _post(app, "/api/sms/inbound", *start) == 200
    assert await _becomes(app, recipient) == "suppressed"


async def test_the_first_that_is_heard_of_what_others_sent_holds_later_texts_back(app: App, recipient: str) -> None:
    fields = (("MessageSid", webhooks.new_sid("SM")), ("MessageStatus", "failed"), ("ErrorCode", "21610"))
    assert await _post(app, "/api/sms/status", *fields, ("To", recipient), ("From", NUMBER)) == 204
    assert await _becomes(app, recipient) == "suppressed"


async def test_other_errors_hold_nothing_back(app: App, recipient: str) -> None:
    delivery_id = str(uuid.uuid4())
    await app.take(json.dumps({"id": delivery_id, "channel": "sms", "to": recipient, "body": "Hello"}).encode())
    sid = (await app.delivery(delivery_id))["sid"]
    fields = (("MessageSid", sid), ("MessageStatus", "undelivered"), ("ErrorCode", "30003"))
    await _post(app, f"/api/sms/status?delivery={delivery_id}&v=2", *fields)
    assert await _becomes(app, recipient) == "queued"


async def test_a_service_that_21610_came_from_is_the_one_that_is_held_back(app: App, recipient: str) -> None:
    delivery_id = str(uuid.uuid4())
    request = {"id": delivery_id, "channel": "sms", "to": recipient, "from": SERVICE, "body": "Hello"}
    await app.take(json.dumps(request).encode())
    sid = (await app.delivery(delivery_id))["sid"]
    fields = (("MessageSid", sid), ("MessageStatus", "failed"), ("ErrorCode", "21610"), ("From", NUMBER))
    await _post(app, f"/api/sms/status?delivery={delivery_id}&v=2", *fields)
    assert await _becomes(app, recipient, sender=SERVICE) == "suppressed"
    assert await _becomes(app, recipient) == "queued"


async def test_words_that_twilio_answers_get_no_reply_of_ours(azurite: str) -> None:
    async with App.load(settings_of(azurite, SMS_REPLY="Thanks", STOP_REPLY="Bye")) as app:
        replies = [await _reply_to(app, text) for text in ("STOP", "start", "Help", "INFO", "Please stop")]
    assert replies == [None, None, None, None, "Thanks"]


@pytest.mark.parametrize("who", ["twilio", "app"])
async def test_an_opt_out_that_twilio_does_not_know_is_confirmed_once(azurite: str, recipient: str, who: str) -> None:
    texts = {"SMS_REPLY": "Thanks", "STOP_REPLY": "Bye", "START_REPLY": "Hi"}
    async with App.load(settings_of(azurite, OPT_OUT_REPLIES=who, **texts)) as app:
        first, again = webhooks.new_sid("SM"), webhooks.new_sid("SM")
        said = [
            await _reply_to(app, "Opt out", sender=recipient, sid=first),
            await _reply_to(app, "Opt out", sender=recipient, sid=first),
            await _reply_to(app, "STOP!!", sender=recipient, sid=again),
            await _reply_to(app, "STOP!!", sender=recipient, sid=again),
            await _reply_to(app, "Opt out", sender=recipient, sid=first),
        ]
        back = await _reply_to(app, "Start!", sender=recipient)
        anew = await _reply_to(app, "Stop.", sender=recipient)
    assert said == ["Bye", "Bye", None, None, "Bye"], "Twilio may bring a text again, and gets the same answer"
    assert (back, anew) == ("Hi", "Bye"), "whoever comes back may stop again"


async def test_a_stop_after_one_that_twilio_has_answered_is_not_confirmed_again(azurite: str, recipient: str) -> None:
    async with App.load(settings_of(azurite, STOP_REPLY="Bye")) as app:
        replies = [await _reply_to(app, text, sender=recipient) for text in ("STOP", "Stop!", "Opt out")]
        of_another_number = await _reply_to(app, "Stop!", sender=recipient, to=OTHER_NUMBER)
    assert replies == [None, None, None]
    assert of_another_number == "Bye"


async def test_an_opt_out_that_was_set_over_http_is_confirmed_where_the_person_says_it(
    azurite: str, recipient: str
) -> None:
    async with App.load(settings_of(azurite, STOP_REPLY="Bye")) as app:
        wish = json.dumps({"to": recipient, "sender": NUMBER, "state": "opted-out"}).encode()
        assert (await app.request("POST", "/api/consents", wish)).status == 200
        assert await _reply_to(app, "Opt out", sender=recipient) == "Bye"


async def test_help_with_punctuation_is_answered_by_the_app(azurite: str) -> None:
    async with App.load(settings_of(azurite, SMS_REPLY="Thanks", HELP_REPLY="Ask")) as app:
        assert [await _reply_to(app, text) for text in ("HELP", "Help!", "info?")] == [None, "Ask", "Ask"]


async def test_where_twilio_leaves_it_to_the_app_each_word_has_its_reply(azurite: str) -> None:
    texts = {"SMS_REPLY": "Thanks", "STOP_REPLY": "<Bye>", "START_REPLY": "Hi", "HELP_REPLY": "Ask"}
    async with App.load(settings_of(azurite, OPT_OUT_REPLIES="app", **texts)) as app:
        replies = [await _reply_to(app, text) for text in ("STOP", "start", "Help", "INFO", "Please stop")]
        answered = [await _reply_to(app, word, ("OptOutType", word)) for word in ("STOP", "START", "HELP")]
        ours = await _reply_to(app, "STOP", sender=NUMBER)
    assert replies == ["<Bye>", "Hi", "Ask", "Ask", "Thanks"]
    assert answered == [None, None, None]
    assert ours is None


@pytest.mark.parametrize(
    ("brought", "asked"),
    [
        ("whatsapp:+52155{}", "whatsapp:+5255{}"),
        ("whatsapp:+55318{}", "whatsapp:+553198{}"),
        ("whatsapp:+54911{}", "whatsapp:+5411{}"),
        ("whatsapp:US.{}", "whatsapp:US.{}"),
    ],
)
@pytest.mark.parametrize("own", [NUMBER, f"whatsapp:{NUMBER}"])
async def test_stop_holds_for_every_spelling_of_the_phone(app: App, brought: str, asked: str, own: str) -> None:
    digits = webhooks.new_number()[-8:] if "+55" not in brought else webhooks.new_number()[-7:]
    await _says(app, brought.format(digits), "STOP", to=own)
    assert await _becomes(app, asked.format(digits), sender=own) == "suppressed"
    await _says(app, asked.format(digits), "START", to=own)
    assert await _becomes(app, brought.format(digits), sender=own) != "suppressed"


@pytest.mark.parametrize("field", ["ExternalUserId", "ExternalUserIdentifier"])
@pytest.mark.parametrize("written", ["US.{}", "whatsapp:US.{}"])
async def test_stop_holds_for_the_whatsapp_user_that_twilio_names_beside_the_number(
    app: App, recipient: str, field: str, written: str
) -> None:
    user = uuid.uuid4().hex
    named = (field, written.format(user))
    for text, is_held_back in (("STOP", True), ("START", False)):
        await _says(app, f"whatsapp:{recipient}", text, named)
        for to in (f"whatsapp:{recipient}", f"whatsapp:US.{user}"):
            assert (await _becomes(app, to) == "suppressed") == is_held_back


async def test_what_is_no_whatsapp_user_is_no_recipient_of_a_consent(app: App, recipient: str) -> None:
    await _says(app, f"whatsapp:{recipient}", "STOP", ("ExternalUserId", "+14155550100"))
    await _says(app, webhooks.new_number(), "STOP", ("ExternalUserId", f"US.{recipient[1:]}"))
    assert await _becomes(app, f"whatsapp:US.{recipient[1:]}") != "suppressed"
    assert await app.wiring.consents.find("whatsapp:+14155550100") == []


async def test_a_text_with_sids_in_capitals_is_on_record_and_counts(app: App, recipient: str) -> None:
    sid = webhooks.new_sid("SM")
    fields = (("MessageSid", sid.upper()), ("From", recipient), ("To", NUMBER), ("Body", "STOP"))
    assert await _post(app, "/api/sms/inbound", *fields, ("MessagingServiceSid", SERVICE.upper())) == 200
    assert (await app.delivery(sid))["status"] == "received"
    senders = {consent.sender: consent.by for consent in await app.wiring.consents.find(recipient)}
    assert senders == {NUMBER: sid, SERVICE: sid}


@pytest.mark.parametrize(
    "add_ons",
    ["{é}" * 16_000, "\x01" * 65_000, '"' * 65_000, "\U0001f389" * 16_000],
    ids=["letters", "controls", "quotes", "emoji"],
)
async def test_the_largest_form_is_on_record_whole(app: App, recipient: str, add_ons: str) -> None:
    sid = webhooks.new_sid("SM")
    fields = (("MessageSid", sid), ("From", recipient), ("To", NUMBER), ("Body", "Hello"), ("AddOns", add_ons))
    assert len(webhooks.encode(*fields)) > 190_000
    assert await _post(app, "/api/sms/inbound", *fields) == 200
    assert (await app.delivery(sid))["events"][0]["raw"]["AddOns"] == add_ons
