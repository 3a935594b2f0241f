import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from local.twilio import Simulator
from tests.local.twilio.conftest import ACCOUNT_SID, KEY_SECRET, KEY_SID
from tests.local.twilio.receiver import AUTH_TOKEN, Receiver

TO, FROM = "+14155550100", "+14155550199"
SERVICE = "MG" + "0" * 32


def statuses(receiver: Receiver) -> list[str]:
    return [form["MessageStatus"] for form in receiver.forms("/status")]


async def test_a_message_is_queued_first_and_delivered_in_the_end(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    created = await client.messages.create_async(
        to=TO, from_=FROM, body="Hello", status_callback=f"{receiver.url}/status?delivery=a-1"
    )
    await simulator.settled()
    fetched = await client.messages(created.sid).fetch_async()

    assert (created.status, created.date_sent) == ("queued", None)
    assert (fetched.status, fetched.body, fetched.from_, fetched.to) == ("delivered", "Hello", FROM, TO)
    assert fetched.date_sent is not None
    assert [status for status, _ in simulator.messages[0].history] == ["queued", "sent", "delivered"]


async def test_line_breaks_at_the_end_of_a_text_are_trimmed(client: Client) -> None:
    created = await client.messages.create_async(to=TO, from_=FROM, body=" one\ntwo \r\n\n")
    listed = await client.messages.list_async(to=TO)
    assert [created.body, *(message.body for message in listed)] == [" one\ntwo "] * 2


async def test_callbacks_come_in_order_with_the_documented_fields(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    created = await client.messages.create_async(
        to=TO, from_=FROM, body="Hello", status_callback=f"{receiver.url}/status?delivery=a-1&note="
    )
    await simulator.settled()

    assert statuses(receiver) == ["sent", "delivered"]
    sent, delivered = receiver.forms("/status")
    expected = {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "From": FROM,
        "MessageSid": created.sid,
        "MessageStatus": "sent",
        "SmsSid": created.sid,
        "SmsStatus": "sent",
        "To": TO,
    }
    assert dict(sent) == expected
    assert set(delivered) == {*expected, "RawDlrDoneDate"}
    assert datetime.strptime(delivered["RawDlrDoneDate"], "%y%m%d%H%M").replace(tzinfo=UTC)
    assert {request.raw_path for request in receiver.received} == {"/status?delivery=a-1&note="}
    assert all(request.headers["I-Twilio-Idempotency-Token"] for request in receiver.received)


async def test_a_messaging_service_accepts_first_and_picks_the_sender_later(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    created = await client.messages.create_async(
        to=TO, messaging_service_sid=SERVICE, body="Hello", status_callback=f"{receiver.url}/status"
    )
    await simulator.settled()

    assert (created.status, created.from_, created.num_segments) == ("accepted", None, "0")
    assert statuses(receiver) == ["queued", "sent", "delivered"]
    assert {form["From"] for form in receiver.forms("/status")} == {"+15005550006"}
    assert {form["MessagingServiceSid"] for form in receiver.forms("/status")} == {SERVICE}


@pytest.mark.parametrize(
    ("to", "story", "code"),
    [
        ("+15005550101", ["sent", "undelivered"], "30003"),
        ("+15005550102", ["sent", "undelivered"], "30005"),
        ("+15005550103", ["failed"], "30008"),
        ("+15005550104", ["failed"], "21610"),
        ("+15005550105", ["sent"], None),
        ("+15005550106", ["sent", "delivered", "read"], None),
        ("+15008300070", ["failed"], "30007"),
        ("whatsapp:+15008630241", ["sent", "undelivered"], "63024"),
    ],
)
async def test_special_recipients_end_as_documented(
    client: Client, simulator: Simulator, receiver: Receiver, *, to: str, story: list[str], code: str | None
) -> None:
    created = await client.messages.create_async(
        to=to, from_=FROM, body="Hello", status_callback=f"{receiver.url}/status"
    )
    await simulator.settled()
    fetched = await client.messages(created.sid).fetch_async()

    assert statuses(receiver) == story
    assert receiver.forms("/status")[-1].get("ErrorCode") == code
    assert fetched.error_code == (int(code) if code else None)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "", "from_": FROM, "body": "x"}, 21604),
        ({"to": TO, "body": "x"}, 21603),
        ({"to": TO, "from_": FROM}, 21602),
        ({"to": TO, "from_": FROM, "body": "x" * 1601}, 21617),
        ({"to": "nobody", "from_": FROM, "body": "x"}, 21211),
        ({"to": TO, "from_": "a sender too long", "body": "x"}, 21212),
        ({"to": TO, "from_": TO, "body": "x"}, 21266),
        ({"to": TO, "from_": FROM, "body": "x", "status_callback": "no url"}, 21609),
        ({"to": TO, "from_": FROM, "media_url": ["ftp://example.com"]}, 21620),
        ({"to": TO, "from_": FROM, "media_url": ["https://example.com/a.png"] * 11}, 21623),
        ({"to": TO, "from_": FROM, "body": "x", "validity_period": 36_001}, 90007),
        ({"to": TO, "messaging_service_sid": "MG1", "body": "x"}, 21701),
        ({"to": TO, "from_": "+15005550001", "body": "x"}, 21212),
        ({"to": TO, "from_": "+15005550007", "body": "x"}, 21606),
        ({"to": TO, "from_": "+15005550008", "body": "x"}, 21611),
        ({"to": "+15005550001", "from_": FROM, "body": "x"}, 21211),
        ({"to": "+15005550002", "from_": FROM, "body": "x"}, 21612),
        ({"to": "+15005550003", "from_": FROM, "body": "x"}, 21408),
        ({"to": "+15005550004", "from_": FROM, "body": "x"}, 21610),
        ({"to": "+15005550009", "from_": FROM, "body": "x"}, 21614),
        ({"to": "+15008304509", "from_": FROM, "body": "x"}, 30450),
    ],
)
async def test_a_refused_create_has_the_code_of_twilio_and_leaves_nothing(
    client: Client, simulator: Simulator, fields: dict[str, str], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(**fields)

    assert (refused.value.code, refused.value.status) == (code, 400)
    assert simulator.messages == []


async def test_media_make_it_a_multimedia_message(client: Client) -> None:
    urls = ["https://example.com/a.png", "https://example.com/b.png"]
    created = await client.messages.create_async(to=TO, from_=FROM, media_url=urls)

    assert created.sid.startswith("MM")
    assert created.num_media == "2"


async def test_a_scheduled_message_waits_and_can_be_canceled(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    created = await client.messages.create_async(
        to=TO,
        messaging_service_sid=SERVICE,
        body="Hello",
        schedule_type="fixed",
        send_at=datetime.now(UTC) + timedelta(hours=1),
        status_callback=f"{receiver.url}/status",
    )
    await simulator.settled()
    canceled = await client.messages(created.sid).update_async(status="canceled")
    await simulator.settled()

    assert (created.status, canceled.status) == ("scheduled", "canceled")
    assert statuses(receiver) == ["canceled"]
    assert not simulator._network._timers
    with pytest.raises(TwilioRestException) as refused:
        await client.messages(created.sid).update_async(status="canceled")
    assert refused.value.code == 30409


@pytest.mark.parametrize("ahead", [timedelta(seconds=60), timedelta(days=36)])
async def test_a_schedule_outside_the_window_is_refused(client: Client, ahead: timedelta) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await client.messages.create_async(
            to=TO,
            messaging_service_sid=SERVICE,
            body="Hello",
            schedule_type="fixed",
            send_at=datetime.now(UTC) + ahead,
        )
    assert refused.value.code == 35114


async def test_a_schedule_without_a_service_is_ignored(client: Client) -> None:
    created = await client.messages.create_async(
        to=TO, from_=FROM, body="Hello", schedule_type="fixed", send_at=datetime.now(UTC) + timedelta(hours=1)
    )
    assert created.status == "queued"


async def test_a_body_is_redacted_and_a_message_deleted_once_it_has_ended(client: Client, simulator: Simulator) -> None:
    created = await client.messages.create_async(to=TO, from_=FROM, body="Hello")
    await simulator.settled()
    redacted = await client.messages(created.sid).update_async(body="")

    assert (redacted.body, redacted.status) == ("", "delivered")
    assert await client.messages(created.sid).delete_async()
    with pytest.raises(TwilioRestException) as missing:
        await client.messages(created.sid).fetch_async()
    assert (missing.value.status, missing.value.code) == (404, 20404)
    assert await client.messages.list_async(to=TO) == []


async def test_a_message_on_its_way_is_neither_redacted_nor_deleted(
    client: Client, simulator: Simulator, receiver: Receiver
) -> None:
    answered = asyncio.Event()
    callback = receiver.holds("/status", until=answered)
    created = await client.messages.create_async(to=TO, from_=FROM, body="Hello", status_callback=callback)
    for change in (client.messages(created.sid).update_async(body=""), client.messages(created.sid).delete_async()):
        with pytest.raises(TwilioRestException) as refused:
            await change
        assert (refused.value.status, refused.value.code) == (409, 20009)
    answered.set()
    await simulator.settled()


async def test_the_synchronous_client_and_an_api_key_are_served_too(simulator: Simulator) -> None:
    client = Client(KEY_SID, KEY_SECRET, account_sid=ACCOUNT_SID)
    client.api.base_url = simulator.url
    created = await asyncio.to_thread(client.messages.create, to=TO, from_=FROM, body="Hello")
    account = await asyncio.to_thread(client.api.accounts(ACCOUNT_SID).fetch)

    assert simulator.messages[0].sid == created.sid
    assert (account.sid, account.status, account.auth_token) == (ACCOUNT_SID, "active", None)


@pytest.mark.parametrize(
    ("user", "password", "account"),
    [
        (ACCOUNT_SID, "wrong", ACCOUNT_SID),
        ("AC" + "1" * 32, AUTH_TOKEN, ACCOUNT_SID),
        (ACCOUNT_SID, AUTH_TOKEN, "AC" + "1" * 32),
        (KEY_SID, AUTH_TOKEN, ACCOUNT_SID),
    ],
)
async def test_wrong_credentials_are_refused(simulator: Simulator, user: str, password: str, account: str) -> None:
    client = Client(user, password, account_sid=account)
    client.api.base_url = simulator.url
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(client.messages.create, to=TO, from_=FROM, body="Hello")

    assert (refused.value.status, refused.value.code) == (401, 20003)
    assert simulator.messages == []
